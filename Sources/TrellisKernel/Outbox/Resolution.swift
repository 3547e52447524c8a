import Foundation

extension Transaction {
    /// Decides about a message whose outcome nobody knows. False where it is not `unknown`. One that was called back
    /// meanwhile is cancelled and not sent again.
    public func resolveUnknown(_ message: Int64, resend: Bool) throws -> Bool {
        if resend {
            try db.execute(
                sql: """
                    UPDATE outbox_messages SET state = 'waiting', settled_at = NULL, ready_at = ?, resends = resends + 1,
                        reason = 'resent by hand'
                    WHERE id = ? AND state = 'unknown'
                    """,
                arguments: [stamp, message])
            return db.changesCount == 1
        }
        try db.execute(
            sql:
                "UPDATE outbox_messages SET state = 'sent', reason = 'taken for sent by hand' WHERE id = ? AND state = 'unknown'",
            arguments: [message])
        guard db.changesCount == 1 else { return false }
        try emit(
            "mail.sent",
            forEach: """
                SELECT lead_id, cause_id, json_object('mail', template, 'message_id', id) AS body FROM outbox_messages
                WHERE id = :message AND lead_id IS NOT NULL AND purpose <> 'internal'
                """, arguments: ["message": message])
        return true
    }

    /// Decides about all messages whose outcome nobody knows, in one go.
    ///
    /// - Parameters:
    ///   - template: only those made from this mail; nil for any.
    ///   - until: only those that have been unknown since this moment or longer; nil for all.
    /// - Returns: how many were decided about, and how many of them are cancelled because they were called back.
    public func resolveAllUnknown(resend: Bool, template: String? = nil, until: Date? = nil) throws -> (
        decided: Int, cancelled: Int
    ) {
        try scratchTable("resolved_messages", columns: "id INTEGER PRIMARY KEY")
        try db.execute(
            sql: """
                INSERT INTO temp.resolved_messages SELECT id FROM outbox_messages
                WHERE state = 'unknown' AND (:template IS NULL OR template = :template) AND (:until IS NULL OR settled_at <= :until)
                """, arguments: ["template": template, "until": until.map(Timestamp.text)])
        let decided = db.changesCount
        let isOfThem = "id IN (SELECT id FROM temp.resolved_messages)"
        guard decided > 0 else { return (0, 0) }
        if resend {
            try db.execute(
                sql: """
                    UPDATE outbox_messages SET state = 'waiting', settled_at = NULL, ready_at = :now, resends = resends + 1,
                        reason = 'resent by hand'
                    WHERE \(isOfThem)
                    """, arguments: ["now": stamp])
            let cancelled = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM outbox_messages WHERE \(isOfThem) AND state = 'cancelled'")
            return (decided, cancelled ?? 0)
        }
        try db.execute(
            sql: "UPDATE outbox_messages SET state = 'sent', reason = 'taken for sent by hand' WHERE \(isOfThem)")
        try emit(
            "mail.sent",
            forEach: """
                SELECT lead_id, cause_id, json_object('mail', template, 'message_id', id) AS body FROM outbox_messages
                WHERE \(isOfThem) AND transport = 'mail' AND lead_id IS NOT NULL AND purpose <> 'internal' ORDER BY id
                """)
        return (decided, 0)
    }
}
