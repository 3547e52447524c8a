import Foundation

/// What config.yaml says apart from its plugins. Every default is the value in the declaration.
public struct SiteSettings: SettingsRecord {
    public var site = Site()
    public var database = "crm.sqlite"
    public var migrations: LocatedText?
    public var server = ServerSettings()
    public var mail = Mail()
    public var webhooks: [Named<WebhookSettings>] = []
    public var leads = LeadTable()
    public var accounts = CustomTable()
    public var contacts = CustomTable()
    public var opportunities = CustomTable()
    public var activities: [Named<[Named<CustomField>]>] = []
    public var hooks: [Named<SQLHookSettings>] = []
    public var queries: [Named<NamedQuery>] = []
    public var goals = Goals()
    public var limits = ChangeLimits()

    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("site", \.site, .record(), "Who runs this CRM.")
        SettingsField("database", \.database, .text, "The SQLite file, beside the config.")
        SettingsField(
            "migrations", \.migrations, optional: .locatedText, "A folder of the site's own numbered .sql files.")
        SettingsField("server", \.server, .record(), "Where pages, forms and links are answered.")
        SettingsField("mail", \.mail, .record(), "Where mail comes from and how it leaves.")
        SettingsField(
            "webhooks", \.webhooks, .named("a mapping of webhooks", of: .record()),
            "Programs elsewhere that are told, each under a name.")
        SettingsField("leads", \.leads, .record(), "The lead table: stages and the site's own columns.")
        SettingsField("accounts", \.accounts, .record(), "The site's own columns of accounts.")
        SettingsField("contacts", \.contacts, .record(), "The site's own columns of contacts.")
        SettingsField("opportunities", \.opportunities, .record(), "The site's own columns of opportunities.")
        SettingsField(
            "activities", \.activities, .named("a mapping of activity kinds", of: .customFields),
            "What else can happen to a lead, with declared fields.")
        SettingsField(
            "hooks", \.hooks, .named("a mapping of hooks", of: .record()),
            "Plugins written in SQL: what happens on an event, and what is refused.")
        SettingsField(
            "queries", \.queries, .named("a mapping of queries", of: .record()),
            "Named queries: trellis sql NAME --parameter value.")
        SettingsField(
            "goals", \.goals, .record(), "What marketing and sales agreed on; the figures are held against it.")
        SettingsField("limits", \.limits, .record(), "How much one change may touch before it has to be confirmed.")
    }

    public struct Site: SettingsRecord {
        public var name = "My company"
        public var baseURL = "http://localhost:8080"
        public var timezone = "UTC"
        public var language = Lexicon.fallback
        public var currency = "EUR"
        public var postalAddress: String?
        public var secret: String?
        public var olderSecrets: [String] = []
        public var privacyURL: String?
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("name", \.name, .text, "The name that mails are signed with.")
            SettingsField("base_url", \.baseURL, .webAddress, "Every link is built from it.")
            SettingsField("timezone", \.timezone, .timeZone, "The IANA zone of the site: days and working hours.")
            SettingsField(
                "language", \.language, .language,
                "The language of pages, forms and built-in mails, as a tag such as de or pt-BR (BCP 47).")
            SettingsField(
                "currency", \.currency, .currency, "The ISO 4217 currency of goals, and of money that names none.")
            SettingsField(
                "postal_address", \.postalAddress, optional: .text,
                "Stands in every marketing mail; without one none is sent.")
            SettingsField(
                "secret", \.secret, optional: .secret,
                "Seals links and keys the hash of erased addresses; at least 16 characters.")
            SettingsField(
                "older_secrets", \.olderSecrets, .list(of: .secret),
                "Secrets of before: links that were mailed under them still work.")
            SettingsField(
                "privacy_url", \.privacyURL, optional: .webAddress, "The privacy notice; every page links to it.")
        }

        /// The wall clock of the site.
        public var place: LocalTime { LocalTime(named: timezone) ?? LocalTime(.gmt) }

        /// The name in ``baseURL``, without a port.
        public var baseHost: String { URL(string: baseURL)?.host() ?? "localhost" }

        public func problems(at place: Place) -> [ConfigProblem] {
            guard let secret, secret.utf8.count < 16 else { return [] }
            return [
                ConfigProblem(
                    "the secret is shorter than 16 characters. Make one with: openssl rand -hex 32", at: place)
            ]
        }
    }

    public struct CustomTable: SettingsRecord {
        public var fields: [Named<CustomField>] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("fields", \.fields, .customFields, "The site's own columns.")
        }

        public func problems(at _: Place) -> [ConfigProblem] { CustomColumns.problems(fields) }
    }

    public struct LeadTable: SettingsRecord {
        public var fields: [Named<CustomField>] = []
        public var stages = ["subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer"]
        public var defaultCountry: String?
        public var channels: [Named<ChannelRule>] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("fields", \.fields, .customFields, "The site's own columns.")
            SettingsField(
                "stages", \.stages, .list(of: .identifier),
                "The stages in their order; recycled and disqualified are always there besides.")
            SettingsField(
                "default_country", \.defaultCountry, optional: .country,
                "The country of phone numbers without one (ISO 3166-1 alpha-2).")
            SettingsField(
                "channels", \.channels, .named("a mapping of channels", of: .record()),
                "Channels by utm_source, utm_medium or the page before, asked in order before those Trellis knows.")
        }

        /// Stages outside the order: entered from anywhere, left for anywhere.
        public static let sideStages = ["recycled", "disqualified"]
        public var allStages: [String] { stages + LeadTable.sideStages.filter { !stages.contains($0) } }

        public func problems(at place: Place) -> [ConfigProblem] {
            let missing =
                stages.contains("lead")
                ? [] : [ConfigProblem("'lead' is missing from the stages; it is the stage of a new lead.", at: place)]
            let twice = Set(stages.filter { stage in stages.count { $0 == stage } > 1 }).sorted().map {
                ConfigProblem("the stage '\($0)' stands twice in the order. Leave one of the two out.", at: place)
            }
            return missing + twice + CustomColumns.problems(fields, ofLeads: true)
        }
    }
}

/// A column the site adds to a kernel table, or a field of an activity.
public struct CustomField: SettingsRecord {
    public enum Kind: String, Sendable, CaseIterable {
        case text, integer, real, date, time, boolean
    }

    public var kind = Kind.text
    public var label: String?
    public var oneOf: [String] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("type", \.kind, .choice(), "text, integer, real, date, time or boolean.")
        SettingsField("label", \.label, optional: .text, "How people call it.")
        SettingsField("one_of", \.oneOf, .list(of: .text), "The only values a form or an import may give.")
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        var parameter = QueryParameter()
        parameter.kind = kind
        parameter.oneOf = oneOf
        return parameter.problems(at: place)
    }
}

extension SettingType where Value == String {
    static var mailAddress: SettingType {
        SettingType(
            scalar: "an address such as Acme <hello@acme.example>", schema: .object([("type", .string("string"))])
        ) {
            $0.contains("{{") || MailAddress(parsing: $0) == nil ? nil : $0
        }
    }

    static var currency: SettingType {
        SettingType(
            scalar: "an ISO 4217 currency such as EUR",
            schema: .object([("type", .string("string")), ("pattern", .string("^[A-Za-z]{3}$"))])
        ) { try? SpendLine.currency($0) }
    }

    static var country: SettingType {
        SettingType(scalar: "an ISO 3166-1 country such as DE", schema: .object([("type", .string("string"))])) {
            CountryCode($0)?.alpha2
        }
    }
}

extension SettingType where Value == [Named<CustomField>] {
    /// `budget: real` or `budget: {type: real, label: …}`.
    static var customFields: SettingType {
        .named(
            "a mapping of fields", isIdentifier: true,
            of: .record(
                orShort: SettingType<CustomField.Kind>.choice().map { kind in
                    var field = CustomField()
                    field.kind = kind
                    return field
                }))
    }
}
