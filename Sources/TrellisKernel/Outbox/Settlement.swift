import Foundation

/// Writes down how the delivery of one message went. Whoever lost the lease settles nothing.
struct Settlement {
    let message: Int64
    let lease: String
    let transport: String
    let tx: Transaction

    func apply(_ delivery: Delivery) throws {
        if case .stalled(let reason) = delivery { return try stall(because: reason) }
        try tx.db.cachedStatement(sql: "DELETE FROM transport_stalls WHERE transport = ?").execute(arguments: [
            transport
        ])
        switch delivery {
        case .sent:
            try tx.speedUp(domainOf: message)
            try settle("sent", because: nil, event: "mail.sent")
        case .refused(let reason): try refuse(.other, because: reason)
        case .blocked(let reason): try refuse(.blocked, because: reason)
        case .undeliverable(let reason):
            try refuse(.hard, because: reason)
            try suppress()
        case .unknown(let reason):
            if try !sendOnceMore(because: reason) { try settle("unknown", because: reason) }
        case .slower(let reason):
            try tx.slowDown(domainOf: message)
            try again(because: reason)
        case .retry(let reason): try again(because: reason)
        case .stalled: break
        }
    }

    /// What `class` of `mail.refused` says: that nobody has the address, that it was a policy, or neither.
    private enum Refusal: String {
        case hard, blocked, other
    }

    private func refuse(_ refusal: Refusal, because reason: String) throws {
        try settle("refused", because: reason, event: "mail.refused", refusal)
        guard refusal != .other else { return }
        try MarketingPause.beginIfBouncing(above: tx.kernel.config.site.mail.bouncePercentMax, after: message, tx)
    }

    private func settle(_ state: String, because reason: String?, event: String? = nil, _ refusal: Refusal? = nil)
        throws
    {
        try tx.db.cachedStatement(
            sql:
                "UPDATE outbox_messages SET state = ?, reason = ?, lease = NULL, settled_at = ? WHERE id = ? AND lease = ?"
        ).execute(arguments: [state, reason, tx.stamp, message, lease])
        guard let event, tx.db.changesCount == 1 else { return }
        if state == "sent", transport != "mail" { try tx.tellDelivery(of: "[\(message)]") }
        try tx.emit(
            event,
            forEach: """
                SELECT lead_id, cause_id, CASE WHEN :class IS NULL THEN json_object('mail', template, 'message_id', id)
                    ELSE json_object('mail', template, 'message_id', id, 'class', :class) END AS body
                FROM outbox_messages
                WHERE id = :message AND lead_id IS NOT NULL AND purpose <> 'internal' AND transport = 'mail'
                """, arguments: ["message": message, "class": refusal?.rawValue])
    }

    /// Somebody waits for a transactional mail, such as the link to confirm: twice is better than never. Once, after a
    /// while, with the same Message-ID, by which mail programs know the second for the first. False for all other mail.
    private func sendOnceMore(because reason: String) throws -> Bool {
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'waiting', lease = NULL, leased_at = NULL, ready_at = ?, resends = resends + 1,
                    reason = ? || ': it is sent once more'
                WHERE id = ? AND lease = ? AND \(RetrySchedule.isSentOnceMore)
                """
        ).execute(arguments: [Timestamp.text(tx.now + RetrySchedule.resendAfter), reason, message, lease])
        return tx.db.changesCount == 1
    }

    /// An address nobody has is never mailed again: a bounce, only sooner.
    private func suppress() throws {
        try tx.emit(
            "mail.bounced",
            forEach: """
                SELECT lead_id, cause_id, json_object('mail', template, 'message_id', id, 'class', 'hard') AS body FROM outbox_messages
                WHERE id = :message AND state = 'refused' AND settled_at = :settled AND lead_id IS NOT NULL AND purpose <> 'internal'
                """, arguments: ["message": message, "settled": tx.stamp])
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO suppressions (email, reason, origin, at)
                SELECT l.email, 'bounced', :origin, :now FROM outbox_messages AS m JOIN leads AS l ON l.id = m.lead_id
                WHERE m.id = :message AND m.state = 'refused' AND m.recipient IS NULL AND l.email IS NOT NULL
                ON CONFLICT DO NOTHING
                """
        ).execute(arguments: ["origin": tx.origin, "now": tx.stamp, "message": message])
    }

    private func again(because reason: String) throws {
        let attempts =
            try Int.fetchOne(
                tx.db.cachedStatement(sql: "SELECT attempts FROM outbox_messages WHERE id = ?"), arguments: [message])
            ?? 1
        if attempts >= RetrySchedule.attemptsMax { return try settle("failed", because: reason) }
        try wait(until: tx.now + RetrySchedule.wait(after: attempts, messageID: message), because: reason, attempts: 0)
    }

    /// The way out is closed: the message keeps its attempt, and the transport rests, each time a little longer.
    private func stall(because reason: String) throws {
        try wait(until: nil, because: nil, attempts: -1)
        // Connections that were under way together find the same closed door: that is one try.
        let tries = try Int.fetchOne(
            tx.db.cachedStatement(sql: "SELECT tries + (retry_at <= ?) FROM transport_stalls WHERE transport = ?"),
            arguments: [tx.stamp, transport])
        let retryAt = Timestamp.text(tx.now + RetrySchedule.rest(afterStalls: tries ?? 1))
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO transport_stalls (transport, reason, since, tries, retry_at) VALUES (:transport, :reason, :now, 1, :retry)
                ON CONFLICT (transport) DO UPDATE SET reason = excluded.reason, retry_at = excluded.retry_at,
                    tries = tries + (retry_at <= :now)
                """
        ).execute(arguments: ["transport": transport, "reason": reason, "now": tx.stamp, "retry": retryAt])
    }

    private func wait(until readyAt: Date?, because reason: String?, attempts: Int) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'waiting', lease = NULL, leased_at = NULL, ready_at = coalesce(?, ready_at),
                    reason = coalesce(?, reason), attempts = attempts + ?
                WHERE id = ? AND lease = ?
                """
        ).execute(arguments: [readyAt.map(Timestamp.text), reason, attempts, message, lease])
    }
}

extension Transaction {
    /// Says in the log that a webhook took what is about no lead: nothing else would tell whoever sent it.
    ///
    /// - Parameter list: the messages, as a JSON array.
    func tellDelivery(of list: String) throws {
        try emit(
            "webhook.delivered",
            forEach: """
                SELECT NULL AS lead_id, cause_id, json_object('webhook', recipient, 'type', template, 'message_id', m.id) AS body
                FROM json_each(:list) AS listed JOIN outbox_messages AS m ON m.id = listed.value
                WHERE m.transport = 'webhook' AND m.lead_id IS NULL AND m.state = 'sent' ORDER BY listed.key
                """, arguments: ["list": list])
    }
}
