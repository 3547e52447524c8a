import Foundation

/// One claim of a courier, in one transaction: which messages of the outbox go out now, made from the leads as they are
/// now. What may not go is cancelled with the reason, what may go later waits, what cannot be written is held.
struct Claim {
    let kernel: Kernel
    let renderer: MailRenderer
    let transport: String
    /// Of the courier that claims.
    let lease: String
    /// Of a trial: no mail is written.
    var isMute = false
    /// Where it is said which message is being written; nil outside a worker.
    var mark: WritingMark?
    let tx: Transaction

    /// Messages in one claim: few, for its transaction writes them all while others wait.
    static let messagesMax = 100
    /// Messages in one claim of a trial, for which nobody waits.
    static let muteMessagesMax = 2_000

    /// Whether anything is due: read before a transaction is begun for it.
    static func isDue(_ transport: String, at now: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (SELECT 1 FROM outbox_messages WHERE transport = :transport AND state = 'waiting' AND ready_at <= :now)
                       AND NOT EXISTS (SELECT 1 FROM transport_stalls WHERE transport = :transport AND retry_at > :now)
                       AND NOT EXISTS (SELECT 1 FROM clock_jumps WHERE settled_at IS NULL)
                    """), arguments: ["transport": transport, "now": now]) ?? false
    }

    /// The messages to send; empty where what was due may not or cannot go now.
    func take() throws -> [RenderedMessage] {
        let list = try dueList()
        try readFrontMatter(list)
        try expire(list, by: tx.stamp)
        try refuse(list)
        try holdPaused(list)
        guard transport == "mail" else { return try render(list) }
        let place = tx.place(ofZone: kernel.config.site.site.timezone)
        let pace = MailPace(settings: kernel.config.site.mail, place: place, tx: tx)
        try pace.apply(to: list)
        let messages = try render(list)
        try pace.note(list)
        return messages
    }

    /// The ids of the next messages that are due, as a JSON array.
    func dueList() throws -> String {
        let ids = try Int64.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT id FROM outbox_messages WHERE transport = ? AND state = 'waiting' AND ready_at <= ?
                    ORDER BY ready_at, id LIMIT \(isMute ? Claim.muteMessagesMax : Claim.messagesMax)
                    """), arguments: [transport, tx.stamp])
        return "[" + ids.map(String.init).joined(separator: ",") + "]"
    }

    /// Cancels what may not be sent, with the reason.
    func refuse(_ list: String) throws {
        let consent = kernel.config.site.mail.consent
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'cancelled', settled_at = :now, reason = refusal.reason
                FROM (
                    SELECT m.id, CASE
                        WHEN m.purpose = 'internal' THEN NULL
                        WHEN l.id IS NULL THEN 'the lead is gone'
                        WHEN m.transport <> 'mail' THEN NULL
                        WHEN l.email IS NULL THEN 'the lead has no e-mail address'
                        WHEN EXISTS (SELECT 1 FROM suppressed_leads AS s WHERE s.lead_id = l.id
                                     AND (m.purpose = 'marketing' OR s.reason <> 'unsubscribed')) THEN 'the address is suppressed'
                        WHEN m.purpose = 'marketing' AND l.stage = 'disqualified' THEN 'the lead is disqualified'
                        WHEN m.purpose = 'marketing' AND coalesce(m.list, :consent) <> 'none' AND coalesce((
                            SELECT c.state FROM consents AS c
                            WHERE c.lead_id = l.id AND c.purpose = coalesce(m.list, :consent) ORDER BY c.id DESC LIMIT 1), '') <> 'granted'
                            THEN 'no consent for ' || coalesce(m.list, :consent)
                        WHEN m.purpose = 'marketing' AND m.list IS NULL AND (
                            SELECT c.state FROM consents AS c WHERE c.lead_id = l.id AND c.purpose = 'newsletter' ORDER BY c.id DESC LIMIT 1) = 'withdrawn'
                            THEN 'the consent was withdrawn'
                        END AS reason
                    FROM outbox_messages AS m LEFT JOIN leads AS l ON l.id = m.lead_id
                    WHERE m.id IN (SELECT value FROM json_each(:list))) AS refusal
                WHERE outbox_messages.id = refusal.id AND refusal.reason IS NOT NULL
                """
        ).execute(arguments: ["now": tx.stamp, "consent": consent, "list": list])
    }

    private func render(_ list: String) throws -> [RenderedMessage] {
        defer { mark?.end() }
        return try ready(of: list).compactMap { row in
            guard mark?.begin(row["id"]) != false else {
                try hold(row["id"], because: "the process died three times while it was written")
                return nil
            }
            let order = try MailRenderer.Order(row)
            guard let draft = try permitted(order) else { return nil }
            let written: Data? = draft.isWrittenAnew ? nil : row["content"]
            switch try outcome(of: order, draft, address: row["address"] ?? "", written: written) {
            case .ready(let message):
                try lease(message, isKept: !draft.isWrittenAnew)
                return message
            case .held(let reason):
                try hold(order.id, because: reason)
                return nil
            }
        }
    }

    /// The messages of a list that may still go, in the order in which they do, each with its address.
    func ready(of list: String) throws -> [Row] {
        try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT m.*, coalesce(m.recipient, l.email) AS address FROM outbox_messages AS m LEFT JOIN leads AS l ON l.id = m.lead_id
                    WHERE m.id IN (SELECT value FROM json_each(?)) AND m.state = 'waiting' AND m.ready_at <= ? ORDER BY m.ready_at, m.id
                    """), arguments: [list, tx.stamp])
    }

    /// What was written at an earlier attempt goes as it was, but the filters were asked again: quiet hours hold for
    /// another try too.
    private func outcome(
        of order: MailRenderer.Order, _ draft: MessageDraft, address: String, written: Data?
    ) throws -> MailRenderer.Outcome {
        if let written {
            return .ready(message(of: order, to: address, bytes: Array(written)))
        }
        guard transport == "mail" else {
            let content = try WebhookContent(
                order, values: draft.values, numbers: draft.numbers, lists: draft.lists, at: tx.now)
            return .ready(message(of: order, to: order.recipient ?? "", bytes: content.bytes))
        }
        var order = order
        order.template = draft.template
        let outcome = try renderer.render(order, values: draft.values, recipient: address, tx: tx)
        guard case .ready(let mail) = outcome else { return outcome }
        return .ready(message(of: order, to: mail.recipient, bytes: mail.bytes))
    }

    /// The message past the filters, with its values; nil where one of them stopped it, which its row then says.
    func permitted(_ order: MailRenderer.Order) throws -> MessageDraft? {
        let source = MailValues(kernel: kernel, sealsLinks: !isMute)
        var draft = MessageDraft(
            messageID: order.id, leadID: order.leadID, origin: order.origin, purpose: order.purpose,
            template: order.template, values: try source.values(of: order, tx))
        let numbers = try source.numbers(of: order, among: draft.values, tx)
        draft.numbers = numbers
        do {
            try tx.filter(&draft)
            // Where a filter wrote another value, that is what is told.
            for (name, number) in numbers where draft.values[name] != String(number) && draft.numbers[name] == number {
                draft.numbers[name] = nil
            }
        } catch let veto as Veto {
            try cancel(order.id, because: veto.reason)
            return nil
        } catch let postpone as Postpone {
            try putOff(order.id, postpone)
            return nil
        } catch let held as Hold {
            try hold(order.id, because: held.reason, by: "plugin:\(held.plugin)")
            return nil
        } catch {
            try hold(order.id, because: "\(error)")
            return nil
        }
        return draft
    }

    private func message(of order: MailRenderer.Order, to recipient: String, bytes: [UInt8]) -> RenderedMessage {
        RenderedMessage(
            id: order.id, stableID: renderer.identity(of: order), recipient: recipient,
            returnPath: transport == "mail" ? returnPath(of: order.id) : "", bytes: bytes)
    }

    /// An address of its own for each mail where the site has a mailbox for bounces, so that one that comes back
    /// names its mail; otherwise the sender's.
    private func returnPath(of message: Int64) -> String {
        BounceAddress(config: kernel.config)?.address(for: message)
            ?? kernel.config.site.mail.from.flatMap(MailAddress.init(parsing:))?.address ?? ""
    }

    // MARK: - What becomes of a row

    private func lease(_ message: RenderedMessage, isKept: Bool) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'sending', lease = :lease, leased_at = :now, attempts = attempts + 1,
                    content = CASE WHEN :isKept THEN coalesce(content, :bytes) END
                WHERE id = :id AND state = 'waiting'
                """
        ).execute(arguments: [
            "lease": lease, "now": tx.stamp, "isKept": isKept, "bytes": isKept ? Data(message.bytes) : nil,
            "id": message.id,
        ])
    }

    /// - Parameter holder: who lets it go again; nil where a person has to mend something.
    func hold(_ id: Int64, because reason: String, by holder: String? = nil) throws {
        try tx.db.cachedStatement(
            sql: "UPDATE outbox_messages SET state = 'held', reason = ?, held_by = ? WHERE id = ? AND state = 'waiting'"
        ).execute(arguments: [reason, holder, id])
    }

    private func cancel(_ id: Int64, because reason: String) throws {
        try tx.db.cachedStatement(
            sql:
                "UPDATE outbox_messages SET state = 'cancelled', reason = ?, settled_at = ? WHERE id = ? AND state = 'waiting'"
        ).execute(arguments: [reason, tx.stamp, id])
    }

    private func putOff(_ id: Int64, _ postpone: Postpone) throws {
        // Never until now, which would be asked again at once.
        let until = Timestamp.text(max(postpone.until, tx.now + 1))
        // What is not worth sending by then is dropped now: whoever waits for it to go would wait for nothing.
        guard try !expire("[\(id)]", by: until) else { return }
        try tx.db.cachedStatement(
            sql: "UPDATE outbox_messages SET ready_at = ?, reason = ? WHERE id = ? AND state = 'waiting'"
        ).execute(arguments: [until, postpone.reason, id])
    }
}
