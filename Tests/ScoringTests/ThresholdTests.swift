import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// What a score does to a lead.
@Suite struct ThresholdTests {
    private static let rules = """
        activities: {demo.booked: {}, mail.bounced: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}}
            engagement: {demo: {on: demo.booked, points: 50}, bounced: {on: mail.bounced, points: -100}}
            thresholds: {mql: {score: 60, fit: 10}, sql: {score: 150}}
        """

    private func stages(_ crm: TestKernel, of lead: Int64 = 1) throws -> [String] {
        try crm.rows("SELECT to_stage FROM stage_history WHERE lead_id = \(lead) ORDER BY event_id")
    }

    @Test func `reaching score and fit moves the stage once`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.pump()
        #expect(try stages(crm) == ["lead"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try crm.events() == ["lead.created", "demo.booked", "lead.stage_changed"])
        #expect(
            try crm.rows("SELECT origin, cause_kind FROM lead_trace WHERE kind = 'lead.stage_changed'") == [
                "plugin:scoring|demo.booked"
            ])
        try crm.record("mail.bounced", lead: 1)
        try crm.pump()
        for _ in 1...2 {
            try crm.record("demo.booked", lead: 1)
            try crm.pump()
        }
        #expect(try stages(crm) == ["lead", "mql"])
        #expect(try crm.value("SELECT score FROM scoring_scores") == "70.0")
        #expect(try crm.troubles() == [])
    }

    @Test func `score alone does not do where fit is asked besides`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Clerk"])
        for _ in 1...2 { try crm.record("demo.booked", lead: 1) }
        try crm.pump()
        #expect(try stages(crm) == ["lead"])
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = 1")
        try crm.pump()
        #expect(try stages(crm) == ["lead", "mql"])
    }

    @Test func `falling below moves nothing back, and the highest stage reached at once is passed through`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        for _ in 1...3 { try crm.record("demo.booked", lead: 1) }
        try crm.pump()
        #expect(try stages(crm) == ["lead", "mql", "sql"])
        try crm.record("mail.bounced", lead: 1)
        try crm.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 1")
        try crm.pump()
        #expect(try stages(crm) == ["lead", "mql", "sql"])
        #expect(try crm.value("SELECT score FROM scoring_scores") == "50.0")
    }

    @Test func `a lead that is further already stays there`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head", "stage": "customer"])
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try stages(crm) == ["customer"])
    }

    @Test(arguments: ["recycled", "disqualified"])
    func `a lead beside the road gets its points and is left alone`(_ stage: String) throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.foreign("UPDATE leads SET stage = '\(stage)' WHERE id = 1")
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try stages(crm) == ["lead", stage])
        #expect(try crm.value("SELECT score FROM scoring_scores") == "70.0")
        // Brought back by a decision, it moves when it next earns points.
        try crm.foreign("UPDATE leads SET stage = 'lead' WHERE id = 1")
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try stages(crm) == ["lead", stage, "lead", "mql"])
        #expect(try crm.troubles() == [])
    }
}

/// Two leads that become one.
@Suite struct MergedScoreTests {
    private static let rules = """
        activities: {demo.booked: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}, known: {when: "phone IS NOT NULL", points: 5}}
            engagement: {demo: {on: demo.booked, points: 30}, fresh: {on: demo.booked, where: "title IS NULL", points: 8, half_life: 14 days}}
            thresholds: {mql: {score: 75}}
        """

    private func merge(_ crm: TestKernel, _ gone: Int64, into kept: Int64) throws {
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
    }

    @Test func `the points of both are those of the one that stays, and a fit rule counts once`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        for email in ["ann@a.example", "ann@b.example"] {
            let lead = try crm.capture(["email": email, "title": "Head"])
            try crm.record("demo.booked", lead: lead)
        }
        try crm.pump()
        try merge(crm, 2, into: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, fit, engagement, score FROM scoring_scores") == ["1|20|60.0|80.0"])
        #expect(try crm.rows("SELECT DISTINCT lead_id FROM scoring_entries") == ["1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `together they reach what neither did alone`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        for email in ["ann@a.example", "ann@b.example"] {
            let lead = try crm.capture(["email": email, "title": "Head"])
            try crm.record("demo.booked", lead: lead)
        }
        try crm.pump()
        try merge(crm, 2, into: 1)
        try crm.pump()
        #expect(
            try crm.rows("SELECT to_stage, origin FROM stage_history WHERE lead_id = 1 ORDER BY event_id") == [
                "lead|cli", "mql|plugin:scoring",
            ])
    }

    @Test func `what the lead that stays takes over is weighed once`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.capture(["external_id": "7", "phone": "+49 30 1234567", "title": "Head"])
        try crm.pump()
        try merge(crm, 2, into: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, fit, score FROM scoring_scores") == ["1|25|25.0"])
        #expect(try crm.troubles() == [])
    }

    @Test func `points that decay go on decaying`() throws {
        let crm = try TestKernel(Self.rules, plugins: [Scoring.self])
        for email in ["ann@a.example", "ann@b.example"] {
            let lead = try crm.capture(["email": email])
            try crm.record("demo.booked", lead: lead)
            try crm.pump()
            crm.clock.advance(by: "14 days")
        }
        try merge(crm, 2, into: 1)
        try crm.pump()
        // One demo is two half-lives old and the other one: 30 + 30 that stay, 8 / 4 + 8 / 2.
        let scores = try crm.rows("SELECT lead_id, round(score, 6), decays FROM scoring_scores")
        #expect(scores == ["1|66.0|1"])
        #expect(try crm.value("SELECT stage FROM leads") == "lead")
    }
}
