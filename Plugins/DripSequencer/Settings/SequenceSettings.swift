import TrellisKernel

/// `plugins.drip.sequences.NAME`.
public struct SequenceSettings: SettingsRecord {
    public var enter = Entry()
    public var exit: [Exit] = []
    public var goal: LocatedText?
    public var reentry = Reentry.never
    public var late = Lateness.shift
    public var onEdit = EditPolicy.keep
    public var isPaused = false
    public var timezone: String?
    public var list: String?
    public var group: String?
    public var priority = 0
    public var steps: [StepSettings] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField.required("enter", \.enter, .record(), "What brings a lead in.")
        SettingsField(
            "exit", \.exit,
            .list(
                of: .record(
                    orShort: SettingType<LocatedText>.locatedText.map {
                        var exit = Exit()
                        exit.on = $0
                        return exit
                    })),
            "Events that end it early: demo.booked, or {on: mail.bounced, where: \"class = 'hard'\"}.")
        SettingsField("goal", \.goal, optional: .locatedText, "The event it is for; it ends it as a success.")
        SettingsField("reentry", \.reentry, .reentry, "Whether a lead may come again: never, after 90 days, each time.")
        SettingsField(
            "late", \.late, .choice(),
            "What becomes of a step that came due while nobody worked: shift (all waits last longer by the time that was lost), send (at once), skip (passed over)."
        )
        SettingsField(
            "on_edit", \.onEdit, .choice(),
            "Who is under way when the steps change: keep (finishes the old ones) or migrate (goes on with the new ones)."
        )
        SettingsField(
            "paused", \.isPaused, .flag,
            "Whether it stands still: nothing of it is sent; once it goes on, late decides about what came due.")
        SettingsField(
            "timezone", \.timezone, optional: .timeZone,
            "The clock of leads whose zone neither they nor their country tell; without it that of the site.")
        SettingsField(
            "list", \.list, optional: .mailList,
            "The list of its marketing mails: the purpose of consent they need and their links leave. A mail may say its own; without it, mail.consent."
        )
        SettingsField(
            "group", \.group, optional: .text,
            "A lead is in one sequence of a group at a time; the one of higher priority takes over.")
        SettingsField("priority", \.priority, .integer(-1000...1000), "Within its group: the higher one wins.")
        SettingsField.required("steps", \.steps, .list(of: .record()), "What happens, in order.")
    }

    public struct Entry: SettingsRecord {
        public var on: LocatedText?
        public var condition: LocatedText?
        public var when: LocatedText?
        public var recheck = Span(seconds: 3600)
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("on", \.on, optional: .locatedText, "The kind of event.")
            SettingsField(
                "where", \.condition, optional: .sql,
                "A SQL expression over the fields of the event and the columns of the lead.")
            SettingsField(
                "when", \.when, optional: .sql,
                "A SQL expression over the columns of the lead; who becomes true enters, who was true before does not.")
            SettingsField(
                "recheck", \.recheck, .span,
                "How often `when` is asked about all leads, for what it takes from other tables or from the clock.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            if on != nil, when != nil {
                return [
                    ConfigProblem(
                        "enter has both on (an event) and when (a SQL predicate). Give it one of them, not both.",
                        at: place)
                ]
            }
            if on == nil, when == nil {
                return [ConfigProblem("enter needs either on (an event) or when (a SQL predicate).", at: place)]
            }
            if condition != nil, on == nil {
                return [ConfigProblem("where belongs beside on; write the condition into when.", at: place)]
            }
            return []
        }
    }

    /// An event that ends it early: its kind alone, or with a condition.
    public struct Exit: SettingsRecord {
        public var on = Located("")
        public var condition: LocatedText?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("on", \.on, .locatedText, "The kind of event.")
            SettingsField(
                "where", \.condition, optional: .sql,
                "A SQL expression over the fields of the event and the columns of the lead.")
        }

        /// As it is written in the config.
        var written: String {
            guard let condition else { return on.value }
            return "{on: \(on.value), where: \(JSONValue.string(condition.value).text())}"
        }
    }

    /// What becomes of a step that came due while nobody worked.
    public enum Lateness: String, Sendable, CaseIterable {
        case send, skip, shift
    }

    /// Who is under way when the steps change.
    public enum EditPolicy: String, Sendable, CaseIterable {
        case keep, migrate
    }

    public enum Reentry: Sendable, Hashable {
        case never, eachTime
        case after(Span)
    }
}

extension SettingType where Value == SequenceSettings.Reentry {
    static var reentry: SettingType {
        .parsed("never, each time, or after a duration such as after 90 days") { text in
            switch text {
            case "never": .never
            case "each time": .eachTime
            default:
                text.hasPrefix("after ") ? Span(String(text.dropFirst(6))).map(SequenceSettings.Reentry.after) : nil
            }
        }
    }
}
