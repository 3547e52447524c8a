/// Decides whether a mail is watched, and gives its links the addresses that tell of a click.
///
/// Only marketing mail is watched, and only with the lead's consent where the site asks for one. A link that is another
/// for each lead is never watched: it would be kept, and with it what it says about the lead.
struct MailWatch: Sendable {
    let config: Config

    /// What is watched of one mail.
    struct Outcome: Sendable, Equatable {
        /// What stands in place of each address.
        var links: [String: String] = [:]
        /// The address of the picture; nil where openings are not watched.
        var picture: String?
    }

    /// The last word of a lead about a purpose: NULL where they were never asked. Wants the tables `l` and :purpose.
    static let consentSQL =
        "SELECT c.state FROM consents AS c WHERE c.lead_id = l.id AND c.purpose = :purpose ORDER BY c.id DESC LIMIT 1"

    /// Keeps the addresses of the mail and notes on its row how it is watched.
    ///
    /// - Parameter targets: the addresses that are the same for every lead.
    func watch(_ order: MailRenderer.Order, targets: [String], _ tx: Transaction) throws -> Outcome {
        guard order.purpose == .marketing else { return Outcome() }
        var outcome = Outcome()
        if try isWatched(order, tx) {
            for url in targets {
                let hit = MailHit(messageID: order.id, linkID: try id(of: url, tx))
                outcome.links[url] = try hit.url(config)
            }
            if config.site.mail.tracking == .clicksAndOpens {
                outcome.picture = try MailHit(messageID: order.id, linkID: nil).url(config)
            }
        }
        try note(order, links: outcome.links.count, opens: outcome.picture != nil, tx)
        return outcome
    }

    /// Notes on the row of a mail how it would be watched, without addresses for it.
    ///
    /// - Parameter links: how many addresses in it are the same for every lead.
    func note(_ order: MailRenderer.Order, links: Int, _ tx: Transaction) throws {
        guard order.purpose == .marketing else { return }
        let isWatched = try isWatched(order, tx)
        let opens = isWatched && config.site.mail.tracking == .clicksAndOpens
        try note(order, links: isWatched ? links : 0, opens: opens, tx)
    }

    /// A mail that was held may be watched in another way when it is made again.
    private func note(_ order: MailRenderer.Order, links: Int, opens: Bool, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET links_watched = :links, opens_watched = :opens
                WHERE id = :id AND (links_watched, opens_watched) IS NOT (:links, :opens)
                """
        ).execute(arguments: ["links": links, "opens": opens, "id": order.id])
    }

    private func isWatched(_ order: MailRenderer.Order, _ tx: Transaction) throws -> Bool {
        guard let leadID = order.leadID, config.site.mail.tracking != .none else { return false }
        guard let purpose = config.site.mail.trackingConsent else { return true }
        let state = try String.fetchOne(
            tx.db.cachedStatement(sql: "SELECT (\(MailWatch.consentSQL)) FROM leads AS l WHERE l.id = :lead"),
            arguments: ["purpose": purpose, "lead": leadID])
        return state == "granted"
    }

    private func id(of url: String, _ tx: Transaction) throws -> Int64 {
        let known = try Int64.fetchOne(
            tx.db.cachedStatement(sql: "SELECT id FROM mail_links WHERE url = ?"), arguments: [url])
        if let known { return known }
        try tx.db.cachedStatement(sql: "INSERT INTO mail_links (url) VALUES (?)").execute(arguments: [url])
        return tx.db.lastInsertedRowID
    }
}
