import Testing
import TrellisKernel
import TrellisTesting

@testable import DripSequencer

@Suite struct HookTasksTests {
    private static func yaml(_ send: String) -> String {
        """
        activities: {price.seen: {seconds: integer}}
        hooks:
          call-back: {on: price.seen, send: \(send)}
        plugins: {drip: {}}
        """
    }
    private static let call =
        "{task: {to: ada, kind: call, text: \"Ring {{first_name|them}}.\", due: 2 hours}, sql: \"SELECT lead_id, id AS event_id FROM batch\"}"

    private func crm(_ send: String = call) throws -> TestKernel {
        try TestKernel(Self.yaml(send), plugins: [DripSequencer.self])
    }

    @Test func `a row of a SELECT is something a person is to do, once for each event`() throws {
        let crm = try crm()
        let lead = try crm.capture(["email": "ann@a.example", "first_name": "Ann"])
        try crm.record("price.seen", lead: lead, ["seconds": "40"])
        try crm.pump()
        #expect(try crm.run("tasks") == ["1|call|ada|1|2026-03-02 11:00|Ring Ann."])
        #expect(
            try crm.rows(
                """
                SELECT e.kind, c.kind, e.body FROM events AS e JOIN events AS c ON c.id = e.cause_id WHERE e.kind = 'task.created'
                """) == [#"task.created|price.seen|{"task":1,"task_kind":"call"}"#])
        _ = try crm.run("tasks done", "1", options: ["outcome": "reached"])
        #expect(
            try crm.rows("SELECT kind, lead_id, cause_id FROM events WHERE kind = 'task.done'") == [
                "task.done|1|\(try crm.value("SELECT id FROM events WHERE kind = 'price.seen'") ?? "")"
            ])
        try crm.pump()
        #expect(try crm.rows("SELECT count(*) FROM drip_tasks") == ["1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a task is due when its row says, and is the owner's without a name`() throws {
        let crm = try crm(
            "{task: {text: Write}, sql: \"SELECT lead_id, datetime(event_at, '+3 days') AS due_at FROM batch_price_seen\"}"
        )
        let lead = try crm.capture(["email": "ann@a.example", "owner": "sam"])
        try crm.record("price.seen", lead: lead)
        try crm.pump()
        #expect(try crm.run("tasks") == ["1|call|sam|1|2026-03-05 09:00|Write"])
        #expect(
            try crm.kernel.trace("task:1").lines.map(\.node.says) == [
                "price seen", "a person is to do: call (open)", "task 1 was given: call",
            ])
    }

    @Test func `a task for a lead that is gone is withdrawn`() throws {
        let crm = try crm()
        let lead = try crm.capture(["email": "ann@a.example"])
        try crm.record("price.seen", lead: lead)
        try crm.pump()
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "DELETE FROM leads") }
        try crm.pump()
        #expect(try crm.rows("SELECT state FROM drip_tasks") == ["withdrawn"])
    }

    @Test(arguments: [
        ("{sql: SELECT lead_id FROM batch}", "send needs one of mail, webhook and task."),
        ("{mail: a, task: {text: x}, sql: SELECT lead_id FROM batch}", "send needs one of mail, webhook and task."),
        ("{task: {text: \"{{nickname}}\"}, sql: SELECT lead_id FROM batch}", "unknown variable {{nickname}}"),
        ("{task: {text: x}, sql: \"SELECT lead_id, 1 AS rank FROM batch\"}", "a task takes nothing from 'rank'."),
        ("{task: {kind: call}, sql: SELECT lead_id FROM batch}", "text"),
    ])
    func `a task that cannot be given is named in the check`(_ send: String, _ words: String) {
        #expect {
            _ = try crm(send)
        } throws: { "\($0)".contains(words) }
    }

    @Test func `without a plugin that keeps tasks the check says so`() {
        #expect {
            _ = try TestKernel(
                Self.yaml(Self.call).replacing("drip: {}", with: "drip: {enabled: false}"),
                plugins: [DripSequencer.self])
        } throws: {
            "\($0)".contains("no plugin that is on keeps tasks. Switch one on under plugins:, or send a mail.")
        }
    }
}
