import Foundation

/// The claim of a trial: the same questions to the same filters, and no mail is written for nobody.
extension Claim {
    /// Takes what may go, and settles it as sent in the same transaction, set-based.
    ///
    /// - Returns: how many messages went.
    func takeMutely() throws -> Int {
        let list = try dueList()
        try readFrontMatter(list)
        try expire(list, by: tx.stamp)
        try refuse(list)
        try holdPaused(list)
        let place = tx.place(ofZone: kernel.config.site.site.timezone)
        let pace = MailPace(settings: kernel.config.site.mail, place: place, tx: tx)
        if transport == "mail" { try pace.apply(to: list) }
        let ready = try permitted(list)
        let readyList = "[" + ready.map(String.init).joined(separator: ",") + "]"
        if transport == "mail" { try pace.note(list) }
        try settle(readyList)
        if try pace.isAnyDomainPaced { for id in ready { try tx.speedUp(domainOf: id) } }
        return ready.count
    }

    /// The messages that no filter stops and that a mail could be made of, in the order in which they go. Each is on
    /// its way before the filters are asked about the next: a cap counts it.
    private func permitted(_ list: String) throws -> [Int64] {
        try ready(of: list).compactMap { row in
            guard let message = try permitted(row) else { return nil }
            try tx.db.cachedStatement(
                sql: """
                    UPDATE outbox_messages SET state = 'sending', lease = ?, leased_at = ?, attempts = attempts + 1
                    WHERE id = ? AND state = 'waiting'
                    """
            ).execute(arguments: [lease, tx.stamp, message])
            return message
        }
    }

    private func permitted(_ row: Row) throws -> Int64? {
        let order = try MailRenderer.Order(row)
        guard let draft = try permitted(order) else { return nil }
        guard transport == "mail", (row["content"] as Data?) == nil else { return order.id }
        var final = order
        final.template = draft.template
        if let obstacle = try renderer.obstacle(
            to: final, values: draft.values, recipient: row["address"] ?? "", tx)
        {
            try hold(order.id, because: obstacle)
            return nil
        }
        return order.id
    }

    private func settle(_ list: String) throws {
        try tx.db.cachedStatement(sql: "DELETE FROM transport_stalls WHERE transport = ?").execute(arguments: [
            transport
        ])
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'sent', reason = NULL, lease = NULL, settled_at = :now
                WHERE id IN (SELECT value FROM json_each(:list)) AND lease = :lease
                """
        ).execute(arguments: ["now": tx.stamp, "list": list, "lease": lease])
        guard transport == "mail" else { return try tx.tellDelivery(of: list) }
        try tx.emit(
            "mail.sent",
            forEach: """
                SELECT lead_id, cause_id, json_object('mail', template, 'message_id', m.id) AS body
                FROM json_each(:list) AS listed JOIN outbox_messages AS m ON m.id = listed.value
                WHERE lead_id IS NOT NULL AND purpose <> 'internal' AND state = 'sent' ORDER BY listed.key
                """, arguments: ["list": list])
    }
}

extension MailRenderer {
    /// Why no mail could be made of an order, without making it; nil where one could. Notes what would be watched.
    func obstacle(to order: Order, values: [String: String], recipient: String, _ tx: Transaction) throws -> String? {
        do {
            let template = try parts(of: order, values: values, recipient: recipient).template
            try MailWatch(config: config).note(order, links: template.targets(values).count, tx)
            if !template.missing(values).isEmpty { _ = try template.rendered(values) }
            return nil
        } catch let problem where problem is Hold || problem is MailTemplateProblem || problem is MailProblem {
            return "\(problem)"
        }
    }
}
