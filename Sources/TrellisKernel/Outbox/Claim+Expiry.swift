import Foundation

/// Mail that is not worth sending any more: the webinar was yesterday.
extension Claim {
    /// Drops what could not be handed over in its time, whatever held it up, and says so in the log. It comes before
    /// the pace, so that it takes no turn of its domain from mail that is still wanted.
    func expire(_ list: String) throws {
        guard transport == "mail" else { return }
        try limit(list)
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'cancelled', settled_at = :now,
                    reason = 'it was worth sending until ' || substr(expires_at, 1, 16)
                WHERE id IN (SELECT value FROM json_each(:list)) AND state = 'waiting' AND expires_at <= :now
                """
        ).execute(arguments: ["now": tx.stamp, "list": list])
        guard tx.db.changesCount > 0 else { return }
        try tx.emit(
            "mail.expired",
            forEach: """
                SELECT lead_id, cause_id, json_object('mail', template, 'message_id', m.id) AS body
                FROM json_each(:list) AS listed JOIN outbox_messages AS m ON m.id = listed.value
                WHERE m.state = 'cancelled' AND m.expires_at <= :now AND m.lead_id IS NOT NULL AND m.purpose <> 'internal'
                ORDER BY listed.key
                """, arguments: ["list": list])
    }

    /// Where whoever ordered a mail set no limit, its front matter may: read when it is first asked for, so that an
    /// edit counts for what waits.
    private func limit(_ list: String) throws {
        let templates = try String.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT DISTINCT template FROM outbox_messages
                    WHERE id IN (SELECT value FROM json_each(?)) AND expires_at IS NULL AND content IS NULL
                    """), arguments: [list])
        for name in templates {
            // One that cannot be read is said where it is rendered.
            guard let within = try? renderer.templates.named(name)?.within else { continue }
            try tx.db.cachedStatement(
                sql: """
                    UPDATE outbox_messages SET expires_at = strftime('%Y-%m-%d %H:%M:%f', created_at, '+' || :seconds || ' seconds')
                    WHERE id IN (SELECT value FROM json_each(:list)) AND template = :template AND expires_at IS NULL
                    """
            ).execute(arguments: ["seconds": within.seconds, "list": list, "template": name])
        }
    }
}
