/// The facts the kernel states itself, and those that plugins share. They are written by triggers and by plugins in
/// SQL; the types below are for handlers in Swift.
public enum KernelEvents {
    static let declarations: [EventDeclaration] =
        [
            EventDeclaration("lead.created", ["stage": .text]),
            EventDeclaration("lead.updated", ["columns": .text]),
            EventDeclaration("lead.stage_changed", ["from": .text, "to": .text]),
            EventDeclaration("lead.deleted"),
            EventDeclaration("lead.restored"),
            EventDeclaration("lead.erased"),
            EventDeclaration("lead.merged", ["into": .integer]),
            EventDeclaration(
                "lead.converted", ["contact_id": .integer, "account_id": .integer, "opportunity_id": .integer]),
            EventDeclaration("lead.unsubscribed", ["reason": .text]),
            EventDeclaration("consent.requested", ["purpose": .text]),
            EventDeclaration("consent.granted", ["purpose": .text]),
            EventDeclaration("consent.withdrawn", ["purpose": .text]),
            EventDeclaration("form.submitted", ["form": .text, "variant": .text]),
            EventDeclaration("lead.recycled", ["into": .text]),
            EventDeclaration("mail.sent", ["mail": .text, "message_id": .integer]),
            EventDeclaration("mail.refused", ["mail": .text, "message_id": .integer]),
            EventDeclaration("mail.bounced", ["mail": .text, "message_id": .integer, "class": .text]),
            EventDeclaration("mail.complained", ["mail": .text, "message_id": .integer]),
            EventDeclaration("mail.replied", ["mail": .text, "message_id": .integer]),
            EventDeclaration("suppression.lapsed", ["suppression_id": .integer]),
            EventDeclaration("mail.clicked", ["mail": .text, "message_id": .integer, "link_id": .integer]),
            EventDeclaration("mail.opened", ["mail": .text, "message_id": .integer]),
            EventDeclaration("mail.hits_gathered"),
            EventDeclaration("plugin.enabled", ["plugin": .text]),
            EventDeclaration("plugin.disabled", ["plugin": .text]),
        ]
        + ["account", "contact", "opportunity"].flatMap { noun in
            [
                EventDeclaration("\(noun).created", ["\(noun)_id": .integer]),
                EventDeclaration("\(noun).updated", ["\(noun)_id": .integer, "columns": .text]),
                EventDeclaration("\(noun).deleted", ["\(noun)_id": .integer]),
                EventDeclaration("\(noun).restored", ["\(noun)_id": .integer]),
            ]
        } + [EventDeclaration("opportunity.stage_changed", ["opportunity_id": .integer, "from": .text, "to": .text])]
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

public struct FormSubmitted: Event {
    public static let kind = "form.submitted"
    public let form: String
    /// Which words of its page the person saw; nil for the plain ones.
    public let variant: String?

    public init(form: String, variant: String? = nil) {
        self.form = form
        self.variant = variant
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
