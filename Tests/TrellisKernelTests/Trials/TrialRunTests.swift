import Foundation
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

private struct Rung: Event { static let kind = "alarm.rung" }

/// Rings a day after a lead came, and a mail goes out; says when it was begun.
private struct Alarm: Plugin {
    static let name = "alarm"
    static let summary = "Rings a day later."
    static let migrations = MigrationFolder(
        owner: name,
        files: [MigrationFile(name: "0001_create_begins", sql: "CREATE TABLE alarm_begins (at TEXT) STRICT")])
    static let events = [EventDeclaration("alarm.rung")]
    static let mails = ["hello": "---\nsubject: Hello\npurpose: transactional\n---\nHello.\n"]

    init(settings: NoSettings) {}

    func begin(since _: Date?, _ tx: Transaction) throws {
        try tx.db.execute(sql: "INSERT INTO alarm_begins VALUES (?)", arguments: [tx.stamp])
    }

    var hooks: [any Hook] {
        Subscribe("set", to: LeadCreated.self, from: .firstEvent) { created, tx in
            try tx.emit(Rung(), lead: created.leadID, at: tx.now + 86_400)
        }
        Subscribe("ring", to: ["alarm.rung"], from: .firstEvent) { _, tx in
            try tx.send(
                .transactional,
                forEach: """
                    SELECT 'alarm' || lead_id AS key, lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, id AS cause_id
                    FROM batch
                    """)
        }
    }
}

@Suite struct TrialRunTests {
    /// A file with leads that came at nine, and at each further minute, and a copy of it.
    private struct Site {
        let crm: TestKernel
        let clock: TrialClock
        let trial: TrialCopy

        init(leads: Int = 1, before: (TestKernel) throws -> Void = { _ in }) throws {
            crm = try TestKernel("plugins: {alarm: {}}", plugins: [Alarm.self])
            for number in 1...leads {
                try crm.capture(["email": "ann\(number)@acme.example"])
                try crm.pump()
                crm.clock.advance(by: "1 minute")
            }
            try before(crm)
            clock = TrialClock(at: crm.clock.now)
            trial = try TrialCopy(
                of: crm.kernel.config.databasePath, config: crm.kernel.config, plugins: [Alarm.self],
                clock: clock.clock)
        }

        func rows(_ sql: String) throws -> [String] {
            try trial.kernel.read { try String.fetchAll($0, sql: sql) }
        }

        var sent: [String] {
            get throws { try rows("SELECT settled_at FROM outbox_messages WHERE state = 'sent' ORDER BY id") }
        }
    }

    @Test func `plugins are begun, and what is due now is done`() async throws {
        let site = try Site()
        let run = try TrialRun(site.trial.kernel, clock: site.clock)
        site.clock.advance(to: site.clock.now + 86_400)
        let done = try await run.runUntilIdle()
        #expect(done.messages == 1 && done.events > 0)
        #expect(try site.sent == ["2026-03-03 09:01:00.000"])
        #expect(try site.rows("SELECT at FROM alarm_begins") == ["2026-03-02 09:01:00.000"])
        try run.finish()
        #expect(try site.rows("SELECT ended_at FROM worker_runs") == ["2026-03-03 09:01:00.000"])
        #expect(try site.crm.rows("SELECT * FROM worker_runs") == [])
    }

    @Test func `time passes from one due moment to the next, up to the end`() async throws {
        let site = try Site(leads: 3)
        let run = try TrialRun(site.trial.kernel, clock: site.clock)
        let end = site.clock.now + 30 * 86_400
        #expect(try await run.run(until: end))
        #expect(site.clock.now == end)
        #expect(
            try site.sent == ["2026-03-03 09:00:00.000", "2026-03-03 09:01:00.000", "2026-03-03 09:02:00.000"])
        #expect(try site.crm.rows("SELECT * FROM outbox_messages") == [], "the file itself knows nothing of it")
    }

    @Test func `what comes due within a step is done together at its end`() async throws {
        let site = try Site(leads: 3)
        let run = try TrialRun(site.trial.kernel, clock: site.clock)
        let moments = Mutex<Set<Date>>([])
        try await run.run(until: site.clock.now + 86_400 * 2, step: 900) {
            moments.withLock { _ = $0.insert(site.clock.now) }
            return true
        }
        #expect(
            try site.sent == ["2026-03-03 09:00:00.000", "2026-03-03 09:15:00.000", "2026-03-03 09:15:00.000"])
        #expect(moments.withLock { $0.count } == 4, "the start, two steps and the end")
    }

    @Test func `it ends where it is told to, and says so`() async throws {
        let site = try Site(leads: 3)
        let run = try TrialRun(site.trial.kernel, clock: site.clock)
        let first = site.clock.now
        #expect(try await !run.run(until: first + 30 * 86_400) { site.clock.now == first })
        #expect(site.clock.now < first + 86_400)
    }

    @Test func `a jump of the clock that holds the file does not hold the trial`() async throws {
        let site = try Site { crm in
            try crm.foreign(
                "INSERT INTO clock_jumps (noticed_at, expected_at) VALUES ('2026-03-02 09:00:00', '2026-03-01 09:00:00')"
            )
        }
        let run = try TrialRun(site.trial.kernel, clock: site.clock)
        try await run.run(until: site.clock.now + 2 * 86_400)
        #expect(try site.sent.count == 1)
        #expect(try site.crm.rows("SELECT settled_by FROM clock_jumps") == [""])
    }
}
