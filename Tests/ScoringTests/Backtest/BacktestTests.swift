import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// The rules of the config held against outcomes.
@Suite struct BacktestTests {
    private func backtest(_ crm: TestKernel, _ scope: OutcomeScope, _ options: [String: String] = [:]) throws
        -> Backtest
    {
        let settings = try #require((crm.kernel.plugins.first as? Scoring)?.settings.main)
        return try crm.kernel.read { try Backtest(settings, scope, BacktestOptions(options), $0) }
    }

    @Test func `each rule is shown with its leads and how they convert beside the others`() throws {
        let crm = try MadeCRM.make()
        let rules = try backtest(crm, MadeCRM.scope("column:converted")).rules
        // The same figures by hand.
        let expected = try crm.rows(
            """
            SELECT 'fit', 'fair', 30, sum(source = 'fair'), round(100.0 * avg(converted) FILTER (WHERE source = 'fair'), 1),
                   round(100.0 * avg(converted) FILTER (WHERE source <> 'fair'), 1),
                   round(avg(converted) FILTER (WHERE source = 'fair') / avg(converted) FILTER (WHERE source <> 'fair'), 2) FROM leads
            """)
        let lines = MadeCRM.lines(rules)
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix(expected[0] + "|") && lines[0].hasSuffix("|holds"))
        #expect(lines[1].hasPrefix("fit|mail|5|") && lines[1].hasSuffix("|not proven"))
        #expect(lines[2].hasPrefix("fit|busy|-20|") && lines[2].hasSuffix("|contradicted"))
    }

    @Test func `the threshold of the config is judged, with its least fit`() throws {
        let rules = """
                fit: {fair: {when: "source = 'fair'", points: 30}, busy: {when: "visits >= 5", points: 20}}
                thresholds: {mql: {score: 20}, sql: {score: 20, fit: 50}}
            """
        let crm = try MadeCRM.make(rules)
        let report = try backtest(crm, MadeCRM.scope("column:converted")).report
        let expected = try crm.rows(
            """
            SELECT sum(source = 'fair' OR visits >= 5), sum(converted AND (source = 'fair' OR visits >= 5)),
                   sum(source = 'fair' AND visits >= 5), sum(converted AND source = 'fair' AND visits >= 5) FROM leads
            """)
        let found = report.configured.map { "\($0.point.leads)|\($0.point.converted)" }.joined(separator: "|")
        #expect([found] == expected)
        #expect(
            report.thresholds.rows.contains { $0.last == .text("mql now") || $0.last == .text("mql now, suggested") })
    }

    @Test func `the note says what was judged, how well, and what to know`() throws {
        let crm = try MadeCRM.make()
        let note = try backtest(crm, MadeCRM.scope("column:converted"), ["precision": "0.5"]).note
        let converted = try #require(try crm.value("SELECT sum(converted) FROM leads"))
        #expect(note.hasPrefix("600 leads with a known outcome, \(converted) of them converted ("))
        #expect(note.contains("When a column got its value is not known: all entries count"))
        #expect(note.contains(/AUC 0\.\d{3} \(5 folds: mean 0\.\d{3}, 0\.\d{3} to 0\.\d{3}\)/))
        #expect(note.contains("Brier score 0."))
        #expect(note.contains("score from"))
        #expect(note.contains("tenth"))
    }

    @Test func `a rule that reads the outcome is named`() throws {
        let rules = """
                fit: {cheat: {when: "Converted = 1", points: 30}, fair: {when: "source = 'fair' -- not 'converted_at'", points: 3}}
            """
        let backtest = try backtest(MadeCRM.make(rules), MadeCRM.scope("column:converted"))
        #expect(backtest.report.ranked.areaUnderCurve == 1)
        #expect(backtest.note.contains("These rules read the outcome itself, and prove nothing: cheat."))
    }

    @Test func `an outcome that points bring about themselves is told`() throws {
        let crm = try MadeCRM.make()
        try crm.pump()
        let own =
            "Points move a lead to stage:mql themselves (thresholds: mql): that the rules agree with it proves nothing. Name an outcome that is decided without them."
        #expect(try backtest(crm, MadeCRM.scope("stage:mql")).note.contains(own))
        #expect(try !backtest(crm, MadeCRM.scope("column:converted")).note.contains("Points move a lead"))
        try crm.foreign("UPDATE leads SET stage = 'customer' WHERE id % 10 = 0")
        #expect(try !backtest(crm, MadeCRM.scope("stage:customer")).note.contains("Points move a lead"))
    }

    @Test func `too few leads are refused with how many are needed`() throws {
        let crm = try MadeCRM.make(leads: 12)
        let converted = try #require(try crm.value("SELECT sum(converted) FROM leads").flatMap { Int($0) })
        #expect(
            throws: KernelError.data(
                "Too few leads for a backtest: \(converted) reached column:converted=1 and \(12 - converted) did not. At least 10 of each are needed."
            )
        ) { try backtest(crm, MadeCRM.scope("column:converted")) }
        try crm.foreign("UPDATE leads SET converted = NULL")
        #expect(
            throws: KernelError.data(
                "No lead has a known outcome (column:converted=1). Name another with --outcome: stage:NAME, opportunity:won or column:NAME=VALUE."
            )
        ) { try backtest(crm, MadeCRM.scope("column:converted")) }
    }

    @Test func `a column is named by a whole word of the expression`() {
        #expect("a.Converted = 1".names("converted"))
        #expect(!"converted_at > 1 AND unconverted".names("converted"))
    }
}
