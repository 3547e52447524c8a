/// What a mail that came back is, as far as the mail alone tells: nothing is looked up, and nothing is believed yet.
///
/// The text of a mail is never searched for words: a person may write any of them.
public struct ReturnVerdict: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        /// There is no such address.
        case hardBounce = "hard_bounce"
        /// The mail failed in a way that may be over another day: a full mailbox, a host that is away.
        case softBounce = "soft_bounce"
        /// The mail was refused for what it is or for who sent it, which says nothing about the address.
        case blocked
        /// A report that changes nothing: the mail is delayed, was delivered, was read, is no spam.
        case notice
        /// A person called the mail spam.
        case complaint
        /// A program answered, such as one for absences.
        case automaticReply = "automatic_reply"
        /// A person answered.
        case reply
        /// A person wants no more mail.
        case unsubscribe
        /// None of these, or nothing that can be proved to be about a mail of ours.
        case unknown
    }

    public internal(set) var kind: Kind
    /// `5.1.1` (RFC 3463); nil where none is given.
    public internal(set) var status: String?
    /// What the receiving server said, without addresses.
    public internal(set) var diagnostic: String?

    /// Where the mail came to and where our mail came from, those first that are hardest to make up: one may be the
    /// return address of a mail of ours.
    var returnAddresses: [String] = []
    /// What our mail may have been called when it was handed over.
    var envelopeID: String?
    /// The identities of mails this one is about, without brackets.
    var messageIDs: [String] = []
    /// Whom the report is about. Only compared, never kept.
    var recipients: [String] = []
    /// Who wrote it. Only compared, never kept.
    var sender: String?

    /// - Parameter recipient: to whom the mail server handed the mail, where it says so.
    public init(_ mail: ReceivedMail, recipient: String? = nil) {
        kind = .unknown
        let headers = mail.root.headers
        sender = headers["from"].flatMap { MailHeaders.addresses($0).last }
        returnAddresses = ReturnVerdict.arrivals(headers, recipient)
        if let report = FeedbackReport(mail) {
            read(report)
            readOriginal(of: mail)
        } else if let report = DeliveryReport(mail) {
            read(report)
            readOriginal(of: mail)
        } else if let report = PlainReport(mail) {
            read(report)
        } else if mail.root.first({ $0.type == "message/disposition-notification" }) != nil {
            // That a mail was read or deleted (RFC 8098).
            kind = .notice
        } else {
            readAnswer(headers)
        }
        messageIDs = Array(messageIDs.prefix(ReturnVerdict.candidatesMax))
        returnAddresses = Array(returnAddresses.prefix(ReturnVerdict.candidatesMax))
    }

    /// How many addresses and identities are looked up for one mail.
    private static let candidatesMax = 40

    /// The servers on the way write these, before `To`, which the sender wrote.
    private static func arrivals(_ headers: MailHeaders, _ recipient: String?) -> [String] {
        let names = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc"]
        return [recipient].compactMap { $0 }
            + names.flatMap { headers.all($0).prefix(4) }.flatMap { MailHeaders.addresses($0) }
    }

    // MARK: - Reports

    private mutating func read(_ report: FeedbackReport) {
        switch report.kind {
        case .complaint: kind = .complaint
        case .leaving: kind = .unsubscribe
        case .notice: kind = .notice
        }
        returnAddresses += report.senders
        recipients = report.recipients
        // It was written by the provider; that the address is a lead's would be an accident.
        sender = nil
    }

    private mutating func read(_ report: DeliveryReport) {
        guard let entry = report.mildest else { return }
        switch entry.outcome {
        case .failed(let outcome): kind = Kind(outcome)
        case .noFailure: kind = .notice
        }
        status = entry.status?.description
        diagnostic = ReturnVerdict.withoutAddresses(entry.answer)
        envelopeID = report.envelopeID
        recipients = entry.addresses
    }

    private mutating func read(_ report: PlainReport) {
        kind = Kind(report.outcome)
        status = report.status?.description
        diagnostic = ReturnVerdict.withoutAddresses(report.answer)
        recipients = report.recipients
        report.original.map { readOriginal($0) }
    }

    /// The copy of our mail, or of its headers, that a report brings along (RFC 6522).
    private mutating func readOriginal(of mail: ReceivedMail) {
        mail.root.first { $0.isAttachedMail }?.parts.first.map { readOriginal($0.headers) }
    }

    private mutating func readOriginal(_ headers: MailHeaders) {
        for name in ["return-path", "x-original-return-path", "errors-to", "sender"] {
            returnAddresses += headers[name].map { MailHeaders.addresses($0) } ?? []
        }
        messageIDs += headers["message-id"].map { MailHeaders.messageIDs($0) } ?? []
    }

    // MARK: - Answers

    private mutating func readAnswer(_ headers: MailHeaders) {
        messageIDs = ["in-reply-to", "references"].flatMap { name in
            headers[name].map { MailHeaders.messageIDs($0).reversed() } ?? []
        }
        let localPart = sender?.lowercased().prefix { $0 != "@" }
        let isOfServer = localPart == "mailer-daemon" || localPart == "postmaster"
        if isOfServer {
            // A server says something in a form nobody has laid down: a person should look.
            kind = .unknown
        } else if AutomaticReply.isOne(headers) {
            kind = .automaticReply
        } else if ReturnVerdict.asksToLeave(headers) {
            kind = .unsubscribe
        } else if !messageIDs.isEmpty {
            kind = .reply
        }
    }

    /// What a mail program sends for `List-Unsubscribe: <mailto:unsubscribe@acme.example?subject=unsubscribe>`
    /// (RFC 2369): the word alone as subject, or an address of that name.
    private static func asksToLeave(_ headers: MailHeaders) -> Bool {
        if MailDecoding.words(headers["subject"] ?? "").lowercased() == "unsubscribe" { return true }
        return (headers["to"].map { MailHeaders.addresses($0) } ?? []).contains {
            let localPart = $0.lowercased().prefix { $0 != "@" }
            return localPart == "unsubscribe" || localPart.hasPrefix("unsubscribe+")
        }
    }

    // MARK: - What may be kept

    /// A sentence for a person, not a transcript.
    static let diagnosticMax = 300

    /// Every word that holds an @ is left out, and with it the address of the person.
    static func withoutAddresses(_ answer: String) -> String? {
        let words = answer.prefix(4 * diagnosticMax).split { $0 == " " || $0 == "\t" || $0 == "\n" }.map {
            $0.contains("@") ? "…" : $0
        }
        let text = String(words.joined(separator: " ").prefix(diagnosticMax))
        return text.isEmpty ? nil : text
    }
}

extension ReturnVerdict.Kind {
    init(_ outcome: BounceClass) {
        switch outcome {
        case .hard: self = .hardBounce
        case .soft: self = .softBounce
        case .blocked: self = .blocked
        }
    }
}
