import TrellisKernel

/// The clocks of a handoff, as the config sets them: they run in working hours.
public struct Clocks: Sendable {
    public var acceptWithin: Span?
    public var remindAfter: [Span] = []
    public var contactWithin: Span?
    public var remindContactAfter: [Span] = []
    public var contactOn = [Located("lead.contacted")]
    public var escalateTo: String?
    public var returnAfter: Span?
    public var queueWithin: Span?
    public var expired = Expired.route
    public var workingHours: WorkingHours?
    public var holidays: [LocalDay] = []
    public init() {}

    /// Where a lead goes whose rep let a clock run out.
    public enum Expired: String, Sendable, CaseIterable {
        /// To another rep by the rules, or to the queue where nobody is free.
        case route
        /// To the queue, until somebody gives it to a rep.
        case queue
    }

    /// A clock by the name it has in appointments, and the working time it runs.
    typealias Clock = (name: String, after: Span)

    /// Those of an offer.
    var ofOffers: [Clock] { Clocks.named("accept", acceptWithin, "remind", remindAfter) }
    /// Those of the first contact.
    var ofContacts: [Clock] { Clocks.named("contact", contactWithin, "remind_contact", remindContactAfter) }
    /// That of a lead whose rep was reported.
    var ofEscalations: [Clock] { Clocks.named("return", returnAfter) }
    /// All that run for a rep.
    var all: [Clock] { ofOffers + ofContacts + ofEscalations }

    private static func named(_ name: String, _ within: Span?, _ reminder: String = "", _ after: [Span] = []) -> [Clock]
    {
        (within.map { [(name, $0)] } ?? []) + after.enumerated().map { ("\(reminder) \($0 + 1)", $1) }
    }

    /// Their keys, which stand among those of the plugin.
    @SettingsFieldBuilder<HandoffSettings> static var fields: [SettingsField<HandoffSettings>] {
        SettingsField(
            "accept_within", \.clocks.acceptWithin, optional: .span,
            "How long a rep has to accept or reject an offer, in working time; without it, for ever.")
        SettingsField(
            "remind_after", \.clocks.remindAfter, .list(of: .span),
            "When a rep is reminded of an offer, in working time.")
        SettingsField(
            "contact_within", \.clocks.contactWithin, optional: .span,
            "How long a rep has to talk to a lead after accepting it, in working time.")
        SettingsField(
            "remind_contact_after", \.clocks.remindContactAfter, .list(of: .span),
            "When a rep is reminded to talk to an accepted lead, in working time.")
        SettingsField(
            "contact_on", \.clocks.contactOn, .list(of: .locatedText),
            "The events that say that somebody talked to the lead; without it, lead.contacted.")
        SettingsField(
            "escalate_to", \.clocks.escalateTo, optional: .mailbox, "Who is told when a clock runs out.")
        SettingsField(
            "return_after", \.clocks.returnAfter, optional: .span,
            "How long after the escalation the lead is taken back, in working time; without it, never.")
        SettingsField(
            "queue_within", \.clocks.queueWithin, optional: .span,
            "How long a lead may wait in the queue, in working time of the house, before escalate_to is told and trellis status shows it; without it, for ever."
        )
        SettingsField(
            "expired", \.clocks.expired, .choice(),
            "Where a lead goes that was taken back: route (to another rep by the rules) or queue.")
        SettingsField(
            "working_hours", \.clocks.workingHours, optional: .record(),
            "When reps work, by the clock of their place; without it, round the clock.")
        SettingsField(
            "holidays", \.clocks.holidays, .list(of: .day),
            "Days on which nobody works; more of them may stand in the table handoff_holidays.")
    }
}
