import TrellisKernel

/// Tasks that hooks of the config give, beside those of sequences: in the same list, closed by the same commands.
enum HookTasks {
    static let desk = TaskDesk(table: "drip_tasks") { order, select, tx in
        let last = try Int64.fetchOne(tx.db, sql: "SELECT coalesce(max(id), 0) FROM drip_tasks") ?? 0
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO drip_tasks (key, lead_id, enrolment_id, sequence, kind, assignee, text_template, due_at, created_at, event_id)
                SELECT o.key, o.lead_id, 0, :origin, :kind, :assignee, :text,
                       coalesce(o.due_at, strftime('%Y-%m-%d %H:%M:%f', :now, '+\(order.due.seconds) seconds')), :now, o.cause_id
                FROM (\(select)) AS o WHERE EXISTS (SELECT 1 FROM leads WHERE id = o.lead_id)
                ON CONFLICT (key) DO NOTHING
                """
        ).execute(arguments: [
            "origin": order.origin, "kind": order.kind, "assignee": order.assignee, "text": order.text,
            "now": tx.stamp,
        ])
        guard tx.db.changesCount > 0 else { return }
        try tx.emit(
            "task.created",
            forEach: """
                SELECT lead_id, event_id AS cause_id, json_object('task', id, 'task_kind', kind) AS body FROM drip_tasks WHERE id > :last
                """, arguments: ["last": last])
    }

    /// Withdraws what was to be done for leads that are gone.
    static func endForLostLeads(_ tx: Transaction) throws {
        let kinds = Departure.lostKinds.map(\.sqlLiteral).joined(separator: ", ")
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_tasks SET state = 'withdrawn', closed_at = ?
                WHERE state = 'open' AND enrolment_id = 0 AND lead_id IN (SELECT lead_id FROM batch WHERE kind IN (\(kinds)))
                """
        ).execute(arguments: [tx.stamp])
    }
}
