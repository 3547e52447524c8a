import Foundation
import Testing

@testable import TrellisKernel

@Suite struct DateMarksTests {
    @Test(arguments: [
        ("24.12.2026", "2026-12-24"), ("1.2.2026", "2026-02-01"), ("24. 12. 2026", "2026-12-24"),
        ("24/12/2026", "2026-12-24"), ("24-12-2026", "2026-12-24"), ("2026-12-24", "2026-12-24"),
        ("2026-1-5", "2026-01-05"), ("24.12.2026 14:00", "2026-12-24 14:00"), ("24.12.2026, 9:30", "2026-12-24 09:30"),
        ("2026-12-24 14:00:05", "2026-12-24 14:00:05"),
    ])
    func `a day is read where the language writes the day first`(_ typed: String, _ plain: String) {
        for language in ["de", "fr", "es", "nl", "pt-BR", "en-GB"] {
            #expect(DateMarks(language: language).plain(typed) == plain, "\(language)")
        }
    }

    @Test(arguments: [("12/24/2026", "2026-12-24"), ("2/1/2026", "2026-02-01"), ("24/12/2026", "24/12/2026")])
    func `a day is read where the month stands first`(_ typed: String, _ plain: String) {
        #expect(DateMarks(language: "en-US").plain(typed) == plain)
    }

    /// English alone does not say which of the two stands first, and Swedish begins with the year.
    @Test(arguments: [
        ("24/12/2026", "2026-12-24"), ("12/24/2026", "2026-12-24"), ("5/5/2026", "2026-05-05"),
        ("4/5/2026", "4/5/2026"), ("2026/12/24", "2026-12-24"),
    ])
    func `where the language does not say, a day is read if it can be one alone`(_ typed: String, _ plain: String) {
        for language in ["en", "sv"] { #expect(DateMarks(language: language).plain(typed) == plain, "\(language)") }
    }

    @Test(arguments: [
        "", "morgen", "24.12.26", "24.12", "12/24/2026", "31.02.2026", "24.12/2026", "24.12.2026 vormittags",
        "24122026",
        "٢٤.١٢.٢٠٢٦", "124.12.2026", "2026-13-01",
    ])
    func `what is no day comes back as it is`(_ typed: String) {
        #expect(DateMarks(language: "de").plain(typed) == typed)
    }

    @Test(arguments: [
        ("de", "31.01.2026"), ("fr", "31/01/2026"), ("nl", "31-01-2026"), ("en-GB", "31/01/2026"),
        ("en-US", "01/31/2026"), ("en", "2026-01-31"), ("sv", "2026-01-31"), ("fa", "2026-01-31"),
    ])
    func `a day is written as the language does, and read back`(_ language: String, _ text: String) {
        let dates = DateMarks(language: language)
        #expect(dates.text("2026-01-31") == text && dates.plain(text) == "2026-01-31")
        #expect(dates.text("2026-01-31 14:00") == "\(text) 14:00")
        #expect(dates.text("soon") == "soon")
    }

    @Test func `a draft takes the day of a form in its language, and says how it is written`() throws {
        let config = try Config.parse("leads: {fields: {born: date, met_at: time, budget: real}}", plugins: [])
        let german = Lexicon.program.words(for: "de")
        func set(_ name: String, _ text: String) throws -> String {
            var draft = try draft(config)
            try draft.set(name, text: text, written: german)
            return String.fromDatabaseValue(draft[name]) ?? "\(draft[name])"
        }
        #expect(try set("born", " 31.1.1990 ") == "1990-01-31" && set("born", "1990-01-31") == "1990-01-31")
        #expect(try set("met_at", "31.01.1990 14:00") == "1990-01-31 14:00:00.000")
        #expect(try set("budget", "12,5") == "12.5" && set("first_name", "31.1.1990") == "31.1.1990")
        let problem = try #require(throws: FieldProblem.self) { try set("born", "31.1.90") }
        #expect(problem.description == "born: expected a day such as 2026-01-31")
        #expect(problem.phrase.map { german($0) } == "Bitte geben Sie einen Tag wie 31.01.2026 ein.")
        let time = try #require(throws: FieldProblem.self) { try set("met_at", "mittags") }
        #expect(time.phrase.map { german($0) } == "Bitte geben Sie eine Zeit wie 31.01.2026 14:00 ein.")
    }

    private func draft(_ config: Config) throws -> LeadDraft {
        let queue = try DatabaseQueue()
        _ = try SchemaKeeper(config: config, types: [], path: "the config").apply(
            to: queue, now: Date(timeIntervalSince1970: 0))
        return LeadDraft(
            try queue.read { try LeadLayout(LoggedTable.leads.columns($0), site: config.site) })
    }
}
