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

    @Test func `a number alone is the least score`() throws {
        let crm = try TestKernel(
            Self.rules.replacing("mql: {score: 60, fit: 10}", with: "mql: 50"), plugins: [Scoring.self])
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example", "title": "Head"]) }
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try stages(crm) == ["lead", "mql"])
        #expect(try stages(crm, of: 2) == ["lead"])
        #expect(try crm.troubles() == [])
    }

    @Test func `hysteresis leaves room below a fit, in a rebuild too`() throws {
        let crm = try TestKernel(
            Self.rules.replacing("mql: {score: 60, fit: 10}", with: "mql: {fit: 20, hysteresis: 10}"),
            plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head"])
        try crm.pump()
        #expect(try stages(crm) == ["lead", "mql"])
        for (points, standings, fallen) in [("-10", ["mql|0"], "0"), ("-1", [], "1")] {
            _ = try crm.run("scoring add", "1", points, "a smaller house", options: ["axis": "fit", "by": "rita"])
            try crm.pump()
            for _ in 1...2 {
                #expect(try crm.rows("SELECT threshold, is_rearmed FROM scoring_standings") == standings)
                #expect(try crm.value("SELECT count(*) FROM events WHERE kind = 'score.fell'") == fallen)
                _ = try Rebuild(crm.kernel).run("scoring")
            }
        }
        #expect(try crm.troubles() == [])
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

/// A lead that takes in one that stood above a threshold.
@Suite struct InheritedStandingTests {
    private static let rules = """
        activities: {demo.booked: {}, page.viewed: {}, mail.bounced: {}}
        plugins:
          scoring:
            engagement:
              demo: {on: demo.booked, points: 50}
              viewed: {on: page.viewed, points: 15}
              bounced: {on: mail.bounced, points: -10}
            thresholds: {mql: {score: 45, hysteresis: 10}}
        """
    /// A model whose points decay is made anew in the order of the log, any other one lead by lead.
    private static let decaying = rules.replacing("points: 15", with: "points: 15, half_life: 10 days")

    /// Two leads; the first one booked a demo.
    private func crm(_ rules: String = rules) throws -> TestKernel {
        let crm = try TestKernel(rules, plugins: [Scoring.self])
        for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example"]) }
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        return crm
    }

    private func merge(_ crm: TestKernel, _ gone: Int64, into kept: Int64) throws {
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
        try crm.pump()
    }

    private func stages(_ crm: TestKernel) throws -> [String] { try crm.rows("SELECT id, stage FROM leads") }
    private func standings(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id, threshold, is_rearmed FROM scoring_standings ORDER BY 1, 2")
    }
    private func moves(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id, body FROM events WHERE kind = 'lead.stage_changed' ORDER BY id")
    }

    @Test(arguments: [rules, decaying])
    func `it comes over by the points of both`(_ rules: String) throws {
        let crm = try crm(rules)
        try merge(crm, 1, into: 2)
        let move = #"{"from":"lead","to":"mql"}"#
        for _ in 1...2 {
            #expect(try stages(crm) == ["2|mql"])
            #expect(try standings(crm) == ["2|mql|0"])
            #expect(try moves(crm) == ["1|\(move)", "2|\(move)"])
            _ = try Rebuild(crm.kernel).run("scoring")
        }
        try crm.record("demo.booked", lead: 2)
        try crm.pump()
        #expect(try stages(crm) == ["2|mql"])
        #expect(try moves(crm).count == 2)
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [rules, decaying])
    func `one that is at the stage already is told of once`(_ rules: String) throws {
        let crm = try crm(rules)
        try merge(crm, 2, into: 1)
        for _ in 1...2 {
            #expect(try stages(crm) == ["1|mql"])
            #expect(try standings(crm) == ["1|mql|0"])
            #expect(try moves(crm) == [#"1|{"from":"lead","to":"mql"}"#])
            _ = try Rebuild(crm.kernel).run("scoring")
        }
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try moves(crm).count == 1)
        #expect(try crm.troubles() == [])
    }

    /// The other one had fallen to 40 points: that is above what it must fall to, and below what is to be reached.
    @Test(arguments: [rules, decaying], [false, true])
    func `where both together are below it, the next points count`(_ rules: String, _ isRebuilt: Bool) throws {
        let crm = try crm(rules)
        try crm.record("mail.bounced", lead: 1)
        try crm.pump()
        #expect(try standings(crm) == ["1|mql|0"])
        try merge(crm, 1, into: 2)
        if isRebuilt { _ = try Rebuild(crm.kernel).run("scoring") }
        #expect(try stages(crm) == ["2|lead"])
        #expect(try standings(crm) == [])
        try crm.record("page.viewed", lead: 2)
        try crm.pump()
        #expect(try stages(crm) == ["2|mql"])
        #expect(try standings(crm) == ["2|mql|0"])
        #expect(try crm.rows("SELECT 1 FROM events WHERE kind = 'score.fell'") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `one beside the road stays there until it is brought back and earns points`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET stage = 'recycled' WHERE id = 2")
        try crm.pump()
        try merge(crm, 1, into: 2)
        #expect(try stages(crm) == ["2|recycled"])
        #expect(try standings(crm) == ["2|mql|0"])
        try crm.foreign("UPDATE leads SET stage = 'lead' WHERE id = 2")
        try crm.pump()
        #expect(try stages(crm) == ["2|lead"])
        #expect(try standings(crm) == ["2|mql|1"])
        try crm.record("page.viewed", lead: 2)
        try crm.pump()
        #expect(try stages(crm) == ["2|mql"])
        #expect(try crm.troubles() == [])
    }

    private static let withModel =
        rules + """

                models:
                  upsell:
                    engagement: {demo: {on: demo.booked, points: 50}, bounced: {on: mail.bounced, points: -20}}
                    thresholds: {hot: {score: 40}, ripe: {score: 40, stage: sql}}
            """
    private let told = """
        SELECT lead_id, json_extract(body, '$.threshold') FROM events WHERE kind IN ('score.reached', 'score.fell') ORDER BY id
        """

    @Test func `a threshold without a stage is not told again, neither now nor at a rebuild`() throws {
        let crm = try crm(Self.withModel)
        try merge(crm, 1, into: 2)
        for _ in 1...2 {
            #expect(try stages(crm) == ["2|sql"])
            #expect(try standings(crm) == ["2|hot|0", "2|mql|0", "2|ripe|0"])
            #expect(try crm.rows(told) == ["1|hot", "1|ripe", "2|ripe"])
            _ = try Rebuild(crm.kernel).run("scoring")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `that the other one fell before takes nothing from what is told`() throws {
        let crm = try crm(Self.withModel)
        try crm.record("demo.booked", lead: 2)
        try crm.pump()
        try crm.record("mail.bounced", lead: 1)
        try crm.pump()
        try merge(crm, 1, into: 2)
        for _ in 1...2 {
            #expect(try standings(crm) == ["2|hot|0", "2|mql|0", "2|ripe|0"])
            #expect(try crm.rows(told) == ["1|hot", "1|ripe", "2|hot", "2|ripe", "1|hot", "1|ripe"])
            _ = try Rebuild(crm.kernel).run("scoring")
        }
        #expect(try crm.troubles() == [])
    }
}
