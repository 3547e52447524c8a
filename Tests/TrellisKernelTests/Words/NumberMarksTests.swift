import Foundation
import Testing

@testable import TrellisKernel

@Suite struct NumberMarksTests {
    @Test(arguments: [
        ("12,5", "12.5"), ("1.234,5", "1234.5"), ("-1.234.567,25", "-1234567.25"), ("1.234.567", "1234567"),
        ("12.5", "12.5"),
        ("1234", "1234"), ("0,125", "0.125"), ("0.125", "0.125"), ("1234.567", "1234.567"), ("1 234,5", "1234.5"),
        ("1 234", "1234"), ("+7,0", "+7.0"), ("1e3", "1e3"),
    ])
    func `a number with a decimal comma is one`(_ typed: String, _ plain: String) throws {
        for language in ["de", "fr", "es", "it", "nl-BE", "pt-BR"] {
            #expect(try NumberMarks(language: language).plain(typed) == plain, "\(language)")
        }
    }

    @Test(arguments: ["1.234", "-1.000", "12.345", "999.999"])
    func `a point before three digits may be either, and is refused`(_ typed: String) {
        #expect(throws: NumberMarks.Ambiguous.self) { try NumberMarks(language: "de").plain(typed) }
        #expect(throws: Never.self) { try NumberMarks(language: "en").plain(typed) }
    }

    /// They come back as they are, and are then refused as no number.
    @Test(arguments: [
        "1,2,3", "1.2,3", "12.34.567", "1.234 567", "0.123,5", ",5", "5,", "abc", "", "1 23", "1.234,5 €", "-",
    ])
    func `what is no number is left for others to refuse`(_ typed: String) throws {
        #expect(try NumberMarks(language: "de").plain(typed) == typed)
    }

    @Test func `where the point stands before the tenths, nothing changes`() throws {
        for typed in ["12,5", "1.234", "1,234.5", "1 234"] {
            #expect(try NumberMarks(language: "en").plain(typed) == typed)
        }
        // The Swiss write 1'234.50.
        #expect(try NumberMarks(language: "de-CH").plain("1'234.50") == "1234.50")
        #expect(try NumberMarks(language: "de-CH").plain("12,5") == "12,5")
        #expect(try NumberMarks(language: "de-CH").plain("1.234") == "1.234")
    }

    @Test func `a draft takes the number of a form in its language`() throws {
        let config = try Config.parse("leads: {fields: {budget: real, sites: integer}}", plugins: [])
        let german = NumberMarks(language: "de")
        func set(_ name: String, _ text: String) throws -> String {
            var draft = try draft(config)
            try draft.set(name, text: text, written: german)
            return "\(draft[name])"
        }
        #expect(try set("budget", "12,5") == "12.5" && set("sites", "1.234.567") == "1234567")
        #expect(try set("first_name", "1.234") == "\"1.234\"")
        let problem = try #require(throws: FieldProblem.self) { try set("budget", "1.234") }
        #expect(problem.phrase == Phrase("field_thousands"))
        #expect(problem.description == "budget: expected a number without a mark for thousands, such as 1234")
        #expect(throws: FieldProblem(field: "sites", message: "expected a whole number")) { try set("sites", "12,5") }
    }

    private func draft(_ config: Config) throws -> LeadDraft {
        let queue = try DatabaseQueue()
        _ = try SchemaKeeper(config: config, types: [], path: "the config").apply(
            to: queue, now: Date(timeIntervalSince1970: 0))
        return LeadDraft(
            try queue.read { try LeadLayout(LoggedTable.leads.columns($0), site: config.site) })
    }
}
