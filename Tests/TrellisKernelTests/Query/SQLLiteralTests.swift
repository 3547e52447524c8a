import Testing

@testable import TrellisKernel

@Suite struct SQLLiteralTests {
    @Test(arguments: [
        "it's", "'", "''", "a'\u{301}b", "\u{600}'", "x\0y", "\"", "\"\u{301}", "'\u{FE0F}; DROP TABLE leads; --",
    ])
    func `a literal and a name end where they should`(_ text: String) throws {
        let wanted = text.replacing("\0", with: "")
        let connection = try DatabaseQueue()
        #expect(try connection.read { try String.fetchOne($0, sql: "SELECT \(text.sqlLiteral)") } == wanted)
        try connection.write { try $0.execute(sql: "CREATE TABLE \(text.sqlIdentifier) (id INTEGER)") }
        #expect(try connection.read { try String.fetchOne($0, sql: "SELECT name FROM sqlite_schema") } == wanted)
    }
}
