import TrellisKernel

/// `plugins.audiences`: groups of leads for ad platforms, each a SELECT.
public struct AudienceSettings: OpenSettingsRecord {
    public var entries: [Named<Audience>] = []
    public init() {}

    public struct Audience: SettingsRecord {
        public var sql = Located("")
        public var platforms: [LocatedText] = []
        public var exclude: [LocatedText] = []
        public var consent = "ads"
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required("sql", \.sql, .sql, "One SELECT with a column lead_id.")
            SettingsField("platforms", \.platforms, .list(of: .locatedText), "google, meta, linkedin.")
            SettingsField("exclude", \.exclude, .list(of: .locatedText), "Other audiences whose members are left out.")
            SettingsField("consent", \.consent, .text, "The purpose a lead must have agreed to.")
        }
    }
}

/// What an ad platform wants in its file.
struct Platform: Sendable, Hashable {
    let name: String
    /// The first line of the file.
    let header: String
    /// Whether the local part of a Gmail address loses its dots and its plus part before it is hashed
    /// (https://support.google.com/google-ads/answer/7659867).
    let foldsGmail: Bool

    static let all = [
        Platform(name: "google", header: "Email", foldsGmail: true),
        Platform(name: "meta", header: "email", foldsGmail: false),
        Platform(name: "linkedin", header: "email", foldsGmail: false),
    ]

    static func named(_ name: String) -> Platform? { all.first { $0.name == name } }
}
