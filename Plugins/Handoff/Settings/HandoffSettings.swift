import TrellisKernel

/// `plugins.handoff`: when a lead goes to sales, to whom, and how long they have.
public struct HandoffSettings: SettingsRecord {
    public var at = Located("mql")
    public var condition: LocatedText?
    public var reps: [Named<Rep>] = []
    public var route: [Route] = []
    public var keepsOwner = true
    public var offHours = OffHours.offer
    public var clocks = Clocks()
    public var rejectReasons: [String] = []
    public var recycle: Recycle?
    public var lostReasons: [String] = []
    public var recycleLost: Recycle?
    public var pausesNurturing = true
    public var webhook: LocatedText?
    public var openers: [Named<LocatedText>] = []
    public var interest: LocatedText?
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "at", \.at, .locatedText,
            "The stage at which a lead is handed off; one that jumps past it is handed off too.")
        SettingsField(
            "when", \.condition, optional: .sql,
            "A SQL expression over the columns of leads that must hold too; asked again whenever the lead changes.")
        SettingsField.required("reps", \.reps, .named("a mapping of reps", of: .record()), "Who takes leads, by name.")
        SettingsField(
            "route", \.route, .list(of: .record()), "To whom, by the first rule that fits; without one: round_robin.")
        SettingsField(
            "keep_owner", \.keepsOwner, .flag,
            "Whether a lead that has a rep, or had one who accepted it, goes there before any rule is asked.")
        SettingsField(
            "off_hours", \.offHours, .choice(),
            "Leads outside working hours: offer, at_work (to those at work, if there are any), or queue.")
        Clocks.fields
        SettingsField(
            "reject_reasons", \.rejectReasons, .list(of: .text),
            "The reasons a rep may give; without any, every text is one.")
        SettingsField(
            "recycle", \.recycle, optional: .record(),
            "What becomes of a rejected lead; without it, it rests for 90 days.")
        SettingsField(
            "lost_reasons", \.lostReasons, .list(of: .text),
            "The reasons for which a deal may be lost; without any, every text is one.")
        SettingsField(
            "recycle_lost", \.recycleLost, optional: .record(),
            "What becomes of the lead of a lost deal; without it what recycle says, and without both it stays where it is."
        )
        SettingsField(
            "pause_nurturing", \.pausesNurturing, .flag,
            "Whether marketing mail is cancelled, not kept for later, while a rep has the lead, and while it rests.")
        SettingsField(
            "webhook", \.webhook, optional: .locatedText,
            "An entry of webhooks: that is told of every step, with all a rep gets to know.")
        SettingsField(
            "openers", \.openers, .named("a mapping of interests", of: .locatedText),
            "How a rep might begin, by interest or by what the lead took: sales-plan: \"How was the plan, {{first_name}}?\""
        )
        SettingsField(
            "interest", \.interest, optional: .locatedText, "The column of leads that names the interest.")
    }

    /// Where leads go while their reps do not work.
    public enum OffHours: String, Sendable, CaseIterable {
        case offer
        case atWork = "at_work"
        case queue
    }

    /// One of the people or desks that take leads.
    public struct Rep: SettingsRecord {
        public var email = ""
        public var name: String?
        public var capacity = 50
        public var weight = 1
        public var zone: String?
        public var territories: [Territory] = []
        public var hours: WorkingHours?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("email", \.email, .mailbox, "Where the rep is told of a lead.")
            SettingsField(
                "name", \.name, optional: .text,
                "What mails that are from the rep say; without it the name in the config.")
            SettingsField("capacity", \.capacity, .integer(0...100_000), "Open leads at most: offered or accepted.")
            SettingsField(
                "weight", \.weight, .integer(0...1000),
                "The share of leads that are dealt by turns; 0 takes none of them.")
            SettingsField("zone", \.zone, optional: .timeZone, "Where the rep works; without it the zone of the site.")
            SettingsField(
                "territories", \.territories, .list(of: .territory),
                "Of which leads the rep is dealt: DE, DE-80, or {when: SQL}; without any, of all.")
            SettingsField("hours", \.hours, optional: .record(), "Working hours other than those of the rest.")
        }
    }

    /// One rule of the route.
    public struct Route: SettingsRecord {
        public var when: LocatedText?
        public var to = Located("round_robin")
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "when", \.when, optional: .sql,
                "A SQL expression over the columns of leads; without one it fits every lead.")
            SettingsField.required(
                "to", \.to, .locatedText, "A rep, account_owner, territory, round_robin, least_loaded or queue.")
        }
    }

    /// How a lead goes back to marketing.
    public struct Recycle: SettingsRecord {
        public var after = Span.days(90)
        public var into: LocatedText?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("after", \.after, .span, "How long it is left alone.")
            SettingsField("into", \.into, optional: .locatedText, "The sequence it enters then.")
        }
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        let names = reps.map(\.name) + Target.words
        var problems = route.filter { !names.contains($0.to.value) }.map {
            ConfigProblem(
                "there is no rep '\($0.to.value)'.\(NearMiss.hint($0.to.value, among: names)) There are: \(names.joined(separator: ", ")).",
                at: $0.to.place)
        }
        for rep in reps where Target.words.contains(rep.name) {
            problems.append(
                ConfigProblem("'\(rep.name)' means something else in route:. Choose another name.", at: rep.place))
        }
        if clocks.returnAfter != nil, clocks.escalateTo == nil {
            problems.append(
                ConfigProblem("return_after counts from the escalation. Say escalate_to, or leave it out.", at: place))
        }
        return problems
    }

    /// What a rule may say beside the names of reps.
    enum Target {
        static let accountOwner = "account_owner"
        static let words = [accountOwner, "territory", "round_robin", "least_loaded", "queue"]
    }

    /// What becomes of a rejected lead: it always comes back, also where the config says nothing.
    var afterRejection: Recycle { recycle ?? Recycle() }

    /// What becomes of the lead of a lost deal; nil leaves it where it is.
    var afterLoss: Recycle? { recycleLost ?? recycle }

    func rep(_ name: String) -> Rep? { reps.first { $0.name == name }?.value }
}

extension SettingType where Value == String {
    static var mailbox: SettingType {
        .parsed("an e-mail address") { (try? EmailAddress($0))?.address }
    }
}
