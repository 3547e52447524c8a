import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// Clocks that run follow the calendar of the rep, whoever changes it.
@Suite struct ReckoningTests {
    private static let clocks = """
        \(HandoffSite.threeReps), accept_within: 4 hours, remind_after: [2 hours], escalate_to: head@acme.example, return_after: 2 hours,
        contact_within: 8 hours, remind_contact_after: [4 hours], working_hours: {from: "09:00", to: "17:00"}
        """

    /// Monday at nine in the morning, UTC: ann has it.
    private func offered() async throws -> TestKernel {
        let crm = try HandoffSite.crm(Self.clocks)
        try crm.qualified(1)
        try await crm.work()
        return crm
    }

    private func steps(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT state, rep, substr(at, 6, 11) FROM handoff_transitions ORDER BY id")
    }

    private func appointments(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            """
            SELECT body ->> 'clock', substr(due_at, 6, 11) FROM scheduled_events WHERE kind = 'handoff.clock_due' ORDER BY due_at
            """)
    }

    @Test func `who is away with no end known is not waited for: the lead is escalated and goes on`() async throws {
        let crm = try await offered()
        try crm.run("handoff absent", "ann")
        try await crm.work()
        #expect(try appointments(crm) == ["remind 1|03-02 11:00", "accept|03-02 13:00"])
        for time in ["13:00", "15:00"] {
            crm.clock.set("2026-03-02 \(time):00")
            try await crm.work()
        }
        #expect(
            try steps(crm) == [
                "offered|ann|03-02 09:00", "escalated|ann|03-02 13:00", "expired|ann|03-02 15:00",
                "offered|ben|03-02 15:00",
            ])
        #expect(crm.transport.sent.map(\.recipient).contains("head@acme.example"))
        #expect(try crm.troubles() == [])
    }

    @Test func `who is back has the time they were away, and then the clock runs out`() async throws {
        let crm = try await offered()
        try crm.run("handoff absent", "ann")
        try crm.pump()
        crm.clock.set("2026-03-02 11:00:00")
        #expect(try crm.run("handoff present", "ann") == ["ann is back."])
        try await crm.work()
        #expect(try appointments(crm) == ["remind 1|03-02 13:00", "accept|03-02 15:00"])
        #expect(try crm.rows("SELECT accept_by FROM handoff_handoffs") == ["2026-03-02 15:00:00.000"])
        #expect(
            try crm.rows("SELECT accept_by, acceptance FROM handoff_sla") == ["2026-03-02 15:00:00.000|running"])
        // What was due while ann was away is not said yet.
        #expect(crm.transport.sent.map(\.subject) == ["New lead: l1@lead.example"])
        for time in ["13:00", "15:00", "17:00"] {
            crm.clock.set("2026-03-02 \(time):00")
            try await crm.work()
        }
        #expect(
            try steps(crm) == [
                "offered|ann|03-02 09:00", "escalated|ann|03-02 15:00", "expired|ann|03-02 17:00",
                "offered|ben|03-02 17:00",
            ])
        #expect(
            crm.transport.sent.map(\.subject) == [
                "New lead: l1@lead.example", "Still waiting: l1@lead.example",
                "Nobody has looked after l1@lead.example", "New lead: l1@lead.example",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `an absence that ends before its time gives its rest back`() async throws {
        let crm = try await offered()
        try crm.run("handoff absent", "ann", options: ["until": "2026-03-06"])
        try crm.pump()
        #expect(try appointments(crm) == ["remind 1|03-09 11:00", "accept|03-09 13:00"])
        crm.clock.set("2026-03-03 10:00:00")
        try crm.run("handoff present", "ann")
        try crm.pump()
        #expect(try appointments(crm) == ["remind 1|03-03 12:00", "accept|03-03 14:00"])
        #expect(try crm.rows("SELECT accept_by FROM handoff_handoffs") == ["2026-03-03 14:00:00.000"])
        #expect(try crm.troubles() == [])
        crm.clock.set("2026-03-03 14:00:00")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|escalated|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an absence that is cancelled before it begins takes nothing from the clock`() async throws {
        let crm = try await offered()
        try crm.run("handoff absent", "ann", options: ["from": "2026-03-02 12:00", "until": "2026-03-04"])
        try crm.pump()
        #expect(try appointments(crm) == ["remind 1|03-02 11:00", "accept|03-05 10:00"])
        try crm.run("handoff present", "ann")
        try crm.pump()
        #expect(try appointments(crm) == ["remind 1|03-02 11:00", "accept|03-02 13:00"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the clock of the contact follows as well`() async throws {
        let crm = try await offered()
        try crm.run("handoff accept", "1")
        try crm.run("handoff absent", "ann")
        try crm.pump()
        #expect(try crm.rows("SELECT contact_by FROM handoff_handoffs") == ["2026-03-02 17:00:00.000"])
        crm.clock.set("2026-03-02 10:00:00")
        try crm.run("handoff present", "ann")
        try crm.pump()
        #expect(
            try crm.rows("SELECT accept_by, contact_by FROM handoff_handoffs") == [
                "2026-03-02 13:00:00.000|2026-03-03 10:00:00.000"
            ])
        #expect(
            try crm.rows("SELECT accept_by, contact_by FROM handoff_sla") == [
                "2026-03-02 13:00:00.000|2026-03-03 10:00:00.000"
            ])
        #expect(try crm.troubles() == [])
        for time in ["2026-03-02 17:00:00", "2026-03-03 10:00:00", "2026-03-03 12:00:00"] {
            crm.clock.set(time)
            try crm.pump()
        }
        #expect(
            try steps(crm) == [
                "offered|ann|03-02 09:00", "accepted|ann|03-02 09:00", "escalated|ann|03-03 10:00",
                "expired|ann|03-03 12:00", "offered|ben|03-03 12:00",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `who comes back after the escalation has time before the lead is taken away`() async throws {
        let crm = try await offered()
        crm.clock.set("2026-03-02 12:00:00")
        try crm.run("handoff absent", "ann")
        crm.clock.set("2026-03-02 13:00:00")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|escalated|"])
        #expect(try appointments(crm) == ["return|03-02 15:00"])
        crm.clock.set("2026-03-02 14:00:00")
        try crm.run("handoff present", "ann")
        try crm.pump()
        #expect(try appointments(crm) == ["return|03-02 16:00"])
        crm.clock.set("2026-03-02 16:00:00")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ben|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `absences and holidays that are written in SQL move the clocks of those they are about`() async throws {
        let crm = try await offered()
        for (sql, due) in [
            ("INSERT INTO handoff_holidays (day) VALUES ('2026-03-02')", "03-03 13:00"),
            ("UPDATE handoff_holidays SET rep = 'ben'", "03-02 13:00"),
            ("DELETE FROM handoff_holidays", "03-02 13:00"),
            (
                "INSERT INTO handoff_absences (rep, starts_at, ends_at) VALUES ('ben', '2026-03-02 10:00', '2026-03-02 12:00')",
                "03-02 13:00"
            ),
            ("UPDATE handoff_absences SET rep = 'ann'", "03-02 15:00"),
            ("UPDATE handoff_absences SET ends_at = '2026-03-02 11:00'", "03-02 14:00"),
            ("DELETE FROM handoff_absences", "03-02 13:00"),
        ] {
            try crm.foreign(sql)
            try crm.pump()
            #expect(try crm.rows("SELECT substr(accept_by, 6, 11) FROM handoff_handoffs") == [due], "\(sql)")
            #expect(try appointments(crm).last == "accept|\(due)", "\(sql)")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `clocks of a file from before, which an absence with no end had stopped, run again`() async throws {
        let crm = try await offered()
        let migration = try #require(Handoff.migrations.files.first { $0.name.hasPrefix("0005") })
        try crm.kernel.write(origin: "test") { tx in
            let triggers = try String.fetchAll(
                tx.db, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'handoff_*_tell_*'")
            #expect(triggers.count == 6)
            for trigger in triggers { try tx.db.execute(sql: "DROP TRIGGER \(trigger)") }
            try tx.db.execute(
                sql: """
                    INSERT INTO handoff_absences (rep, starts_at) VALUES ('ann', '2026-03-02 09:00:00.000');
                    UPDATE handoff_handoffs SET accept_by = '2028-05-12 00:00:00.000';
                    UPDATE scheduled_events SET due_at = '2028-05-12 00:00:00.000', key = 'handoff:1:1:accept:2028-05-12 00:00:00.000'
                    WHERE body ->> 'clock' = 'accept';
                    """)
            try tx.db.execute(sql: migration.sql)
        }
        try crm.pump()
        #expect(try crm.rows("SELECT accept_by FROM handoff_handoffs") == ["2026-03-02 13:00:00.000"])
        #expect(try appointments(crm) == ["remind 1|03-02 11:00", "accept|03-02 13:00"])
        #expect(try crm.troubles() == [])
    }
}
