import Foundation

/// Takes in mail that came back, finds the message of ours it is about, and draws the consequences: one transaction per
/// mail, and the same mail twice is once.
///
/// | kind | what follows |
/// |---|---|
/// | hard bounce | the address is suppressed, `mail.bounced`; too many pause marketing mail |
/// | soft bounce | `mail.bounced`; on three days within 14, the address rests for 30 days |
/// | blocked | nothing about the address; too many pause marketing mail |
/// | complaint | the address is suppressed, `mail.complained`; too many pause marketing mail |
/// | reply | `mail.replied` |
/// | unsubscribe | the address is suppressed as unsubscribed; by the way out of a list's mail, that list is left |
/// | any other | a row in `mail_returns` and nothing else |
public struct Mailroom: Sendable {
    let kernel: Kernel
    let bounceAddress: BounceAddress?
    let identity: MessageIdentity

    public init(_ kernel: Kernel) {
        self.kernel = kernel
        bounceAddress = BounceAddress(config: kernel.config)
        identity = MessageIdentity(config: kernel.config)
    }

    /// What a mail turned out to be.
    public struct Filed: Sendable, Hashable {
        public var kind: ReturnVerdict.Kind
        /// The row of the outbox it is about.
        public var messageID: Int64?
        public var leadID: Int64?
        /// `5.1.1` (RFC 3463).
        public var status: String?
        /// False where the same mail was taken in before: then nothing was done.
        public var isNew: Bool
    }

    /// What the log calls this writer.
    static let origin = "mail-in"
    /// What `suppressions.origin` says of an address that rests: the appointment lifts these alone.
    static let restOrigin = "mail-in:soft"
    /// How much of a mail of unknown kind is kept: enough to see what it is.
    static let rawBytesMax = 65_536
    /// How many of them: a flood of spam must not fill the disk.
    static let rawsMax = 1000
    /// As many days with a soft bounce, within this many days, let an address rest for so long.
    static let (restAfterDays, restWithinDays, restDays) = (3, 14, 30)

    /// Takes in one mail.
    ///
    /// - Parameters:
    ///   - bytes: the mail as it came; beyond ``ReceivedMail/bytesMax`` it is not looked at.
    ///   - recipient: to whom the mail server handed it, where it says so.
    @discardableResult
    public func take(_ bytes: some Collection<UInt8>, recipient: String? = nil) throws -> Filed {
        let mail = ReceivedMail(bytes)
        let verdict = ReturnVerdict(mail, recipient: recipient)
        let digest = mail.digest
        return try kernel.write(origin: Mailroom.origin) { tx in
            let (found, subject) = try believe(verdict, tx.db)
            var filed = found
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO mail_returns (digest, kind, message_id, lead_id, known_by, status, diagnostic, raw, at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING
                    """
            ).execute(arguments: [
                digest, filed.kind.rawValue, filed.messageID, filed.leadID, subject?.knownBy.rawValue, filed.status,
                verdict.diagnostic,
                filed.kind == .unknown ? Data(bytes.prefix(Mailroom.rawBytesMax)) : nil, tx.stamp,
            ])
            filed.isNew = tx.db.changesCount == 1
            if filed.isNew { try apply(filed, subject, row: tx.db.lastInsertedRowID, tx) }
            return filed
        }
    }

    /// What ``take(_:recipient:)`` would make of a mail; nothing is written.
    public func look(_ bytes: some Collection<UInt8>, recipient: String? = nil) throws -> Filed {
        let mail = ReceivedMail(bytes)
        let verdict = ReturnVerdict(mail, recipient: recipient)
        return try kernel.read { db in
            var filed = try believe(verdict, db).filed
            filed.isNew =
                try Bool.fetchOne(
                    db, sql: "SELECT NOT EXISTS (SELECT 1 FROM mail_returns WHERE digest = ?)", arguments: [mail.digest]
                )
                ?? true
            return filed
        }
    }

    // MARK: - Consequences

    private func apply(_ filed: Filed, _ subject: ReturnSubject?, row: Int64, _ tx: Transaction) throws {
        switch filed.kind {
        case .hardBounce:
            try suppress(subject, "bounced", origin: Mailroom.origin, tx)
            try emit(filed, subject, row: row, tx) { MailBounced(mail: $0, messageID: $1, severity: .hard) }
            try pauseIfBouncing(filed, tx)
        case .blocked: try pauseIfBouncing(filed, tx)
        case .softBounce:
            try emit(filed, subject, row: row, tx) { MailBounced(mail: $0, messageID: $1, severity: .soft) }
            try rest(subject, tx)
        case .complaint:
            try suppress(subject, "complained", origin: Mailroom.origin, tx)
            try emit(filed, subject, row: row, tx) { MailComplained(mail: $0, messageID: $1) }
            try MarketingPause.beginIfDue(above: kernel.config.site.mail.complaintPercentMax, tx)
        case .reply:
            try emit(filed, subject, row: nil, tx) { MailReplied(mail: $0, messageID: $1) }
        case .unsubscribe:
            // Who writes so to a person means more than the list; who takes the way out of a mail means that list.
            if let subject, subject.knownBy == .returnAddress, let list = subject.message?.list,
                let leadID = subject.leadID
            {
                try tx.leave(WayOut(leadID: leadID, list: list))
            } else {
                try suppress(subject, "unsubscribed", origin: Mailroom.origin, tx)
            }
        case .unknown:
            try tx.db.cachedStatement(
                sql: """
                    UPDATE mail_returns SET raw = NULL WHERE raw IS NOT NULL AND id <= (
                        SELECT id FROM mail_returns WHERE raw IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET \(Mailroom.rawsMax))
                    """
            ).execute()
        case .notice, .automaticReply: break
        }
    }

    private func pauseIfBouncing(_ filed: Filed, _ tx: Transaction) throws {
        guard let message = filed.messageID else { return }
        try MarketingPause.beginIfBouncing(above: kernel.config.site.mail.bouncePercentMax, after: message, tx)
    }

    /// One fact per message and kind, however many reports come; of replies, one each. Mail to the house, which is
    /// about no lead here, has none, as it has none when it is sent.
    private func emit<E: Event>(
        _ filed: Filed, _ subject: ReturnSubject?, row: Int64?, _ tx: Transaction, _ event: (String, Int64) -> E
    ) throws {
        guard let subject, let leadID = filed.leadID, let message = subject.message else { return }
        let isKnown =
            try Bool.fetchOne(
                tx.db.cachedStatement(
                    sql:
                        "SELECT EXISTS (SELECT 1 FROM mail_returns WHERE message_id = ? AND kind = ? AND id < ? AND lead_id IS NOT NULL)"
                ),
                arguments: [message.id, filed.kind.rawValue, row ?? 0]) ?? false
        if !isKnown { try tx.emit(event(message.mail, message.id), lead: leadID) }
    }

    /// The address our mail went to: the lead may have another one by now, which is not at fault. A rest becomes
    /// lasting.
    private func suppress(_ subject: ReturnSubject?, _ reason: String, origin: String, _ tx: Transaction) throws {
        guard let subject, let address = subject.address, !subject.isOfHouse else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO suppressions (email, reason, origin, at) VALUES (:email, :reason, :origin, :now)
                ON CONFLICT (email, reason) WHERE email IS NOT NULL
                DO UPDATE SET origin = excluded.origin WHERE origin = :rest AND excluded.origin <> :rest
                """
        ).execute(arguments: [
            "email": address, "reason": reason, "origin": origin, "now": tx.stamp, "rest": Mailroom.restOrigin,
        ])
    }

    /// After soft bounces on several days an address rests: it is suppressed, and an appointment lifts that.
    private func rest(_ subject: ReturnSubject?, _ tx: Transaction) throws {
        guard let subject, let leadID = subject.leadID, let address = subject.address else { return }
        let since = Timestamp.text(tx.now - Double(Mailroom.restWithinDays) * 86_400)
        let days =
            try Int.fetchOne(
                tx.db.cachedStatement(
                    sql:
                        "SELECT count(DISTINCT date(at)) FROM mail_returns WHERE lead_id = ? AND kind = 'soft_bounce' AND at > ?"
                ), arguments: [leadID, since]) ?? 0
        guard days >= Mailroom.restAfterDays else { return }
        try suppress(subject, "bounced", origin: Mailroom.restOrigin, tx)
        // None where the address rests already, or is known to be dead.
        guard
            let id = try Int64.fetchOne(
                tx.db.cachedStatement(
                    sql: "SELECT id FROM suppressions WHERE email = ? AND reason = 'bounced' AND origin = ? AND at = ?"),
                arguments: [address, Mailroom.restOrigin, tx.stamp])
        else { return }
        try tx.emit(
            SuppressionLapsed(suppressionID: id), lead: leadID, at: tx.now + Double(Mailroom.restDays) * 86_400,
            key: "rest:\(id):\(tx.stamp)")
    }

    /// The rest is over, unless the address turned out to be dead meanwhile. The rows of the batch are the
    /// appointments. Told by the time too, because the id of a row that went may be given to another.
    static func endRests(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM suppressions WHERE reason = 'bounced' AND origin = :rest AND at <= :since
                  AND id IN (SELECT json_extract(body, '$.suppression_id') FROM batch)
                """
        ).execute(arguments: [
            "rest": restOrigin, "since": Timestamp.text(tx.now - Double(restDays) * 86_400),
        ])
    }
}
