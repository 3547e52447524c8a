import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisCommands

@Suite struct TraceCommandTests {
    @Test func `a tree is drawn with its branches, its events and the row that was asked for`() throws {
        let crm = try TestKernel()
        let lead = try crm.capture(["email": "ann@a.example"])
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO events (kind, lead_id, cause_id, origin, at) VALUES ('quiz.passed', 1, 1, 'cli', '2026-03-02 09:00:01.000'),
                        ('badge.given', 1, 2, 'cli', '2026-03-02 09:00:02.000'), ('quiz.failed', 1, 1, 'cli', '2026-03-02 09:00:03.000');
                    INSERT INTO outbox_messages (key, origin, lead_id, template, cause_id, ready_at, created_at)
                    VALUES ('a', 'cli', 1, 'hello', 2, '2026-03-02', '2026-03-02 09:00:01.000')
                    """)
        }
        #expect(
            try CauseTree(crm.kernel.trace("\(lead)")).lines == [
                "2026-03-02 09:00:00  came in as lead  (lead.created #1 by cli)",
                "├─ 2026-03-02 09:00:01  quiz passed  (quiz.passed #2 by cli)",
                "│  ├─ 2026-03-02 09:00:01  mail hello waits in the outbox  (mail:1)",
                "│  └─ 2026-03-02 09:00:02  badge given  (badge.given #3 by cli)",
                "└─ 2026-03-02 09:00:03  quiz failed  (quiz.failed #4 by cli)",
            ])
        #expect(
            try CauseTree(crm.kernel.trace("event:3")).lines == [
                "2026-03-02 09:00:00  came in as lead  (lead.created #1 by cli)",
                "└─ 2026-03-02 09:00:01  quiz passed  (quiz.passed #2 by cli)",
                "   └─ 2026-03-02 09:00:02  badge given  (badge.given #3 by cli)  ◀",
            ])
        let table = try CauseTree(crm.kernel.trace("mail:1")).table
        #expect(table.columns == ["event_id", "at", "kind", "body", "origin", "cause_id", "row", "depth", "says"])
        #expect(table.rows.map { $0[6] } == ["event:1", "event:2", "mail:1"])
        #expect(table.rows[2][5] == .integer(2) && table.rows[2][0] == .null)
    }
}
