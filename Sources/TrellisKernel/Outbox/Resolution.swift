extension Transaction {
    /// Decides about a message whose outcome nobody knows. False where it is not `unknown`. One that was called back
    /// meanwhile is cancelled and not sent again.
    public func resolveUnknown(_ message: Int64, resend: Bool) throws -> Bool {
        if resend {
            try db.execute(
                sql:
                    "UPDATE outbox_messages SET state = 'waiting', settled_at = NULL, ready_at = ?, reason = 'resent by hand' WHERE id = ? AND state = 'unknown'",
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
}
