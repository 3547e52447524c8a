import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// `scoring.models`: other scores beside the one that moves the stages.
@Suite struct ModelsTests {
    private static let main = """
        activities: {demo.booked: {}, seat.added: {}, page.viewed: {}}
        plugins:
          scoring:
            fit: {head: {when: "title = 'Head'", points: 20}}
            engagement: {demo: {on: demo.booked, points: 40}}
            thresholds: {mql: {score: 60}}
        """

    /// What an account may still buy, and how much a lead wears out.
    private static let beside = """

            models:
              upsell:
                fit: {german: {when: "country = 'DE'", points: 5}}
                engagement:
                  seats: {on: seat.added, points: 10, half_life: 10 days, at_most: 3 per week}
                  demo: {on: demo.booked, points: 2}
                grades: {A: 5, B: 0}
                thresholds:
                  hot: {score: 20, hysteresis: 5}
                  ripe: {score: 12, stage: sql}
              fatigue:
                engagement: {viewed: {on: page.viewed, points: -3}}
                thresholds: {worn: {when: "country = 'FR'", score: -6}}
        """
    private static let rules = main + beside

    private func crm(_ yaml: String = rules) throws -> TestKernel {
        let crm = try TestKernel(yaml, plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "title": "Head", "country": "DE"])
        try crm.capture(["email": "bob@a.example", "title": "Clerk", "country": "FR"])
        try crm.pump()
        return crm
    }

    /// As a worker does that starts, and ends when nothing is due.
    private func work(_ crm: TestKernel) async throws {
        let worker = try Worker(crm.kernel, transports: [crm.transport])
        try await worker.runUntilIdle()
        try worker.finish()
    }

    private static let scores = "SELECT model, lead_id, fit, engagement, score, grade FROM scoring_models ORDER BY 1, 2"

    @Test func `each has its rules and its ledger, and the score people know is the main one`() async throws {
        let crm = try crm()
        try crm.record("seat.added", lead: 1)
        try crm.record("demo.booked", lead: 1)
        try crm.record("page.viewed", lead: 2)
        try await work(crm)
        let scores = try crm.rows(Self.scores)
        #expect(
            scores == [
                "fatigue|2|0|-3.0|-3.0|", "main|1|20|40.0|60.0|", "upsell|1|5|12.0|17.0|A",
            ])
        #expect(try crm.rows("SELECT lead_id, fit, engagement, score FROM scoring_scores") == ["1|20|40.0|60.0"])
        #expect(
            try crm.rows("SELECT lead_id, rule, points FROM scoring_entries ORDER BY id") == ["1|head|20", "1|demo|40"])
        #expect(try crm.rows("SELECT lead_id, score, grade FROM scoring_current") == ["1|60.0|"])
        #expect(try crm.rows("SELECT id, score FROM lead_cards ORDER BY id") == ["1|60.0", "2|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `reaching a threshold is told, and moves the stage where it names one`() throws {
        let crm = try crm()
        for _ in 1...2 { try crm.record("seat.added", lead: 1) }
        try crm.pump()
        #expect(
            try crm.rows(
                "SELECT lead_id, body, cause_id IS NOT NULL FROM events WHERE kind = 'score.reached' ORDER BY id") == [
                    #"1|{"threshold":"hot","model":"upsell"}|1"#, #"1|{"threshold":"ripe","model":"upsell"}|1"#,
                ])
        #expect(try crm.rows("SELECT stage FROM leads ORDER BY id") == ["sql", "lead"])
        #expect(
            try crm.rows("SELECT model, threshold FROM scoring_standings ORDER BY 1, 2") == [
                "upsell|hot", "upsell|ripe",
            ])
    }

    @Test func `a rule of the same name counts in each by its own cap, and time takes points of one alone`() throws {
        let crm = try crm()
        for _ in 1...5 { try crm.record("seat.added", lead: 1) }
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT score FROM scoring_models WHERE lead_id = 1 ORDER BY model") == ["60.0", "37.0"])
        crm.clock.advance(by: "40 days")
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, body FROM events WHERE kind = 'score.fell' ORDER BY id") == [
                #"1|{"threshold":"hot","model":"upsell"}"#, #"1|{"threshold":"ripe","model":"upsell"}"#,
            ])
        #expect(
            crm.kernel.sentence(of: "score.fell", body: #"{"threshold":"hot","model":"upsell"}"#)
                == "fell below the threshold hot of upsell")
        #expect(try crm.rows("SELECT model, threshold FROM scoring_standings") == ["main|mql"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a model that comes later reads the log from the start, and the others are as they were`() throws {
        let early = try crm(Self.main)
        for _ in 1...2 { try early.record("seat.added", lead: 1) }
        try early.record("demo.booked", lead: 1)
        try early.pump()
        let entries = try early.rows("SELECT * FROM scoring_entries")
        let moves = "SELECT lead_id, body FROM events WHERE kind = 'lead.stage_changed' AND origin = 'plugin:scoring'"
        #expect(try early.rows(moves) == [#"1|{"from":"lead","to":"mql"}"#])
        let later = try early.reopened(Self.rules)
        try later.pump()
        #expect(try later.rows("SELECT * FROM scoring_entries") == entries)
        #expect(try later.rows("SELECT lead_id, score FROM scoring_models WHERE model = 'upsell'") == ["1|27.0"])
        #expect(
            try later.rows(
                "SELECT json_extract(body, '$.threshold') FROM events WHERE kind = 'score.reached' ORDER BY id")
                == ["hot", "ripe"])
        #expect(try later.troubles() == [])
    }

    @Test func `a replay gives the same rows and tells nobody twice`() throws {
        let crm = try crm()
        for _ in 1...2 { try crm.record("seat.added", lead: 1) }
        for _ in 1...2 { try crm.record("page.viewed", lead: 2) }
        try crm.pump()
        let facts =
            "SELECT kind, lead_id, body FROM events WHERE kind LIKE 'score.%' OR kind = 'lead.stage_changed' ORDER BY id"
        let (scores, told) = (try crm.rows(Self.scores), try crm.rows(facts))
        let standings = try crm.rows("SELECT * FROM scoring_standings")
        for _ in 1...2 {
            _ = try Rebuild(crm.kernel).run("scoring")
            #expect(try crm.rows(Self.scores) == scores)
            #expect(try crm.rows(facts) == told)
            #expect(try crm.rows("SELECT * FROM scoring_standings") == standings)
        }
        #expect(
            try crm.rows("SELECT model, settled_through FROM scoring_clocks WHERE settled_through IS NOT NULL") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `who reaches it by rules that were changed is told of at the replay, once`() throws {
        let crm = try crm()
        try crm.record("seat.added", lead: 1)
        try crm.pump()
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'score.reached'") == [
                #"{"threshold":"ripe","model":"upsell"}"#
            ])
        let eased = try crm.reopened(Self.rules.replacing("hot: {score: 20", with: "hot: {score: 14"))
        for _ in 1...2 {
            _ = try Rebuild(eased.kernel).run("scoring")
            #expect(
                try eased.rows(
                    "SELECT json_extract(body, '$.threshold') FROM events WHERE kind = 'score.reached' ORDER BY id")
                    == ["ripe", "hot"])
        }
    }

    @Test func `a lead that was given back may reach the stage of a model once more`() throws {
        let crm = try crm()
        try crm.record("seat.added", lead: 1)
        try crm.pump()
        for stage in ["recycled", "lead"] {
            try crm.kernel.write(origin: "cli") {
                try $0.db.execute(sql: "UPDATE leads SET stage = '\(stage)' WHERE id = 1")
            }
            try crm.pump()
        }
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads WHERE id = 1") == ["sql"])
        #expect(try crm.rows("SELECT count(*) FROM events WHERE kind = 'score.reached'") == ["2"])
    }

    @Test func `leads that become one have the points of both in each`() throws {
        let crm = try crm()
        try crm.record("seat.added", lead: 1)
        try crm.record("seat.added", lead: 2)
        try crm.record("demo.booked", lead: 2)
        try crm.pump()
        try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        try crm.pump()
        #expect(
            try crm.rows("SELECT model, lead_id, score FROM scoring_models ORDER BY 1") == [
                "main|1|60.0", "upsell|1|27.0",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `points by hand are of the model that is named`() throws {
        let crm = try crm()
        #expect(
            try crm.run("scoring add", "1", "7", "asked for ten seats", options: ["by": "rita", "model": "upsell"])
                == ["Lead 1: +7 engagement of upsell, counted when the worker comes by."])
        try crm.pump()
        #expect(
            try crm.rows("SELECT model, score FROM scoring_models WHERE lead_id = 1") == ["main|20.0", "upsell|12.0"])
        let rows = try crm.run("scoring explain", "1", options: ["model": "upsell"])
        #expect(rows.contains { $0.contains("(by hand)|engagement|7") && $0.contains("rita: asked for ten seats") })
        #expect(rows.last == "12 (fit 5, engagement 7): (by hand) +7, german +5")
        #expect(throws: KernelError.self) { try crm.run("scoring explain", "1", options: ["model": "upsel"]) }
        #expect(throws: KernelError.self) { try crm.run("scoring backtest", options: ["model": "none"]) }
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(
            try crm.rows("SELECT model, score FROM scoring_models WHERE lead_id = 1") == ["main|20.0", "upsell|12.0"])
    }

    @Test func `the card and the table of rules name the model`() throws {
        let crm = try crm()
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        let card = try crm.kernel.ask(LeadCard(leadID: 1)).flatMap { $0 }.map { "\($0.label): \($0.text)" }
        #expect(
            card == [
                "score: 60 (fit 20, engagement 40): demo +40, head +20",
                "score upsell: 7 (fit 5, engagement 2): german +5, demo +2",
            ])
        #expect(
            try crm.run("scoring") == [
                "fit|head|1|1|20|main", "engagement|demo|1|1|40|main", "fit|german|1|1|5|upsell",
                "engagement|demo|1|1|2|upsell",
            ])
    }

    @Test func `a model that leaves the config goes with its rows, and reads the log anew where it comes back`()
        async throws
    {
        let crm = try crm()
        try crm.record("seat.added", lead: 1)
        try await work(crm)
        let scores = try crm.rows("SELECT lead_id, score FROM scoring_models WHERE model = 'upsell'")
        let without = try crm.reopened(Self.main)
        try without.record("demo.booked", lead: 1)
        try await work(without)
        #expect(try without.rows("SELECT DISTINCT model FROM scoring_ledger") == ["main"])
        #expect(try without.rows("SELECT DISTINCT model FROM scoring_models") == ["main"])
        #expect(try without.rows("SELECT id FROM subscribers WHERE id GLOB 'scoring/*'") == ["scoring/score"])
        #expect(try without.rows("SELECT score FROM scoring_scores") == ["60.0"])
        #expect(try without.troubles() == [])
        let back = try without.reopened(Self.rules)
        try await work(back)
        #expect(scores == ["1|15.0"])
        #expect(try back.rows("SELECT lead_id, score FROM scoring_models WHERE model = 'upsell'") == ["1|17.0"])
        #expect(try back.troubles() == [])
    }

    @Test func `scores that are made anew without a model keep nobody waiting`() throws {
        let crm = try crm()
        let without = try crm.reopened(Self.main)
        _ = try Rebuild(without.kernel).run("scoring")
        #expect(try without.rows("SELECT DISTINCT model FROM scoring_models") == ["main"])
        #expect(try without.rows("SELECT id FROM subscribers WHERE last_event_id < anew_through") == [])
    }

    @Test(arguments: [
        ("main: {}", "is the model whose rules stand under scoring: itself"),
        ("Up sell: {}", "a model is named by up to 40 small letters"),
        ("upsell: {thresholds: {hot: on_create}}", "on_create moves a lead to a stage"),
        ("upsell: {thresholds: {hot: {score: 5, stage: customr}}}", "customr"),
        ("upsell: {engagement: {x: {on: seat.aded, points: 1}}}", "seat.aded"),
        ("upsell: {engagement: {x: {on: seat.added, points: 1, group: web}}}", "there is no group 'web'"),
        ("upsell: {models: {}}", "unknown key 'models'"),
    ])
    func `what does not fit is refused with its place`(_ model: String, _ sentence: String) throws {
        do {
            _ = try TestKernel(Self.main + "\n    models: {\(model)}", plugins: [Scoring.self])
            Issue.record("It was taken.")
        } catch let problems as ConfigProblems {
            #expect(problems.problems.contains { $0.description.contains(sentence) }, "\(problems)")
            #expect(problems.problems.allSatisfy { $0.place.line > 0 })
        }
    }

    @Test func `a threshold of main is named after its stage and takes no other`() throws {
        #expect(throws: ConfigProblems.self) {
            _ = try TestKernel(
                Self.main.replacing("{score: 60}", with: "{score: 60, stage: sql}"), plugins: [Scoring.self])
        }
    }
}
