import TrellisKernel

/// `plugins.scoring`: rules that give points, and what reaching a number of them does.
public struct ScoringSettings: SettingsRecord {
    public var fit: [Named<FitRule>] = []
    public var engagement: [Named<EngagementRule>] = []
    public var thresholds: [Named<Threshold>] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "fit", \.fit, .named("a mapping of rules", of: .record()),
            "What the lead is: weighed again when the lead changes.")
        SettingsField(
            "engagement", \.engagement, .named("a mapping of rules", of: .record()),
            "What the lead does: a row of the ledger per event.")
        SettingsField(
            "thresholds", \.thresholds, .named("a mapping of stages", of: .record()),
            "Reaching one moves the lead to that stage; falling below never moves it back.")
    }

    public struct FitRule: SettingsRecord {
        public var when = Located("")
        public var points = 0
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("when", \.when, .sql, "A SQL expression over the columns of leads.")
            SettingsField.required("points", \.points, .integer(-1000...1000), "Points while it holds.")
        }
    }

    public struct EngagementRule: SettingsRecord {
        public var on = Located("")
        public var condition: LocatedText?
        public var points = 0
        public var halfLife: Span?
        public var cap: Cap?
        public var once = false
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("on", \.on, .locatedText, "The kind of event.")
            SettingsField(
                "where", \.condition, optional: .sql,
                "A SQL expression over the fields of the event and the columns of the lead.")
            SettingsField.required("points", \.points, .integer(-1000...1000), "Points per event.")
            SettingsField(
                "half_life", \.halfLife, optional: .span, "The time in which the points halve; without it they stay.")
            SettingsField(
                "at_most", \.cap, optional: .cap,
                "How often it counts per lead: 2 per day, 5 per week, 10 per month (calendar days, weeks and months, UTC)."
            )
            SettingsField("once", \.once, .flag, "Counts once per lead and never again.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            halfLife?.seconds == 0 ? [ConfigProblem("half_life must be longer than nothing.", at: place)] : []
        }
    }

    public struct Threshold: SettingsRecord {
        public var score = 0
        public var fit: Int?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("score", \.score, .integer(-10_000...10_000), "The least score.")
            SettingsField("fit", \.fit, optional: .integer(-10_000...10_000), "The least fit besides.")
        }
    }

    /// How often a rule may count in a calendar period.
    public struct Cap: Sendable, Hashable {
        public let times: Int
        /// The period of a time, as a SQL expression over a column.
        let period: @Sendable (String) -> String

        public static func == (left: Cap, right: Cap) -> Bool {
            left.times == right.times && left.period("at") == right.period("at")
        }
        public func hash(into hasher: inout Hasher) { hasher.combine(times) }

        /// Reads `2 per day`.
        init?(_ text: String) {
            let words = text.split(separator: " ")
            guard words.count == 3, words[1] == "per", let times = Int(words[0]), times > 0 else { return nil }
            let format: String
            switch words[2] {
            case "day": format = "%Y-%m-%d"
            case "week": format = "%Y-%W"
            case "month": format = "%Y-%m"
            default: return nil
            }
            self.times = times
            period = { "strftime('\(format)', \($0))" }
        }
    }
}

extension SettingType where Value == ScoringSettings.Cap {
    static var cap: SettingType {
        .parsed("a cap such as 2 per day, 5 per week or 10 per month", ScoringSettings.Cap.init)
    }
}
