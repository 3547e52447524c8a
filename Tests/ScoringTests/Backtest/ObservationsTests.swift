import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// What held for each lead before its outcome.
@Suite struct ObservationsTests {
    private static let rules = """
        activities: {demo.booked: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}, big: {when: "employees > 100", points: 10}}
            engagement: {demo: {on: demo.booked, points: 50}, fading: {on: demo.booked, points: 8, half_life: 1 day}}
        """

    private func observed(_ crm: TestKernel, _ scope: OutcomeScope) throws -> Observations {
        let model = try #require((crm.kernel.plugins.first as? Scoring)?.settings.main)
        return try crm.kernel.read {
            try Observations(scope, of: model, $0)
        }
    }

    @Test func `what came after the outcome does not count`() throws {
        let crm = try TestKernel(ObservationsTests.rules, plugins: [Scoring.self])
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example", "title": "Head"]) }
        try crm.record("demo.booked", lead: 1)
        try crm.record("demo.booked", lead: 2)
        try crm.pump()
        crm.clock.advance(by: "1 day")
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET stage = 'customer' WHERE id = 1")
        }
        crm.clock.advance(by: "1 day")
        // Sales learnt the size and lost the title, and one more demo was held for each.
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET employees = 500, title = NULL WHERE id IN (1, 2)")
        }
        try crm.record("demo.booked", lead: 1)
        try crm.record("demo.booked", lead: 2)
        try crm.pump()
        let observed = try observed(crm, MadeCRM.scope("stage:customer"))
        #expect(observed.converted == [true, false])
        #expect((0...1).map { observed.holds($0, row: 0) } == [true, false])
        #expect((0...1).map { observed.holds($0, row: 1) } == [false, true])
        #expect(observed.rows(ofEngagement: 0).map(\.amount) == [1, 2])
        // The first of bob's two demos is two half-lives older than the second.
        #expect(observed.rows(ofEngagement: 1).map(\.amount) == [1, 1.25])
        #expect(observed.configuredScores().fit == [20, 10])
        #expect(observed.configuredScores().all == [78, 120])
        #expect(observed.undated == 0)
    }

    @Test func `of a column all is counted, for nobody knows when it was written`() throws {
        let crm = try TestKernel(
            "leads: {fields: {converted: integer}}\n" + ObservationsTests.rules, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "converted": "1"])
        try crm.pump()
        crm.clock.advance(by: "1 day")
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "UPDATE leads SET title = 'Head'") }
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        let observed = try observed(crm, MadeCRM.scope("column:converted"))
        #expect(observed.configuredScores().all == [78] && observed.undated == 1)
        // As of the first evening there was nothing yet.
        let early = try self.observed(crm, MadeCRM.scope("column:converted", asOf: "2026-03-02 20:00:00.000"))
        #expect(early.configuredScores().all == [0])
    }

    @Test func `a rule is a bit, however many there are`() throws {
        let crm = try MadeCRM.make(leads: 40)
        let conditions = (0..<150).map { Condition(name: "r\($0)", when: "leads.id % 150 = \($0) -- a remark") }
        let observed = try crm.kernel.read {
            try Observations(MadeCRM.scope("column:converted"), of: ScoringModel(), candidates: conditions, $0)
        }
        for row in 0..<40 { #expect((0..<150).filter { observed.holds($0, row: row) } == [row + 1]) }
        let table = observed.table(rows: [2, 5], conditions: [3, 6, 61])
        #expect(table.count == 2 && table.columns == [0, 1])
    }

    @Test func `nothing known of a rule is as good as no`() throws {
        let crm = try MadeCRM.make(leads: 40)
        let observed = try crm.kernel.read {
            try Observations(
                MadeCRM.scope("column:converted"), of: ScoringModel(), candidates: [Condition(name: "x", when: "NULL")],
                $0)
        }
        #expect(observed.lift(ofCondition: 0).leads == 0)
    }

    @Test func `two rules for the same leads are one, also turned round`() throws {
        let crm = try MadeCRM.make(leads: 60)
        let conditions = ["visits >= 5", "visits > 4", "visits < 5", "visits >= 6", "1", "0"].map {
            Condition(name: $0, when: $0)
        }
        let observed = try crm.kernel.read {
            try Observations(MadeCRM.scope("column:converted"), of: ScoringModel(), candidates: conditions, $0)
        }
        #expect(observed.distinctConditions(leadsMin: 1) == [0, 3])
        #expect(observed.distinctConditions(leadsMin: 31) == [])
    }

    @Test func `leads a week are counted from the first to the last that came`() throws {
        let crm = try MadeCRM.make(leads: 600)
        let observed = try crm.kernel.read {
            try Observations(MadeCRM.scope("column:converted"), of: ScoringModel(), $0)
        }
        // From 10 January to 27 February are 48 days.
        #expect(abs((observed.leadsPerWeek ?? 0) - 600.0 / 48 * 7) < 1)
        let young = try TestKernel("leads: {fields: {converted: integer}}", plugins: [Scoring.self])
        try young.capture(["email": "ann@a.example", "converted": "1"])
        #expect(
            try young.kernel.read {
                try Observations(MadeCRM.scope("column:converted"), of: ScoringModel(), $0).leadsPerWeek
            } == nil)
    }
}
