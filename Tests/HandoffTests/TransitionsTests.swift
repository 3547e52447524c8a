import Foundation
import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// Every move of a handoff, whoever makes it, is a row and an event; what is no move is refused.
@Suite struct TransitionsTests {
    private func offered(_ more: String = "") throws -> TestKernel {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + more)
        try crm.qualified(1)
        return crm
    }

    @Test func `a statement in any SQLite client moves a handoff as an answer would`() async throws {
        let crm = try offered(", contact_within: 2 hours")
        let before = try crm.lastEvent
        try crm.foreign("UPDATE handoff_handoffs SET state = 'accepted' WHERE id = 1")
        #expect(try crm.events(after: before) == ["handoff.accepted"])
        try await crm.work()
        #expect(try crm.rows("SELECT stage FROM leads") == ["sal"])
        #expect(try crm.rows("SELECT contact_by IS NOT NULL, accepted_at IS NOT NULL FROM handoff_handoffs") == ["1|1"])
        try crm.foreign("UPDATE handoff_handoffs SET state = 'offered', rep = 'cy', route = 'by hand' WHERE id = 1")
        try await crm.work()
        #expect(try crm.rows("SELECT owner FROM leads") == ["cy"])
        #expect(crm.transport.sent.map(\.recipient) == ["ann@acme.example", "cy@acme.example"])
        #expect(
            try crm.rows("SELECT state, rep, offer, origin FROM handoff_transitions") == [
                "offered|ann|1|plugin:handoff", "accepted|ann|1|sql", "offered|cy|2|sql",
            ])
        #expect(
            try crm.rows("SELECT kind, body, cause_kind FROM lead_trace WHERE kind LIKE 'handoff.%'") == [
                #"handoff.offered|{"rep":"ann","cycle":1}|lead.created"#,
                #"handoff.accepted|{"rep":"ann","cycle":1}|lead.created"#,
                #"handoff.offered|{"rep":"cy","cycle":1,"offer":2}|lead.created"#,
            ])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [
        "UPDATE handoff_handoffs SET state = 'offered' WHERE state = 'converted'",
        "UPDATE handoff_handoffs SET state = 'accepted' WHERE state = 'queued'",
        "UPDATE handoff_handoffs SET rep = 'cy' WHERE state = 'converted'",
    ])
    func `a move that there is not is refused`(_ sql: String) throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: a@a.example, capacity: 1}}")
        try crm.qualified(2)
        try crm.run("handoff accept", "1")
        try crm.run("handoff convert", "1")
        let before = try crm.lastEvent
        #expect(throws: (any Error).self) { try crm.foreign(sql) }
        #expect(try crm.handoffs == ["1|1|ann|converted|", "2|1||queued|"])
        #expect(try crm.lastEvent == before)
    }

    @Test func `a lead whose owner was changed by hand in the handoff keeps no old link, clock or mail`() throws {
        let crm = try offered()
        try crm.foreign("UPDATE handoff_handoffs SET rep = 'ben' WHERE id = 1")
        #expect(try crm.rows("SELECT state, rep, offer FROM handoff_handoffs") == ["offered|ben|2"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the promises notice what does not fit`() throws {
        let crm = try offered(", accept_within: 1 hour")
        #expect(try crm.troubles() == [])
        try crm.foreign("DELETE FROM scheduled_events")
        #expect(try crm.troubles().map { $0.prefix { $0 != ":" } } == ["every clock that runs has its appointment"])
        try crm.foreign("DROP TRIGGER handoff_handoffs_log_update")
        try crm.foreign("UPDATE handoff_handoffs SET state = 'accepted'")
        #expect(try crm.troubles().map { $0.prefix { $0 != ":" } } == ["each handoff is where its last step left it"])
    }

    @Test func `a file from before is taken over with what was known`() throws {
        let folder = NSTemporaryDirectory() + "trellis-handoff-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clock = StoppedClock(at: "2026-03-02 09:00:00")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        do {
            let old = try TestKernel("", plugins: [], folder: folder, clock: clock)
            for name in ["one", "two", "three"] { try old.capture(["email": "\(name)@lead.example", "stage": "mql"]) }
            let first = try #require(Handoff.migrations.files.first)
            try old.kernel.write(origin: "test") { tx in
                try tx.db.execute(sql: first.sql)
                try tx.db.execute(
                    sql: "INSERT INTO migrations (id, sql, applied_at) VALUES (?, ?, ?)",
                    arguments: ["handoff/\(first.name)", first.sql, tx.stamp])
                try tx.db.execute(
                    sql: """
                        INSERT INTO handoff_handoffs (lead_id, cycle, rep, route, state, reason, event_id, offered_at, answered_at) VALUES
                        (1, 1, 'ann', 'route 1: round_robin', 'rejected', 'no budget', 1, '2026-02-01', '2026-02-02'),
                        (1, 2, 'ann', 'route 1: round_robin', 'accepted', NULL, 1, '2026-02-03', '2026-02-04'),
                        (2, 1, 'ben', 'route 1: round_robin', 'offered', NULL, 2, '2026-02-01', NULL),
                        (3, 1, NULL, 'queue', 'queued', NULL, 3, '2026-02-01', NULL)
                        """)
            }
            try old.kernel.close()
        }
        let crm = try TestKernel(
            "plugins: {handoff: {\(HandoffSite.threeReps)}}", plugins: [Handoff.self], folder: folder, clock: clock)
        #expect(
            try crm.handoffs == [
                "1|1|ann|rejected|no budget", "1|2|ann|accepted|", "2|1|ben|offered|", "3|1||queued|",
            ])
        #expect(
            try crm.rows("SELECT handoff_id, state, rep, reason, at FROM handoff_transitions ORDER BY id") == [
                "1|offered|ann||2026-02-01", "1|rejected|ann|no budget|2026-02-02", "2|offered|ann||2026-02-03",
                "2|accepted|ann||2026-02-04", "3|offered|ben||2026-02-01", "4|queued|||2026-02-01",
            ])
        #expect(
            try crm.rows("SELECT handoff_state, rep FROM lead_cards") == ["accepted|ann", "offered|ben", "queued|"])
        #expect(try crm.troubles() == [])
        try crm.run("handoff accept", "3")
        #expect(try crm.troubles() == [])
    }
}
