import Testing

@testable import TrellisKernel

@Suite struct EmittedFieldTests {
    private static func read(_ value: DatabaseValue, _ kind: CustomField.Kind) throws -> DatabaseValue {
        try EmittedField.read(value, as: kind, field: "it")
    }

    @Test func `a text is read as 'trellis record' reads it`() throws {
        #expect(try Self.read("2.5".databaseValue, .real) == 2.5.databaseValue)
        #expect(try Self.read("5.0".databaseValue, .integer) == 5.databaseValue)
        #expect(try Self.read("yes".databaseValue, .boolean) == 1.databaseValue)
        #expect(try Self.read("2026-01-31T14:00Z".databaseValue, .date) == "2026-01-31".databaseValue)
        #expect(try Self.read("2026-01-31 14:00".databaseValue, .time) == "2026-01-31 14:00:00.000".databaseValue)
        #expect(try Self.read(" as it is ".databaseValue, .text) == " as it is ".databaseValue)
    }

    @Test func `a number for a text is a text, and an empty text no value`() throws {
        #expect(try Self.read(7.databaseValue, .text) == "7".databaseValue)
        #expect(try Self.read(2.5.databaseValue, .text) == "2.5".databaseValue)
        #expect(try Self.read("".databaseValue, .integer) == .null)
        #expect(try Self.read(.null, .text) == .null)
    }

    private static let misfits: [(DatabaseValue, CustomField.Kind, String)] = [
        ("abc".databaseValue, .integer, "it: expected a whole number, got 'abc'"),
        (2.5.databaseValue, .integer, "it: expected a whole number, got '2.5'"),
        ("perhaps".databaseValue, .boolean, "it: expected yes or no, got 'perhaps'"),
        ("soon".databaseValue, .time, "it: expected a time such as 2026-01-31 14:00, got 'soon'"),
        (
            "a text of more than forty characters, which is cut".databaseValue, .real,
            "it: expected a number, got 'a text of more than forty characters, wh…'"
        ),
    ]

    @Test(arguments: misfits)
    func `what does not fit is told with what was expected`(
        value: DatabaseValue, kind: CustomField.Kind, sentence: String
    ) {
        let error = #expect(throws: FieldProblem.self) { try Self.read(value, kind) }
        #expect(error?.description == sentence)
    }
}
