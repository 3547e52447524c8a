/// What a mailbox provider passes on of a person who pressed "this is spam".
///
/// Source: RFC 5965, the Abuse Reporting Format.
struct FeedbackReport {
    enum Kind: Hashable {
        case complaint
        /// `opt-out`, of the drafts before RFC 5965: the person wants no more mail.
        case leaving
        /// That it is no spam, or a report about authentication (RFC 6591): nothing a person complains about.
        case notice
    }

    let kind: Kind
    /// Addresses to which mail of ours was sent from: the envelope of the mail complained about.
    let senders: [String]
    /// Whom the mail was sent to, where the provider tells it.
    let recipients: [String]

    /// - Returns: nil where the mail holds no such report.
    init?(_ mail: ReceivedMail) {
        if let part = mail.root.first({ $0.type == "message/feedback-report" }) {
            var rest = part.decoded
            let fields = MailHeaders(reading: &rest)
            switch fields["feedback-type"].map(MailHeaders.word) {
            case "not-spam", "auth-failure", "dkim", "dmarc": kind = .notice
            case "opt-out", "opt-out-list": kind = .leaving
            case nil: return nil
            default: kind = .complaint
            }
            senders = fields.all("original-mail-from").flatMap { MailHeaders.addresses($0) }
            recipients = fields.all("original-rcpt-to").flatMap { MailHeaders.addresses($0) }
            return
        }
        // The Junk Mail Reporting Program of Outlook attaches the mail alone, and marks it.
        guard let original = mail.root.first({ $0.isAttachedMail })?.parts.first,
            let recipient = original.headers["x-hmxmroriginalrecipient"]
        else { return nil }
        kind = .complaint
        senders = []
        recipients = MailHeaders.addresses(recipient)
    }
}
