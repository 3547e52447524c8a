import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// Points learnt from outcomes.
@Suite struct RuleFitTests {
    private func fit(_ crm: TestKernel, _ columns: [String], _ options: [String: String] = [:]) throws -> RuleFit {
        let settings = try #require((crm.kernel.plugins.first as? Scoring)?.settings.main)
        let scope = try MadeCRM.scope("column:converted")
        return try crm.kernel.read { db in
            let candidates = try ColumnCandidates(scope: scope, leadsMin: 20, db: db).conditions(
                columns, besides: settings.fit.map(\.name))
            return try RuleFit(settings, candidates: candidates, leadsMin: 20, scope, BacktestOptions(options), db)
        }
    }

    @Test func `it finds what the leads were made with`() throws {
        let fit = try fit(MadeCRM.make("    fit: {}", leads: 1200), ["source", "visits", "wants_mail", "budget"])
        #expect(fit.rules.map(\.condition.when).sorted() == ["source = 'fair'", "visits >= 5"])
        // 1.5 in log odds is 43 points.
        #expect(fit.rules.allSatisfy { (35...50).contains($0.points) && $0.points % 5 == 0 })
        #expect((fit.report.ranked.areaUnderCurve ?? 0) > 0.7)
        #expect(fit.report.areas.count == 5)
    }

    @Test func `rules of the config take part under their names, and those that tell nothing are named`() throws {
        let fit = try fit(MadeCRM.make(leads: 1200), ["visits"])
        #expect(fit.rules.map(\.condition.name).sorted() == ["busy", "fair"])
        #expect(fit.dropped == ["mail"])
    }

    @Test func `no more rules than asked for`() throws {
        let fit = try fit(MadeCRM.make("    fit: {}", leads: 1200), ["source", "visits"], ["rules": "1"])
        #expect(fit.rules.count == 1)
    }

    @Test func `a rule of engagement has its worth beside the others`() throws {
        let rules = """
                engagement: {demo: {on: demo.booked, points: 50}, idle: {on: call.held, points: 5}}
            """
        let crm = try MadeCRM.make(rules, leads: 1000)
        // Of those who convert, two in three book a demo; of the others, one in three.
        try crm.foreign(
            """
            INSERT INTO scoring_ledger (lead_id, rule, axis, points, event_id, at)
            SELECT id, 'demo', 'engagement', 50, 1, '2026-03-01 09:00:00.000' FROM leads WHERE (id % 3 = 0) <> converted
            """)
        let fit = try fit(crm, ["wants_mail"])
        #expect(fit.engagement.map(\.name) == ["demo", "idle"])
        #expect(fit.engagement.map(\.rule.points) == [50, 5])
        #expect((30...50).contains(fit.engagement[0].learnt) && fit.engagement[1].learnt == 0)
    }

    @Test func `leads that nothing tells apart are no ground for rules`() throws {
        let crm = try MadeCRM.make("    fit: {}", leads: 600)
        try crm.foreign("UPDATE leads SET converted = id % 2, source = NULL, visits = NULL")
        #expect(
            throws: KernelError.data(
                "Nothing in these columns tells who reaches column:converted=1 from who does not. Name others with --columns, or record more about the leads."
            )
        ) { try fit(crm, ["source", "visits"]) }
    }

    @Test func `too few leads are refused with how many are needed`() throws {
        let crm = try MadeCRM.make(leads: 60)
        let converted = try #require(try crm.value("SELECT sum(converted) FROM leads").flatMap { Int($0) })
        #expect(
            throws: KernelError.data(
                "Too few leads for learning rules: \(converted) reached column:converted=1 and \(60 - converted) did not. At least 50 of each are needed."
            )
        ) { try fit(crm, ["source"]) }
    }
}
