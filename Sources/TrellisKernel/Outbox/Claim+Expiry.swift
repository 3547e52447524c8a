import Foundation

/// Mail that is not worth sending any more: the webinar was yesterday.
extension Claim {
    /// Drops what could not be handed over in its time, whatever held it up, and says so in the log. It comes before
    /// the pace, so that it takes no turn of its domain from mail that is still wanted.
    ///
    /// - Parameter moment: what is not worth sending by then: now, or when it could go next.
    /// - Returns: whether any was dropped.
    @discardableResult
    func expire(_ list: String, by moment: String) throws -> Bool {
        guard transport == "mail" else { return false }
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'cancelled', settled_at = :now,
                    reason = 'it was worth sending until ' || substr(expires_at, 1, 16)
                WHERE id IN (SELECT value FROM json_each(:list)) AND state = 'waiting' AND expires_at <= :by
                """
        ).execute(arguments: ["now": tx.stamp, "list": list, "by": moment])
        guard tx.db.changesCount > 0 else { return false }
        try tx.emit(
            "mail.expired",
            forEach: """
                SELECT lead_id, cause_id, json_object('mail', template, 'message_id', m.id) AS body
                FROM json_each(:list) AS listed JOIN outbox_messages AS m ON m.id = listed.value
                WHERE m.state = 'cancelled' AND m.expires_at <= :by AND m.lead_id IS NOT NULL AND m.purpose <> 'internal'
                ORDER BY listed.key
                """, arguments: ["list": list, "by": moment])
        return true
    }
}
