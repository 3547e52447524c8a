import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// Thresholds that time, or another table, may take a lead over.
@Suite struct RechecksTests {
    private func crm(_ thresholds: String) throws -> TestKernel {
        let crm = try TestKernel(
            "leads: {fields: {trial_ends_on: date}}\nactivities: {demo.booked: {}}\nplugins: {scoring: {engagement: {demo: {on: demo.booked, points: 30}}, thresholds: {\(thresholds)}}}",
            plugins: [Scoring.self])
        try crm.kernel.write(origin: "kernel") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
        return crm
    }

    private func stages(_ crm: TestKernel) throws -> [String] { try crm.rows("SELECT stage FROM leads ORDER BY id") }

    @Test func `a predicate over the clock is asked every hour, and a lead moves when it comes true`() throws {
        let crm = try crm(
            "mql: {when: \"trial_ends_on < date('now')\"}, sal: {score: 30, when: \"trial_ends_on < date('now')\"}")
        for (name, day) in [("ann", "2026-03-02"), ("bob", "2026-03-01"), ("cleo", "2026-04-01")] {
            try crm.capture(["email": "\(name)@a.example", "trial_ends_on": day])
        }
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try stages(crm) == ["lead", "mql", "lead"])
        for _ in 1...16 {
            crm.clock.advance(by: "1 hour")
            try crm.pump()
        }
        #expect(try stages(crm) == ["sal", "mql", "lead"])
        #expect(try crm.rows("SELECT due_at FROM scheduled_events") == ["2026-03-03 02:00:00.000"])
        // And falls when it is true no more.
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET trial_ends_on = '2026-05-01' WHERE id = 2")
        }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM events WHERE kind = 'score.fell'") == ["2"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a replay asks the clock once, at its end`() throws {
        let crm = try crm("mql: {when: \"trial_ends_on < date('now')\"}")
        try crm.capture(["email": "ann@a.example", "trial_ends_on": "2026-03-02"])
        for _ in 1...20 {
            crm.clock.advance(by: "1 hour")
            try crm.pump()
        }
        let before = try crm.rows("SELECT lead_id, threshold FROM scoring_standings")
        #expect(before == ["1|mql"])
        _ = try Rebuild(crm.kernel).run("scoring")
        #expect(try crm.rows("SELECT lead_id, threshold FROM scoring_standings") == before)
        #expect(try crm.troubles() == [])
    }

    @Test func `a change of the account is one of its leads`() throws {
        let crm = try crm(
            "mql: {when: \"(SELECT employees FROM accounts WHERE accounts.id = account_id) > 500\"}")
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "INSERT INTO accounts (name, domain, employees) VALUES ('Corp', 'corp.example', 20)")
        }
        for email in ["ann@corp.example", "bob@corp.example", "cleo@other.example"] {
            try crm.capture(["email": email])
        }
        try crm.pump()
        #expect(try stages(crm) == ["lead", "lead", "lead"])
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "UPDATE accounts SET employees = 501") }
        try crm.pump()
        #expect(try stages(crm) == ["mql", "mql", "lead"])
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "UPDATE accounts SET employees = 5") }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM events WHERE kind = 'score.fell'") == ["1", "2"])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [
        ("trial_ends_on < date('now')", true), ("trial_ends_on < CURRENT_DATE", true),
        ("julianday() - julianday(created_at) > 3", true), ("title = 'Knowing'", false),
        ("country = 'DE'", false), ("updated_at > created_at", false),
    ])
    func `what asks the clock is told from what does not`(_ when: String, _ asks: Bool) {
        var threshold = ScoringModel.Threshold()
        threshold.when = Located(when)
        #expect(threshold.asksClock == asks)
    }
}
