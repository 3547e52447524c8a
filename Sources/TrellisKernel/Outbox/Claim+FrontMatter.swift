/// What mails say of themselves above their text, before it is asked whether they may go.
extension Claim {
    /// Notes on what was not written yet until when it is worth sending, where whoever ordered it set no limit; and of
    /// which list a marketing mail is, whatever its sequence says. A variant is as its mail.
    ///
    /// It is read when a mail is claimed, so that what is added or changed counts for what waits. What a row was told
    /// stays where the mail says nothing any more.
    func readFrontMatter(_ list: String) throws {
        guard transport == "mail" else { return }
        let templates = try String.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT DISTINCT template FROM outbox_messages
                    WHERE id IN (SELECT value FROM json_each(?)) AND content IS NULL AND (expires_at IS NULL OR purpose = 'marketing')
                    """), arguments: [list])
        for name in templates {
            // One that cannot be read is said where it is rendered.
            guard let template = try? renderer.templates.named(name) else { continue }
            if let within = template.within {
                try tx.db.cachedStatement(
                    sql: """
                        UPDATE outbox_messages SET expires_at = strftime('%Y-%m-%d %H:%M:%f', created_at, '+' || :seconds || ' seconds')
                        WHERE id IN (SELECT value FROM json_each(:list)) AND template = :template AND content IS NULL AND expires_at IS NULL
                        """
                ).execute(arguments: ["seconds": within.seconds, "list": list, "template": name])
            }
            if let own = template.list {
                try tx.db.cachedStatement(
                    sql: """
                        UPDATE outbox_messages SET list = :own
                        WHERE id IN (SELECT value FROM json_each(:list)) AND template = :template AND purpose = 'marketing'
                          AND content IS NULL AND list IS NOT :own
                        """
                ).execute(arguments: ["own": own, "list": list, "template": name])
            }
        }
    }
}
