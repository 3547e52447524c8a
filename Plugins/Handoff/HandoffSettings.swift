import TrellisKernel

/// `plugins.handoff`: when a lead goes to sales, and to whom.
public struct HandoffSettings: SettingsRecord {
    public var at = Located("mql")
    public var reps: [Named<Rep>] = []
    public var route: [Route] = []
    public var rejectReasons: [String] = []
    public var recycle: Recycle?
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "at", \.at, .locatedText,
            "The stage at which a lead is handed off; one that jumps past it is handed off too.")
        SettingsField.required("reps", \.reps, .named("a mapping of reps", of: .record()), "Who takes leads, by name.")
        SettingsField(
            "route", \.route, .list(of: .record()), "To whom, by the first rule that fits; without one: round_robin.")
        SettingsField(
            "reject_reasons", \.rejectReasons, .list(of: .text),
            "The reasons a rep may give; without any, every text is one.")
        SettingsField("recycle", \.recycle, optional: .record(), "What becomes of a rejected lead.")
    }

    public struct Rep: SettingsRecord {
        public var email = ""
        public var capacity = 50
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("email", \.email, .repAddress, "Where the rep is told of a lead.")
            SettingsField("capacity", \.capacity, .integer(0...100_000), "Open leads at most: offered or accepted.")
        }
    }

    public struct Route: SettingsRecord {
        public var when: LocatedText?
        public var to = Located("round_robin")
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "when", \.when, optional: .sql,
                "A SQL expression over the columns of leads; without one it fits every lead.")
            SettingsField.required(
                "to", \.to, .locatedText, "A rep, account_owner, round_robin, least_loaded or queue.")
        }
    }

    public struct Recycle: SettingsRecord {
        public var after = Span.days(90)
        public var into: LocatedText?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("after", \.after, .span, "How long a rejected lead is left alone.")
            SettingsField("into", \.into, optional: .locatedText, "The sequence it enters then.")
        }
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        let names = reps.map(\.name) + Target.words
        return route.filter { !names.contains($0.to.value) }.map {
            ConfigProblem(
                "there is no rep '\($0.to.value)'.\(NearMiss.hint($0.to.value, among: names)) There are: \(names.joined(separator: ", ")).",
                at: $0.to.place)
        }
    }

    enum Target {
        static let words = ["account_owner", "round_robin", "least_loaded", "queue"]
    }
}

extension SettingType where Value == String {
    static var repAddress: SettingType {
        .parsed("an e-mail address") { (try? EmailAddress($0))?.address }
    }
}
