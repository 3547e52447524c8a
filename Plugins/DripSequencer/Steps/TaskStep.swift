import Foundation
import TrellisKernel

/// A row in `drip_tasks` for each lead that comes to a task: something a person is to do.
struct TaskStep {
    let order: Operation.TaskOrder
    let cap: Rate?
    let tx: Transaction

    /// - Parameters:
    ///   - key: SQL over `drip_due` that gives the intent; a task that is there already is the same one.
    ///   - here: the condition on `drip_due` that finds the leads.
    func give(key: String, _ here: String) throws {
        let last = try Int64.fetchOne(tx.db, sql: "SELECT coalesce(max(id), 0) FROM drip_tasks") ?? 0
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO drip_tasks (key, lead_id, enrolment_id, sequence, kind, assignee, text_template, due_at, created_at)
                SELECT \(key), lead_id, id, sequence, :kind, :assignee, :text, \(due), :now FROM temp.drip_due WHERE \(here)
                ON CONFLICT (key) DO NOTHING
                """
        ).execute(arguments: [
            "kind": order.kind, "assignee": order.to == "owner" ? nil : order.to, "text": order.text, "now": tx.stamp,
        ])
        guard tx.db.changesCount > 0 else { return }
        try tx.emit(
            "task.created",
            forEach: """
                SELECT t.lead_id, e.event_id AS cause_id, json_object('task', t.id, 'task_kind', t.kind) AS body
                FROM drip_tasks AS t JOIN drip_enrolments AS e ON e.id = t.enrolment_id WHERE t.id > :last
                """, arguments: ["last": last])
    }

    /// Now and the time there is for it; where the lead has had as many as the cap allows, counted from the day on
    /// which there may be another.
    private var due: String {
        let plain = "strftime('%Y-%m-%d %H:%M:%f', :now, '+\(order.dueSeconds) seconds')"
        guard let cap else { return plain }
        return """
            coalesce((SELECT strftime('%Y-%m-%d %H:%M:%f', max(t.due_at, :now), '+\(cap.span.seconds) seconds') FROM drip_tasks AS t
                      WHERE t.lead_id = drip_due.lead_id AND t.state <> 'withdrawn'
                        AND t.due_at > strftime('%Y-%m-%d %H:%M:%f', :now, '-\(cap.span.seconds) seconds')
                      ORDER BY t.due_at DESC LIMIT 1 OFFSET \(cap.count - 1)), \(plain))
            """
    }
}
