import TrellisKernel

/// A part of the market that a rep looks after: a country, postal codes that begin alike, or whatever SQL can tell.
public struct Territory: SettingsRecord {
    public var country: String?
    public var postalCode: String?
    public var condition: LocatedText?
    public init() {}

    /// The short form: `DE`, or `DE-80` for postal codes that begin with 80.
    init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let country = parts.first.flatMap({ CountryCode(String($0)) }), country.alpha2 == parts[0] else {
            return nil
        }
        self.country = country.alpha2
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].utf8.count <= 12 else { return nil }
            postalCode = String(parts[1])
        }
    }

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "country", \.country, optional: .parsed("a country such as DE") { CountryCode($0)?.alpha2 },
            "A country, ISO 3166-1 alpha-2.")
        SettingsField("postal_code", \.postalCode, optional: .text, "What the postal code begins with.")
        SettingsField("when", \.condition, optional: .sql, "A SQL expression over the columns of leads.")
    }

    public func problems(at place: Place) -> [ConfigProblem] {
        country == nil && postalCode == nil && condition == nil
            ? [ConfigProblem("say a country, a postal_code or a when.", at: place)] : []
    }

    /// SQL over the columns of `leads` that holds inside of it.
    var predicate: String {
        var parts: [String] = []
        if let country { parts.append("country = \(country.sqlLiteral)") }
        if let postalCode {
            parts.append("substr(postal_code, 1, \(postalCode.unicodeScalars.count)) = \(postalCode.sqlLiteral)")
        }
        if let condition { parts.append("(\(condition.value)\n)") }
        return parts.joined(separator: " AND ")
    }

    /// How closely it is drawn: what says more comes before what says less.
    var rank: Int {
        (condition == nil ? 0 : 1000) + (postalCode.map { 10 + $0.unicodeScalars.count } ?? 0)
            + (country == nil ? 0 : 1)
    }
}

extension SettingType where Value == Territory {
    static var territory: SettingType {
        .record(
            orShort: .parsed("a country such as DE, or DE-80 with the beginning of a postal code") { Territory($0) })
    }
}
