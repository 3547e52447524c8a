/// The kind of road a lead came on, as it stands in `touches.channel` and `spend.channel`: `organic_search`,
/// `paid_search`, `organic_social`, `paid_social`, `email`, `referral`, `direct`, `webinar`, `outbound`, `offline`,
/// `partner`, or one of the site's own.
///
/// The rules are those of the default channel group of Google Analytics
/// (https://support.google.com/analytics/answer/9756891), made smaller: what a link says of itself counts before what
/// the page before it says.
public enum Channel {
    /// The click ids of ad platforms, and what they say of the road. Facebook puts `fbclid` on every link, paid for or
    /// not.
    static let clickIDs: KeyValuePairs = [
        "gclid": "paid_search", "msclkid": "paid_search", "li_fat_id": "paid_social", "ttclid": "paid_social",
        "fbclid": "organic_social",
    ]

    /// Those that Trellis knows without a word of the site.
    static let builtIn = [
        "organic_search", "paid_search", "organic_social", "paid_social", "email", "referral", "direct", "webinar",
        "outbound", "offline", "partner",
    ]

    /// Every channel there is: those of Trellis, and those that the site has rules for.
    public static func all(rules: [Named<ChannelRule>]) -> [String] {
        builtIn + rules.map(\.name).filter { !builtIn.contains($0) }
    }

    /// A channel that somebody names.
    ///
    /// - Throws: ``FieldProblem`` with the channels there are.
    public static func named(_ text: String, rules: [Named<ChannelRule>]) throws -> String {
        let all = all(rules: rules)
        guard !all.contains(text) else { return text }
        throw FieldProblem(
            field: "channel",
            message: """
                expected one of \(all.joined(separator: ", ")).\(NearMiss.hint(text, among: all)) \
                Channels of your own stand under leads.channels.
                """)
    }

    /// The channel of a lead that was listed rather than seen on a page: what the rules of the site, the source and the
    /// medium say. Nil where they say nothing that is known, for a row of a list is no direct visit.
    public static func ofListed(source: String?, medium: String?, rules: [Named<ChannelRule>] = []) -> String? {
        guard source != nil || medium != nil else { return nil }
        let arrival = Arrival(source: source, medium: medium)
        return rules.first { $0.value.fits(arrival) }?.name ?? told(by: arrival)
    }

    /// The rules of the site first, then what the link says, then the page before. Nothing at all is a direct visit.
    public static func of(_ arrival: Arrival, rules: [Named<ChannelRule>] = []) -> String {
        if let rule = rules.first(where: { $0.value.fits(arrival) }) { return rule.name }
        if let told = told(by: arrival) { return told }
        guard let host = arrival.referringHost else { return arrival.source == nil ? "direct" : "referral" }
        if isWebMail(host) { return "email" }
        if isSearch(host) { return "organic_search" }
        return isSocial(host) ? "organic_social" : "referral"
    }

    /// What the parameters of the link say; nil where they say nothing that is known.
    private static func told(by arrival: Arrival) -> String? {
        let medium = arrival.medium?.lowercased() ?? ""
        let source = arrival.source?.lowercased() ?? ""
        let click = arrival.click.flatMap { click in clickIDs.first { $0.key == click.kind }?.value }
        if isPaid(medium) {
            let isOfNetwork = medium.contains("social") || isSocial(source) || click?.hasSuffix("social") == true
            return isOfNetwork ? "paid_social" : "paid_search"
        }
        if let named = byMedium[medium] { return named }
        if ["email", "newsletter"].contains(source) { return "email" }
        if let click { return click }
        guard arrival.medium != nil || arrival.referringHost == nil else { return nil }
        if isSocial(source) { return "organic_social" }
        return medium == "organic" || isSearch(source) ? "organic_search" : nil
    }

    private static let byMedium = [
        "email": "email", "e-mail": "email", "newsletter": "email", "social": "organic_social",
        "social-media": "organic_social", "social-network": "organic_social", "referral": "referral",
        "affiliate": "partner", "partner": "partner", "webinar": "webinar", "outbound": "outbound", "call": "outbound",
        "phone": "outbound", "offline": "offline", "print": "offline", "qr": "offline", "fair": "offline",
        "tv": "offline", "radio": "offline",
    ]

    /// `cpc`, `cpm`, `cpv`, `ppc`, `paid`, `paid-social`, `retargeting`.
    private static func isPaid(_ medium: String) -> Bool {
        medium.hasPrefix("cp") || medium.hasPrefix("paid")
            || ["ppc", "retargeting", "remarketing", "display"].contains(medium)
    }

    // MARK: - Who is who

    private static let searchEngines: Set<String> = [
        "google", "bing", "duckduckgo", "yahoo", "ecosia", "yandex", "baidu", "startpage", "qwant", "naver", "seznam",
        "kagi", "search.brave",
    ]
    private static let socialNetworks: Set<String> = [
        "facebook", "instagram", "linkedin", "twitter", "tiktok", "youtube", "reddit", "pinterest", "xing", "threads",
        "bluesky", "mastodon", "quora", "meta",
    ]
    /// Whole names: those of hosts, and what Meta writes for `{{site_source_name}}` in a link: `fb`,
    /// `ig`, `msg`, `an`.
    private static let socialNames: Set<String> = [
        "t.co", "x.com", "lnkd.in", "fb.com", "youtu.be", "bsky.app", "x", "fb", "ig", "msg", "an", "messenger",
    ]
    /// How the names of Meta's placements begin, such as `Facebook_Mobile_Feed`.
    private static let placements = ["facebook_", "instagram_", "messenger_"]
    private static let webMails: Set<String> = [
        "mail.google.com", "outlook.live.com", "outlook.office.com", "mail.yahoo.com", "mail.proton.me",
    ]

    private static func isWebMail(_ host: String) -> Bool { webMails.contains(host) }
    private static func isSearch(_ name: String) -> Bool { belongs(name, to: searchEngines) }
    private static func isSocial(_ name: String) -> Bool {
        socialNames.contains(name) || belongs(name, to: socialNetworks) || placements.contains { name.hasPrefix($0) }
    }

    /// Whether a name (`google`) or a host (`google.co.uk`, `l.facebook.com`) is one of these, whatever its country.
    private static func belongs(_ name: String, to names: Set<String>) -> Bool {
        if names.contains(name) { return true }
        let labels = name.split(separator: ".")
        // At most two labels are the country's: google.de, google.co.uk.
        return labels.count > 1
            && labels.indices.dropLast().suffix(2).contains { index in
                names.contains(String(labels[index]))
                    || (index > 0 && names.contains(labels[(index - 1)...index].joined(separator: ".")))
            }
    }
}

/// A rule of the site: by what a channel of its own is known.
public struct ChannelRule: SettingsRecord {
    public var source: [String] = []
    public var medium: [String] = []
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("source", \.source, .list(of: .text), "Values of utm_source, or hosts of the page before.")
        SettingsField("medium", \.medium, .list(of: .text), "Values of utm_medium.")
    }

    /// A list that is empty asks nothing; a rule whose lists are both empty fits nobody.
    func fits(_ arrival: Arrival) -> Bool {
        func holds(_ list: [String], _ value: String?) -> Bool {
            list.isEmpty || list.contains { $0.lowercased() == value?.lowercased() }
        }
        guard !source.isEmpty || !medium.isEmpty else { return false }
        return holds(source, arrival.source) && holds(medium, arrival.medium)
    }
}
