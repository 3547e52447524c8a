import TrellisKernel

extension ScoringModel {
    public struct FitRule: SettingsRecord {
        public var when = Located("")
        public var points = 0
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required(
                "when", \.when, .sql, "A SQL expression over the columns of leads; account_id leads to their account.")
            SettingsField.required("points", \.points, .integer(-1000...1000), "Points while it holds.")
        }
    }

    public struct EngagementRule: SettingsRecord {
        public var on = Located("")
        public var condition: LocatedText?
        public var points = 0
        public var halfLife: Span?
        public var fades: Span?
        public var lasts: Span?
        public var group: LocatedText?
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
                "fades", \.fades, optional: .span, "The time in which the points go down to nothing, evenly.")
            SettingsField("lasts", \.lasts, optional: .span, "The time after which the points are gone at once.")
            SettingsField(
                "at_most", \.cap, optional: .cap,
                "How often it counts per lead: 2 per day, 5 per week, 10 per month (calendar days, weeks from Monday and months, UTC), or 3 in all."
            )
            SettingsField("group", \.group, optional: .locatedText, "The group of `groups` whose cap it shares.")
            SettingsField("once", \.once, .flag, "Counts once per lead and never again.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            let decays = [halfLife, fades, lasts].compactMap { $0 }
            if decays.count > 1 {
                return [ConfigProblem("half_life, fades and lasts exclude each other: say one.", at: place)]
            }
            let names = [("half_life", halfLife), ("fades", fades), ("lasts", lasts)]
            return names.filter { $0.1?.seconds == 0 }.map {
                ConfigProblem("\($0.0) must be longer than nothing.", at: place)
            }
        }
    }

    /// What a lead must reach. All that is given must hold at once.
    public struct Threshold: SettingsRecord {
        public var score: Int?
        public var fit: Int?
        public var engagement: Int?
        public var grade: LocatedText?
        public var when: LocatedText?
        public var onCreate = false
        public var hysteresis = 0
        public var stage: LocatedText?
        public init() {}

        /// What may be asked of a score and of what it is made of.
        static let least = -10_000...10_000

        /// Reads `40`, the least score, or `on_create`.
        init?(_ text: String) {
            if text == "on_create" {
                onCreate = true
            } else {
                guard let score = Int(text), Threshold.least.contains(score) else { return nil }
                self.score = score
            }
        }

        public static var fields: [SettingsField<Self>] {
            SettingsField("score", \.score, optional: .integer(least), "The least score.")
            SettingsField("fit", \.fit, optional: .integer(least), "The least fit.")
            SettingsField("engagement", \.engagement, optional: .integer(least), "The least engagement.")
            SettingsField("grade", \.grade, optional: .locatedText, "The least grade of `grades`.")
            SettingsField(
                "when", \.when, optional: .sql,
                "A SQL expression over the columns of leads: asked when the lead or its account changes, and every hour where it reads the clock, as date('now') does."
            )
            SettingsField("on_create", \.onCreate, .flag, "Every new lead reaches it.")
            SettingsField(
                "hysteresis", \.hysteresis, .integer(0...10_000),
                "How far score, fit or engagement must fall below it before the lead counts as under it.")
            SettingsField(
                "stage", \.stage, optional: .locatedText, "The stage it moves the lead to, in a model of `models`.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            let given = [score != nil, fit != nil, engagement != nil, grade != nil, when != nil].contains(true)
            return given != onCreate
                ? []
                : [
                    ConfigProblem(
                        "a threshold is on_create, or says what is to be reached: score, fit, engagement, grade or when.",
                        at: place)
                ]
        }
    }

    /// How often a rule may count in a calendar period, or how many points a group may give in one.
    public struct Cap: Sendable, Hashable {
        public let times: Int
        /// As the config writes it: `2 per day`.
        let text: String
        /// The same with another number.
        func text(times other: Int) -> String {
            ([String(other)] + text.split(separator: " ").dropFirst().map(String.init)).joined(separator: " ")
        }
        /// The period of a time, as a SQL expression over a column.
        let period: @Sendable (String) -> String

        public static func == (left: Cap, right: Cap) -> Bool {
            left.times == right.times && left.period("at") == right.period("at")
        }
        public func hash(into hasher: inout Hasher) { hasher.combine(times) }

        /// Reads `2 per day`; `3` is for ever.
        init?(_ text: String) {
            let words = text.split(separator: " ")
            self.text = words.joined(separator: " ")
            if words.count == 1, let times = Int(words[0]), times > 0 {
                self.times = times
                period = { _ in "''" }
                return
            }
            guard words.count == 3, words[1] == "per", let times = Int(words[0]), times > 0 else { return nil }
            self.times = times
            switch words[2] {
            case "day": period = { "date(\($0))" }
            // Its Monday: a week that New Year falls into is one and the same.
            case "week": period = { "date(\($0), '-6 days', 'weekday 1')" }
            case "month": period = { "strftime('%Y-%m', \($0))" }
            default: return nil
            }
        }
    }
}

extension SettingType where Value == ScoringModel.Cap {
    static var cap: SettingType {
        .parsed("a cap such as 2 per day, 5 per week, 10 per month or 3", ScoringModel.Cap.init)
    }
}
