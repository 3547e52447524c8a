import Foundation

/// Carries messages from the outbox to a transport.
///
/// A message is claimed in one transaction, which asks again whether the lead may be mailed, renders it from the lead
/// as it is now, and keeps the bytes. Then the network, outside any transaction. Then each outcome is settled by
/// whoever holds the lease. Nothing is sent twice without a row that says so.
public final class Courier {
    private let kernel: Kernel
    private let transport: any Transport
    private let renderer: MailRenderer
    /// Of this courier: random, so that no other process settles what it holds.
    private let lease = UUID().uuidString

    /// Claimed in one transaction.
    static let claimMax = 100

    public init(_ kernel: Kernel, transport: any Transport) {
        self.kernel = kernel
        self.transport = transport
        renderer = MailRenderer(config: kernel.config, templates: kernel.templates)
    }

    /// Sends what is due until nothing is. Returns how many messages were settled.
    @discardableResult
    public func runUntilIdle() async throws -> Int {
        var settled = 0
        while let count = try await round() { settled += count }
        return settled
    }

    /// One claim and its deliveries; nil when nothing is due.
    func round() async throws -> Int? {
        let messages = try claim()
        guard let messages else { return nil }
        guard !messages.isEmpty else { return 0 }
        if !transport.isIdempotent { try markInflight(messages) }
        var outcomes: [(RenderedMessage, Delivery)] = []
        for message in messages {
            outcomes.append((message, await transport.send(message) {}))
        }
        try settle(outcomes)
        return outcomes.count
    }

    /// After a crash: what was being sent goes back to waiting where sending again is harmless, and becomes `unknown`
    /// where the message may have left. Called by the one worker when it starts.
    public func recover() throws {
        try kernel.write(origin: "kernel") { tx in
            try tx.db.execute(
                sql: """
                    UPDATE outbox_messages SET lease = NULL, leased_at = NULL,
                        state = CASE WHEN state = 'inflight' AND NOT :isIdempotent THEN 'unknown' ELSE 'waiting' END,
                        settled_at = CASE WHEN state = 'inflight' AND NOT :isIdempotent THEN :now END,
                        reason = CASE WHEN state = 'inflight' AND NOT :isIdempotent THEN 'the process stopped while it was handed over' END
                    WHERE state IN ('sending', 'inflight') AND transport = :transport
                    """,
                arguments: [
                    "isIdempotent": transport.isIdempotent, "now": tx.stamp, "transport": transport.name,
                ])
        }
    }

    // MARK: - Claim

    /// Nil when nothing is due; empty when what was due may not or cannot be sent.
    private func claim() throws -> [RenderedMessage]? {
        let now = Timestamp.text(kernel.clock.now())
        let isDue = try kernel.read { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql:
                        "SELECT EXISTS (SELECT 1 FROM outbox_messages WHERE transport = ? AND state = 'waiting' AND ready_at <= ?)"
                ),
                arguments: [transport.name, now])
        }
        guard isDue == true else { return nil }
        return try kernel.write(origin: "kernel") { tx in
            let ids = try Int64.fetchAll(
                tx.db.cachedStatement(
                    sql: """
                        SELECT id FROM outbox_messages WHERE transport = ? AND state = 'waiting' AND ready_at <= ?
                        ORDER BY ready_at, id LIMIT \(Courier.claimMax)
                        """), arguments: [transport.name, now])
            let list = "[" + ids.map(String.init).joined(separator: ",") + "]"
            try refuse(list, tx)
            return try render(list, tx)
        }
    }

    /// Cancels what may not be sent, with the reason, and holds back what waits for a consent that is not there.
    private func refuse(_ list: String, _ tx: Transaction) throws {
        let consent = kernel.config.site.mail.consent
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'cancelled', settled_at = :now, reason = refusal.reason
                FROM (
                    SELECT m.id, CASE
                        WHEN m.purpose = 'internal' THEN NULL
                        WHEN l.id IS NULL THEN 'the lead is gone'
                        WHEN l.email IS NULL THEN 'the lead has no e-mail address'
                        WHEN EXISTS (SELECT 1 FROM suppressions AS s WHERE s.email = l.email
                                     AND (m.purpose = 'marketing' OR s.reason <> 'unsubscribed')) THEN 'the address is suppressed'
                        WHEN m.purpose = 'marketing' AND l.stage = 'disqualified' THEN 'the lead is disqualified'
                        WHEN m.purpose = 'marketing' AND :consent <> 'none' AND coalesce((
                            SELECT c.state FROM consents AS c WHERE c.lead_id = l.id AND c.purpose = :consent ORDER BY c.id DESC LIMIT 1), '') <> 'granted'
                            THEN 'no consent for ' || :consent
                        WHEN m.purpose = 'marketing' AND (
                            SELECT c.state FROM consents AS c WHERE c.lead_id = l.id AND c.purpose = 'newsletter' ORDER BY c.id DESC LIMIT 1) = 'withdrawn'
                            THEN 'the consent was withdrawn'
                        END AS reason
                    FROM outbox_messages AS m LEFT JOIN leads AS l ON l.id = m.lead_id
                    WHERE m.id IN (SELECT value FROM json_each(:list))) AS refusal
                WHERE outbox_messages.id = refusal.id AND refusal.reason IS NOT NULL
                """
        ).execute(arguments: ["now": tx.stamp, "consent": consent, "list": list])
    }

    private func render(_ list: String, _ tx: Transaction) throws -> [RenderedMessage] {
        let rows = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT m.*, coalesce(m.recipient, l.email) AS address FROM outbox_messages AS m LEFT JOIN leads AS l ON l.id = m.lead_id
                    WHERE m.id IN (SELECT value FROM json_each(?)) AND m.state = 'waiting' ORDER BY m.ready_at, m.id
                    """), arguments: [list])
        var ready: [RenderedMessage] = []
        for row in rows {
            let order = try MailRenderer.Order(row)
            let address: String = row["address"] ?? ""
            if let content: Data = row["content"] {
                let stableID = "\(order.id).\(StableHash.hex(order.key))"
                ready.append(
                    RenderedMessage(
                        id: order.id, stableID: stableID, recipient: address, bytes: Array(content)))
                try lease(order.id, content: nil, tx)
                continue
            }
            switch try outcome(of: order, address: address, tx) {
            case .ready(let message):
                try lease(order.id, content: Data(message.bytes), tx)
                ready.append(message)
            case .held(let reason):
                try settle(order.id, "held", reason: reason, tx)
            case nil: break
            }
        }
        return ready
    }

    /// Nil where a filter vetoed, which cancelled the message.
    private func outcome(of order: MailRenderer.Order, address: String, _ tx: Transaction) throws
        -> MailRenderer.Outcome?
    {
        var draft = MessageDraft(
            messageID: order.id, leadID: order.leadID, origin: order.origin, purpose: order.purpose,
            template: order.template,
            values: try values(of: order, tx))
        do {
            try tx.filter(&draft)
        } catch let veto as Veto {
            try settle(order.id, "cancelled", reason: veto.reason, tx)
            return nil
        } catch {
            return .held("\(error)")
        }
        var order = order
        order.template = draft.template
        return try renderer.render(order, values: draft.values, recipient: address, tx: tx)
    }

    /// The lead's columns, then the site's name and links, then what the plugins add, then what the message brought
    /// itself.
    private func values(of order: MailRenderer.Order, _ tx: Transaction) throws -> [String: String] {
        var values = ["site_name": kernel.config.site.site.name, "base_url": kernel.config.site.site.baseURL]
        if let leadID = order.leadID {
            if let row = try Row.fetchOne(
                tx.db.cachedStatement(sql: "SELECT * FROM leads WHERE id = ?"), arguments: [leadID])
            {
                for (column, value) in row {
                    values[column] = String.fromDatabaseValue(value) ?? (value.isNull ? nil : "\(value)")
                }
            }
            if order.purpose == .marketing {
                values["unsubscribe_url"] = try? renderer.unsubscribeLink(leadID: leadID)
            }
            values["preferences_url"] = try? kernel.config.link("preferences", String(leadID))
            values["lead_key"] = try? kernel.signer.token(purpose: "lead", subject: String(leadID))
        }
        let question = TemplateValues(
            leadID: order.leadID, template: order.template, body: order.body, now: tx.now, config: kernel.config)
        if order.purpose == .internal, let leadID = order.leadID {
            let lines = try kernel.hooks.ask(LeadCard(leadID: leadID), tx.db).flatMap { $0 }
            values["lead_card"] = lines.map { "\($0.label): \($0.text)" }.joined(separator: " · ")
        }
        for answer in try kernel.hooks.ask(question, tx.db) {
            values.merge(answer) { first, _ in first }
        }
        return values.merging(order.body) { _, own in own }
    }

    // MARK: - Settle

    private func lease(_ id: Int64, content: Data?, _ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'sending', lease = ?, leased_at = ?, attempts = attempts + 1, content = coalesce(?, content)
                WHERE id = ? AND state = 'waiting'
                """
        ).execute(arguments: [lease, tx.stamp, content, id])
    }

    /// From here on a crash leaves the outcome open: the reply may be lost (RFC 1047).
    private func markInflight(_ messages: [RenderedMessage]) throws {
        try kernel.write(origin: "kernel") { tx in
            for message in messages {
                try tx.db.cachedStatement(
                    sql: "UPDATE outbox_messages SET state = 'inflight' WHERE id = ? AND lease = ?"
                )
                .execute(arguments: [message.id, lease])
            }
        }
    }

    private func settle(_ outcomes: [(RenderedMessage, Delivery)]) throws {
        try kernel.write(origin: "kernel") { tx in
            for (message, delivery) in outcomes {
                switch delivery {
                case .sent: try settle(message.id, "sent", reason: nil, tx, event: "mail.sent")
                case .refused(let reason):
                    try settle(message.id, "refused", reason: reason, tx, event: "mail.refused")
                case .unknown(let reason): try settle(message.id, "unknown", reason: reason, tx)
                case .undeliverable(let reason):
                    try settle(message.id, "refused", reason: reason, tx, event: "mail.refused")
                case .retry(let reason), .slower(let reason), .stalled(let reason):
                    try again(message.id, reason: reason, tx)
                }
            }
        }
    }

    private func settle(
        _ id: Int64, _ state: String, reason: String?, _ tx: Transaction, event: String? = nil
    ) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = :state, reason = :reason, lease = NULL,
                    settled_at = CASE WHEN :state <> 'held' THEN :now END
                WHERE id = :id AND (lease IS NULL OR lease = :lease)
                """
        ).execute(arguments: ["state": state, "reason": reason, "now": tx.stamp, "id": id, "lease": lease])
        guard let event, tx.db.changesCount == 1 else { return }
        try tx.emit(
            event,
            forEach: """
                SELECT lead_id, cause_id, json_object('mail', template, 'message_id', id) AS body FROM outbox_messages
                WHERE id = :message AND lead_id IS NOT NULL AND purpose <> 'internal'
                """, arguments: ["message": id])
    }

    private func again(_ id: Int64, reason: String, _ tx: Transaction) throws {
        let attempts =
            try Int.fetchOne(
                tx.db.cachedStatement(sql: "SELECT attempts FROM outbox_messages WHERE id = ?"),
                arguments: [id]) ?? 1
        if attempts >= RetrySchedule.attemptsMax { return try settle(id, "failed", reason: reason, tx) }
        let readyAt = Timestamp.text(tx.now + RetrySchedule.wait(after: attempts, messageID: id))
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'waiting', lease = NULL, leased_at = NULL, ready_at = ?, reason = ? WHERE id = ? AND lease = ?
                """
        ).execute(arguments: [readyAt, reason, id, lease])
    }
}
