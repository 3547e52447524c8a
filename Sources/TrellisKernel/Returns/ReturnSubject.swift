import Foundation

/// Whom a mail that came back is about.
struct ReturnSubject {
    /// How that is known, the surest first.
    enum Evidence: String {
        /// By the return address of our mail, which nobody can make up.
        case returnAddress = "return_address"
        /// By the identity of our mail, which whoever received it may show to others.
        case messageID = "message_id"
        /// By nothing but the name of who wrote it.
        case sender
    }

    struct Message {
        let id: Int64
        let mail: String
        /// The list it was of; nil for that of the site.
        let list: String?
    }

    let knownBy: Evidence
    let message: Message?
    /// Whether the mail was to somebody of the house, such as a rep: an address in the config, not of a lead.
    var isOfHouse = false
    let leadID: Int64?
    /// Where our mail went, not where the lead may be reached now.
    let address: String?
}

extension Mailroom {
    /// What of a verdict can be proved to be about a mail of ours; the rest is unknown, and changes nothing.
    func believe(_ verdict: ReturnVerdict, _ db: Database) throws -> (filed: Filed, subject: ReturnSubject?) {
        var subject = try self.subject(of: verdict, db)
        var kind = verdict.kind
        switch kind {
        case .hardBounce, .softBounce, .blocked, .complaint:
            if subject.map({ isProof($0, of: verdict) }) != true { (kind, subject) = (.unknown, nil) }
        case .reply:
            if subject == nil { kind = .unknown }
        case .unsubscribe:
            if subject == nil { subject = try lead(writing: verdict.sender, db) }
            if subject == nil { kind = .unknown }
        case .notice, .automaticReply, .unknown: break
        }
        return (
            Filed(
                kind: kind, messageID: subject?.message?.id, leadID: subject?.leadID, status: verdict.status,
                isNew: true),
            subject
        )
    }

    /// Where each mail has its own return address, a bounce that lacks it is made up, or about a mail of before.
    /// Otherwise the report must name the address the mail went to, if it names any. Providers hide both from the
    /// sender of a mail complained about, so that a complaint needs the identity alone.
    private func isProof(_ subject: ReturnSubject, of verdict: ReturnVerdict) -> Bool {
        if subject.knownBy == .returnAddress { return true }
        if bounceAddress != nil, verdict.kind != .complaint { return false }
        let named = verdict.recipients.filter { $0.contains("@") }
        guard !named.isEmpty, verdict.kind != .complaint else { return true }
        return named.contains { $0.lowercased() == subject.address?.lowercased() }
    }

    private func subject(of verdict: ReturnVerdict, _ db: Database) throws -> ReturnSubject? {
        if let bounceAddress {
            let tokens = [verdict.envelopeID].compactMap { $0 }.compactMap { bounceAddress.messageID(ofToken: $0) }
            for id in verdict.returnAddresses.compactMap({ bounceAddress.messageID(of: $0) }) + tokens {
                if let found = try message(id, key: nil, .returnAddress, db) { return found }
            }
        }
        for identity in verdict.messageIDs {
            guard let (id, hash) = Mailroom.parts(ofMessageID: identity) else { continue }
            if let found = try message(id, key: hash, .messageID, db) { return found }
        }
        return nil
    }

    /// `ID.HASH@domain`, as ``MailRenderer`` writes it. The domain is not asked: the site may have changed it.
    static func parts(ofMessageID identity: String) -> (id: Int64, hash: String)? {
        let localPart = identity.split(separator: "@", omittingEmptySubsequences: false).first ?? ""
        let parts = localPart.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = Int64(parts[0]), String(id) == parts[0], parts[1].utf8.count == 16 else {
            return nil
        }
        return (id, parts[1].lowercased())
    }

    /// - Parameter key: the hash that the key of the message must have; nil where the id alone is proved.
    private func message(_ id: Int64, key hash: String?, _ evidence: ReturnSubject.Evidence, _ db: Database) throws
        -> ReturnSubject?
    {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT m.id, m.key, m.template, m.list, m.purpose, m.recipient, substr(m.content, 1, 16384) AS head, l.id AS lead_id, l.email
                    FROM outbox_messages AS m LEFT JOIN leads AS l ON l.id = m.lead_id WHERE m.id = ? AND m.transport = 'mail'
                    """), arguments: [id])
        guard let row, hash.map({ identity.isRight($0, of: id, key: row["key"]) }) != false else { return nil }
        let sentTo = (row["head"] as Data?).flatMap { ReceivedMail($0).root.headers["to"] }
            .flatMap { MailHeaders.addresses($0).last }
        let isOfHouse = row["purpose"] == MessagePurpose.internal.rawValue
        return ReturnSubject(
            knownBy: evidence, message: .init(id: row["id"], mail: row["template"], list: row["list"]),
            isOfHouse: isOfHouse,
            leadID: isOfHouse ? nil : row["lead_id"], address: row["recipient"] ?? sentTo ?? row["email"])
    }

    private func lead(writing address: String?, _ db: Database) throws -> ReturnSubject? {
        guard let address = address.flatMap({ try? EmailAddress($0).address }),
            let id = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT id FROM leads WHERE email = ?"), arguments: [address])
        else { return nil }
        return ReturnSubject(knownBy: .sender, message: nil, leadID: id, address: address)
    }
}
