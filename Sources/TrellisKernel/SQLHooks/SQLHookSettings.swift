/// `hooks.NAME`: a plugin written in SQL. It either handles events (`on`) or filters drafts (`filter`).
public struct SQLHookSettings: SettingsRecord {
    public var on: [LocatedText] = []
    public var when: LocatedText?
    public var filter: FilteredDraft?
    public var sql: LocatedText?
    public var set: LocatedText?
    public var emit: Emission?
    public var send: Sending?
    public var from = Origin.next
    public var atMost = 10_000
    public var isOn = true
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("on", \.on, .list(of: .locatedText), "The kind of event, or a list of kinds, that it handles.")
        SettingsField(
            "when", \.when, optional: .sql,
            "A SQL expression over the fields of the event and the columns of its lead: only these events are in batch."
        )
        SettingsField(
            "filter", \.filter, optional: .choice(), "The draft it filters instead: lead, mail, audience or handoff.")
        SettingsField(
            "sql", \.sql, optional: .sql,
            "Of events: statements over the relation batch. Of a filter: a SELECT; a row refuses the draft, its first column is the reason."
        )
        SettingsField(
            "set", \.set, optional: .sql,
            "Of a filter: a SELECT whose one row changes the draft, each column the field of its name. NULL changes nothing."
        )
        SettingsField("emit", \.emit, optional: .record(), "Activities it logs: a SELECT, a row for each.")
        SettingsField(
            "send", \.send, optional: .record(),
            "Mails it sends, webhooks it calls or tasks it gives: a SELECT, a row for each.")
        SettingsField(
            "from", \.from, .choice(),
            "Where it begins when it is new: next (what happens from now on) or first (everything in the log).")
        SettingsField(
            "at_most", \.atMost, .integer(1...1_000_000),
            "Rows it may write for one event; beyond, nothing of it is kept and the event is set aside.")
        SettingsField("enabled", \.isOn, .flag, "false switches it off; it goes on from there when it is on again.")
    }

    /// Drafts that SQL may filter.
    public enum FilteredDraft: String, Sendable, CaseIterable {
        case lead, mail, audience, handoff
    }

    /// Where a new hook begins.
    public enum Origin: String, Sendable, CaseIterable {
        case next, first
    }

    /// `emit`: an activity per row of a SELECT.
    public struct Emission: SettingsRecord {
        public var kind = Located("")
        public var sql = Located("")
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("kind", \.kind, .locatedText, "An activity of the config.")
            SettingsField.required(
                "sql", \.sql, .sql,
                "One SELECT with lead_id and the fields of the activity; event_id names the cause, due_at a later moment."
            )
        }
    }

    /// `send`: a mail, a call of a webhook or a task for a person per row of a SELECT.
    public struct Sending: SettingsRecord {
        public var mail: LocatedText?
        public var to: LocatedText?
        public var webhook: LocatedText?
        public var type: String?
        public var task: TaskSettings?
        public var sql = Located("")
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("mail", \.mail, optional: .locatedText, "A mail of the site, to the lead of the row.")
            SettingsField(
                "to", \.to, optional: .locatedText, "An address of the house, which is mailed in place of the lead.")
            SettingsField("webhook", \.webhook, optional: .locatedText, "A webhook of the config.")
            SettingsField("type", \.type, optional: .text, "What the webhook is told: the name of the hook without it.")
            SettingsField(
                "task", \.task, optional: .record(), "Something a person is to do for the lead, as in a sequence.")
            SettingsField.required(
                "sql", \.sql, .sql,
                "One SELECT with lead_id; event_id names the cause, every other column is a value for the mail or the webhook. Of a task: due_at."
            )
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            guard [mail != nil, webhook != nil, task != nil].count(where: \.self) == 1 else {
                return [ConfigProblem("send needs one of mail, webhook and task.", at: place)]
            }
            if to != nil, mail == nil { return [ConfigProblem("to belongs beside mail.", at: place)] }
            if type != nil, webhook == nil { return [ConfigProblem("type belongs beside webhook.", at: place)] }
            return []
        }
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        guard on.isEmpty != (filter == nil) else {
            return [ConfigProblem("a hook needs either on (events) or filter (drafts).", at: place)]
        }
        if filter != nil {
            if when != nil || emit != nil || send != nil {
                return [ConfigProblem("when, emit and send belong beside on; a filter has sql and set.", at: place)]
            }
            return sql == nil && set == nil
                ? [ConfigProblem("the filter does nothing. Give it sql (to refuse) or set (to change).", at: place)]
                : []
        }
        if set != nil { return [ConfigProblem("set belongs beside filter.", at: place)] }
        return sql == nil && emit == nil && send == nil
            ? [ConfigProblem("the hook does nothing. Give it sql, emit or send.", at: place)] : []
    }
}
