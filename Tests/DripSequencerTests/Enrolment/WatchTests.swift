import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// `enter: {when: …}`
@Suite struct WatchTests {
    private func crm(_ extra: String = "") throws -> TestKernel {
        try DripSite.crm("enter: {when: \"title = 'Head'\"}, \(extra)steps: [{mail: one}]")
    }

    @Test func `who becomes true enters once, whoever wrote the row`() throws {
        let crm = try crm()
        try crm.lead("ann@a.example", "Clerk")
        try crm.pump()
        try crm.lead("bob@a.example", "Head")
        try crm.pump()
        #expect(try crm.enrolments == ["2|1|completed|"])
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = 1")
        try crm.pump()
        try crm.foreign("UPDATE leads SET city = 'Kiel'")
        try crm.pump()
        #expect(try crm.enrolments == ["2|1|completed|", "1|1|completed|"])
        #expect(
            try crm.rows("SELECT cause_kind FROM lead_trace WHERE kind = 'drip.completed'") == [
                "lead.created", "lead.updated",
            ])
    }

    @Test func `who was true before the sequence was there is not mailed`() async throws {
        let crm = try DripSite.crm("enter: {on: course.started}, steps: [{mail: two}]")
        try crm.lead("ann@a.example", "Head")
        try crm.pump()
        let next = try crm.reopened(DripSite.yaml("enter: {when: \"title = 'Head'\"}, steps: [{mail: one}]"))
        try await Worker(next.kernel, transport: next.transport).runUntilIdle()
        try next.foreign("UPDATE leads SET city = 'Kiel'")
        try next.lead("bob@a.example", "Head")
        try next.pump()
        #expect(try next.enrolments == ["2|1|completed|"])
    }

    @Test func `a look that fails does not end the looking`() throws {
        let crm = try DripSite.crm(
            "enter: {when: \"EXISTS (SELECT 1 FROM signals WHERE lead = leads.id)\", recheck: 1 hour}, steps: [{mail: one}]",
            before: "migrations: migrations",
            files: ["migrations/0001_signals.sql": "CREATE TABLE signals (lead INTEGER PRIMARY KEY) STRICT;"])
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.foreign("ALTER TABLE signals RENAME TO signs")
        for _ in 0..<3 {
            crm.clock.advance(by: "1 hour")
            try crm.pump()
        }
        try crm.foreign("ALTER TABLE signs RENAME TO signals")
        try crm.foreign("INSERT INTO signals VALUES (1)")
        #expect(
            try crm.rows("SELECT due_at FROM scheduled_events WHERE kind = 'drip.recheck'") == [
                "2026-03-02 13:00:00.000"
            ])
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|completed|"])
    }

    @Test func `false and true again is another time, where one may come again`() throws {
        let crm = try crm("reentry: each time, ")
        try crm.lead("ann@a.example")
        try crm.pump()
        for title in ["Head", "Clerk", "Head", "Head"] {
            try crm.foreign("UPDATE leads SET title = '\(title)', city = '\(title) city'")
            try crm.pump()
        }
        #expect(try crm.enrolments == ["1|1|completed|", "1|2|completed|"])
    }

    @Test func `what depends on other tables or the clock is found at the next look at all`() throws {
        let crm = try DripSite.crm(
            "enter: {when: \"EXISTS (SELECT 1 FROM touches WHERE lead_id = leads.id AND kind = 'call')\", recheck: 1 hour}, steps: [{mail: one}]"
        )
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.foreign("INSERT INTO touches (lead_id, at, kind) VALUES (1, '2026-03-02 09:10:00.000', 'call')")
        try crm.pump()
        #expect(try crm.enrolments == [])
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|completed|"])
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|completed|"])
        #expect(try crm.rows("SELECT kind FROM scheduled_events") == ["drip.recheck"])
    }
}
