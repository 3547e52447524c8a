import TrellisKernel

/// `plugins.audiences`: groups of leads for ad platforms, each a SELECT or made of others.
public struct AudienceSettings: OpenSettingsRecord {
    public var entries: [Named<Audience>] = []
    public init() {}

    public struct Audience: SettingsRecord {
        public var sql: LocatedText?
        public var parts: [LocatedText] = []
        public var without: [LocatedText] = []
        public var platforms: [LocatedText] = []
        public var exclude: [LocatedText] = []
        public var consent = "ads"
        public var every = Span(seconds: 3600)
        public var events = true
        public var leavesOutOpenOpportunities = false
        public var match: [LocatedText] = [Located("email")]
        public var phones: [LocatedText] = [Located("phone")]
        public var tiktokPhone = "digits"
        public var lists: [Named<String>] = []
        public var membersMin: Int?
        public var value: LocatedText?
        public var export: AudienceExportSettings?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "sql", \.sql, optional: .sql, "One SELECT with a column lead_id; :now is the moment it is run.")
            SettingsField("in", \.parts, .list(of: .locatedText), "Audiences of which a lead must be in one.")
            SettingsField("not_in", \.without, .list(of: .locatedText), "Audiences in none of which a lead may be.")
            SettingsField(
                "every", \.every, .span,
                "How often all leads are looked at where the SELECT asks the clock. What changes for good in between is noticed at its moment."
            )
            SettingsField("events", \.events, .flag, "Whether audience.entered and audience.left are logged.")
            SettingsField(
                "platforms", \.platforms, .list(of: .locatedText), "\(Platform.names.joined(separator: ", ")).")
            SettingsField("exclude", \.exclude, .list(of: .locatedText), "Other audiences whose members are left out.")
            SettingsField(
                "leave_out_open_opportunities", \.leavesOutOpenOpportunities, .flag,
                "Whether leads with an opportunity that is neither won nor lost are left out.")
            SettingsField("consent", \.consent, .text, "The purpose a lead must have agreed to.")
            SettingsField(
                "match", \.match, .list(of: .locatedText), "What identifies people: email, phone, name, company.")
            SettingsField("phones", \.phones, .list(of: .locatedText), "Columns of leads with telephone numbers.")
            SettingsField(
                "tiktok_phone", \.tiktokPhone, .word(["digits", "plus"]), "How TikTok is given telephone numbers.")
            SettingsField(
                "lists", \.lists, .named("platforms, each with the id of the list there", of: .text),
                "The id a platform knows the list by, for files that name it.")
            SettingsField(
                "minimum", \.membersMin, optional: .integer(0...10_000_000),
                "Fewer members than so many are no file; without it, what the platform says.")
            SettingsField(
                "value", \.value, optional: .sql,
                "SQL over the columns of leads for the value of a lead in a seed; without it, what its won opportunities came to."
            )
            SettingsField("export", \.export, optional: .record(), "Files written by themselves.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            guard sql == nil, parts.isEmpty else { return [] }
            return [ConfigProblem("give it sql: with one SELECT, or in: with other audiences.", at: place)]
        }
    }
}

/// Files of an audience that are written by themselves.
public struct AudienceExportSettings: SettingsRecord {
    public var every = Span.days(1)
    public var to = Located("exports/")
    public var platforms: [LocatedText] = []
    public var isDifference = false
    public var keep: Span?
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("every", \.every, .span, "How often.")
        SettingsField(
            "to", \.to, .locatedText, "A folder beside the config, with a slash at its end, or a webhook of the config."
        )
        SettingsField("platforms", \.platforms, .list(of: .locatedText), "Which of the platforms; all without it.")
        SettingsField(
            "difference", \.isDifference, .flag, "Whether only what changed since the last accepted file is written.")
        SettingsField(
            "keep", \.keep, optional: .span, "How long files stay in the folder; for good without it.")
    }

    /// Whether the files go into a folder rather than to a webhook.
    var isFolder: Bool { to.value.hasSuffix("/") }
}
