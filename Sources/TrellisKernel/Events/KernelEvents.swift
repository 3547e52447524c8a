/// The facts the kernel states itself, and those that plugins share. They are written by triggers and by plugins in
/// SQL; the types below are for handlers in Swift.
public enum KernelEvents {
    static let declarations: [EventDeclaration] =
        [
            EventDeclaration("lead.created", ["stage": .text], says: "came in as {stage}"),
            EventDeclaration("lead.updated", ["columns": .text], says: "{columns} changed"),
            EventDeclaration("lead.stage_changed", ["from": .text, "to": .text], says: "went from {from} to {to}"),
            EventDeclaration("lead.deleted", says: "was deleted"),
            EventDeclaration("lead.restored", says: "came back out of the trash"),
            EventDeclaration("lead.erased", says: "was erased"),
            EventDeclaration("lead.merged", ["into": .integer], says: "became one with lead {into}"),
            EventDeclaration(
                "lead.converted", ["contact_id": .integer, "account_id": .integer, "opportunity_id": .integer],
                says: "was converted into contact {contact_id}[ with opportunity {opportunity_id}]"),
            EventDeclaration("lead.unsubscribed", ["reason": .text], says: "may no longer be mailed[: {reason}]"),
            EventDeclaration(
                "consent.requested", ["purpose": .text], says: "was asked to confirm consent to {purpose}"),
            EventDeclaration("consent.granted", ["purpose": .text], says: "consented to {purpose}"),
            EventDeclaration("consent.withdrawn", ["purpose": .text], says: "took back the consent to {purpose}"),
            EventDeclaration(
                "form.submitted", ["form": .text, "variant": .text, "channel": .text, "by": .text],
                says: "filled in the form {form}[, variant {variant}]"),
            EventDeclaration("lead.recycled", ["into": .text], says: "was given back to nurturing[, into {into}]"),
            EventDeclaration("mail.sent", ["mail": .text, "message_id": .integer], says: "mail {mail} was sent"),
            EventDeclaration(
                "mail.refused", ["mail": .text, "message_id": .integer, "class": .text],
                says: "mail {mail} was refused"),
            EventDeclaration(
                "mail.expired", ["mail": .text, "message_id": .integer],
                says: "mail {mail} was not sent, for its time was over"),
            EventDeclaration(
                "mail.bounced", ["mail": .text, "message_id": .integer, "class": .text],
                says: "mail {mail} came back[ ({class} bounce)]"),
            EventDeclaration(
                "mail.complained", ["mail": .text, "message_id": .integer], says: "called mail {mail} spam"),
            EventDeclaration("mail.replied", ["mail": .text, "message_id": .integer], says: "answered mail {mail}"),
            EventDeclaration("suppression.lapsed", ["suppression_id": .integer], says: "a suppression ran out"),
            EventDeclaration(
                "mail.clicked", ["mail": .text, "message_id": .integer, "link_id": .integer],
                says: "followed a link of mail {mail}"),
            EventDeclaration("mail.opened", ["mail": .text, "message_id": .integer], says: "opened mail {mail}"),
            EventDeclaration("mail.hits_gathered", says: "clicks and openings were gathered"),
            EventDeclaration(
                "webhook.delivered", ["webhook": .text, "type": .text, "message_id": .integer],
                says: "the webhook {webhook} took {type}"),
            EventDeclaration("plugin.enabled", ["plugin": .text], says: "the plugin {plugin} was switched on"),
            EventDeclaration("plugin.disabled", ["plugin": .text], says: "the plugin {plugin} was switched off"),
        ]
        + ["account", "contact", "opportunity"].flatMap { noun in
            [
                EventDeclaration("\(noun).created", ["\(noun)_id": .integer], says: "\(noun) {\(noun)_id} was made"),
                EventDeclaration(
                    "\(noun).updated", ["\(noun)_id": .integer, "columns": .text],
                    says: "\(noun) {\(noun)_id}: {columns} changed"),
                EventDeclaration("\(noun).deleted", ["\(noun)_id": .integer], says: "\(noun) {\(noun)_id} was deleted"),
                EventDeclaration(
                    "\(noun).restored", ["\(noun)_id": .integer],
                    says: "\(noun) {\(noun)_id} came back out of the trash"),
            ]
        } + [
            EventDeclaration(
                "opportunity.stage_changed", ["opportunity_id": .integer, "from": .text, "to": .text],
                says: "opportunity {opportunity_id} went from {from} to {to}")
        ]
}

public struct LeadCreated: Event {
    public static let kind = "lead.created"
    public let stage: String
}

public struct LeadUpdated: Event {
    public static let kind = "lead.updated"
    /// The columns that changed.
    public let columns: [String]
}

public struct LeadStageChanged: Event {
    public static let kind = "lead.stage_changed"
    public let from: String
    public let to: String
}

public struct LeadUnsubscribed: Event {
    public static let kind = "lead.unsubscribed"
    public let reason: String
}

public struct FormSubmitted: Event, Hashable {
    public static let kind = "form.submitted"
    public let form: String
    /// Which words of its page the person saw; nil for the plain ones.
    public let variant: String?
    /// By which the person came this time: paid_search, email …; nil where nobody knows.
    public let channel: String?
    /// `house` where somebody of the house filled it in for the person; nil where they did so themselves.
    public let by: String?

    public init(form: String, variant: String? = nil, channel: String? = nil, by: String? = nil) {
        self.form = form
        self.variant = variant
        self.channel = channel
        self.by = by
    }
}

public struct MailSent: Event {
    public static let kind = "mail.sent"
    public let mail: String
    public let messageID: Int64

    enum CodingKeys: String, CodingKey {
        case mail
        case messageID = "message_id"
    }
}

/// A minute's clicks and opens lie there to be judged.
public struct MailHitsGathered: Event {
    public static let kind = "mail.hits_gathered"
    public init() {}
}
