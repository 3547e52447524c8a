import TrellisKernel

/// `plugins.drip`: sequences of mails, each begun and ended by events.
public struct DripSettings: SettingsRecord {
    public var sequences: [Named<Sequence>] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "sequences", \.sequences, .named("a mapping of sequences", of: .record()),
            "Each a list of steps that a lead goes through.")
    }

    public struct Sequence: SettingsRecord {
        public var enter = Entry()
        public var exit: [LocatedText] = []
        public var goal: LocatedText?
        public var reentry = Reentry.never
        public var steps: [Step] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("enter", \.enter, .record(), "What brings a lead in.")
            SettingsField("exit", \.exit, .list(of: .locatedText), "Events that end it early.")
            SettingsField("goal", \.goal, optional: .locatedText, "The event it is for; it ends it as a success.")
            SettingsField(
                "reentry", \.reentry, .reentry, "Whether a lead may come again: never, after 90 days, each time.")
            SettingsField.required("steps", \.steps, .list(of: .record()), "What happens, in order.")
        }
    }

    public struct Entry: SettingsRecord {
        public var on = Located("")
        public var condition: LocatedText?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("on", \.on, .locatedText, "The kind of event.")
            SettingsField(
                "where", \.condition, optional: .sql,
                "A SQL expression over the fields of the event and the columns of the lead.")
        }
    }

    /// One step: exactly one of its keys, with then and else beside if.
    public struct Step: SettingsRecord {
        public var wait: Span?
        public var mail: LocatedText?
        public var condition: LocatedText?
        public var then: [Step] = []
        public var otherwise: [Step] = []
        public var set: [Named<LocatedText>] = []
        public var exit = false
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("wait", \.wait, optional: .span, "Wait so long.")
            SettingsField("mail", \.mail, optional: .locatedText, "Send this mail.")
            SettingsField("if", \.condition, optional: .sql, "A SQL expression over the columns of the lead.")
            SettingsField("then", \.then, .list(of: .record()), "Steps where it holds.")
            SettingsField("else", \.otherwise, .list(of: .record()), "Steps where it does not.")
            SettingsField("set", \.set, .named("a mapping of columns", of: .locatedText), "Columns of the lead to set.")
            SettingsField("exit", \.exit, .flag, "End the sequence here.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            let given = [wait != nil, mail != nil, condition != nil, !set.isEmpty, exit].count { $0 }
            if given != 1 {
                return [
                    ConfigProblem(
                        "a step is one of wait, mail, if, set or exit; this one has \(given) of them.", at: place)
                ]
            }
            if condition == nil, !then.isEmpty || !otherwise.isEmpty {
                return [ConfigProblem("then and else belong beside an if.", at: place)]
            }
            return []
        }
    }

    public enum Reentry: Sendable, Hashable {
        case never, eachTime
        case after(Span)
    }
}

extension SettingType where Value == DripSettings.Reentry {
    static var reentry: SettingType {
        .parsed("never, each time, or after a duration such as after 90 days") { text in
            switch text {
            case "never": .never
            case "each time": .eachTime
            default: text.hasPrefix("after ") ? Span(String(text.dropFirst(6))).map(DripSettings.Reentry.after) : nil
            }
        }
    }
}
