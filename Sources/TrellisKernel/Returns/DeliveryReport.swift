/// What a mail server reports about the delivery of a mail, one entry per recipient.
///
/// Source: RFC 3464, and RFC 6533 for addresses beyond ASCII.
struct DeliveryReport {
    /// How many recipients are looked at. Every mail of ours has one; more come where an alias stands for several.
    static let recipientsMax = 50

    /// What became of the mail for one recipient.
    enum Outcome: Hashable {
        case failed(BounceClass)
        /// It was delivered, handed on, or is still tried.
        case noFailure
    }

    struct Recipient {
        let outcome: Outcome
        let status: StatusCode?
        /// What the receiving server said.
        let answer: String
        let addresses: [String]
    }

    let recipients: [Recipient]
    /// What we called the mail when we handed it over (RFC 3461 section 4.4).
    let envelopeID: String?

    /// - Returns: nil where the mail holds no such report.
    init?(_ mail: ReceivedMail) {
        let types: Set = ["message/delivery-status", "message/global-delivery-status"]
        guard let part = mail.root.first({ types.contains($0.type) }) else { return nil }
        var rest = part.decoded
        var envelopeID: String?
        var recipients: [Recipient] = []
        var blocks = 0
        while !rest.isEmpty, blocks <= DeliveryReport.recipientsMax {
            let block = MailHeaders(reading: &rest, endsAtBlankLine: true)
            if block.fields.isEmpty { continue }
            blocks += 1
            envelopeID = envelopeID ?? block["original-envelope-id"]
            if let recipient = DeliveryReport.recipient(block) { recipients.append(recipient) }
        }
        guard !recipients.isEmpty else { return nil }
        self.recipients = recipients
        self.envelopeID = envelopeID
    }

    /// The mildest entry: where an alias stands for several people and one of them got the mail, it is not dead.
    var mildest: Recipient? {
        recipients.min { left, right in
            switch (left.outcome, right.outcome) {
            case (.failed(let left), .failed(let right)): left < right
            case (.noFailure, .failed): true
            case (_, .noFailure): false
            }
        }
    }

    /// Nil for the fields of the report as a whole, which come first.
    private static func recipient(_ block: MailHeaders) -> Recipient? {
        let names = ["original-recipient", "final-recipient", "x-actual-recipient"].compactMap { block[$0] }
        guard !names.isEmpty || block["action"] != nil else { return nil }
        let status = block["status"].flatMap { StatusCode(in: $0) }
        let answer = block["diagnostic-code"] ?? ""
        let outcome: Outcome
        switch block["action"].map(MailHeaders.word) {
        case "delayed", "delivered", "relayed", "expanded": outcome = .noFailure
        case "failed", "failure", "error": outcome = .failed(BounceClass(status: status, answer: answer))
        // A word that is not of the format: the code tells.
        default:
            outcome =
                (status ?? StatusCode(in: answer))?.severity == 5
                ? .failed(BounceClass(status: status, answer: answer)) : .noFailure
        }
        return Recipient(
            outcome: outcome, status: status?.isVague == false ? status : StatusCode(in: answer) ?? status,
            answer: answer,
            addresses: names.flatMap { MailHeaders.addresses($0) })
    }
}
