/// Mail of a list, which a lead agrees to and leaves by itself.
extension Claim {
    /// Notes of which list each marketing mail is where its front matter says so, whatever its sequence says: read when
    /// it is claimed, so that an edit counts for what waits. A variant is of the list of its mail.
    func nameLists(_ list: String) throws {
        guard transport == "mail" else { return }
        let templates = try String.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT DISTINCT template FROM outbox_messages
                    WHERE id IN (SELECT value FROM json_each(?)) AND purpose = 'marketing' AND content IS NULL
                    """), arguments: [list])
        for name in templates {
            // One that cannot be read is said where it is rendered.
            guard let own = try? renderer.templates.named(name)?.list else { continue }
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
