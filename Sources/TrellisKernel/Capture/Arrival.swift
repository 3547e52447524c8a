import Foundation

/// How a visitor came to a page: the address of the page with its parameters, and the page before it.
///
/// The parameters are those of Urchin (`utm_source`, `utm_medium`, `utm_campaign`,
/// https://support.google.com/analytics/answer/10917952) and the click ids of the ad platforms. Addresses are kept
/// without their parameters: those may hold anything, also names and addresses.
public struct Arrival: Sendable, Hashable {
    public private(set) var source: String?
    public private(set) var medium: String?
    public private(set) var campaign: String?
    /// Which platform counted the click (`gclid`), and its id.
    public private(set) var click: Click?
    public private(set) var landingPage: String?
    public private(set) var referrer: String?
    /// The host of the page before, without `www.`; nil where it was the same site or none.
    private(set) var referringHost: String?

    public struct Click: Sendable, Hashable {
        /// `gclid`, `fbclid`, `li_fat_id`, `ttclid` or `msclkid`.
        public let kind: String
        public let id: String
    }

    /// Anything longer is cut: the parameters of a link are written by anybody.
    static let lengthMax = 300

    /// - Parameters:
    ///   - landingPage: the whole address of the page, with its parameters.
    ///   - referrer: the page before, as a browser says it in the header `Referer` (RFC 9110, 10.1.3).
    public init(landingPage: String?, referrer: String?) {
        let page = landingPage.flatMap(Arrival.components)
        let before = referrer.flatMap(Arrival.components)
        self.landingPage = page.map(Arrival.bare)
        var values: [String: String] = [:]
        for item in page?.queryItems ?? [] where values[item.name.lowercased()] == nil {
            values[item.name.lowercased()] = item.value.map { $0.trimmed }
        }
        func value(_ name: String) -> String? {
            values[name].flatMap { $0.isEmpty ? nil : String($0.prefix(Arrival.lengthMax)) }
        }
        source = value("utm_source")
        medium = value("utm_medium")
        campaign = value("utm_campaign")
        click = Channel.clickIDs.lazy.compactMap { kind, _ in value(kind).map { Click(kind: kind, id: $0) } }.first
        let host = before.flatMap(Arrival.host)
        guard let host, host != page.flatMap(Arrival.host) else { return }
        self.referrer = before.map(Arrival.bare)
        referringHost = host
        source = source ?? host
    }

    /// What a list says of the road, without any page.
    init(source: String?, medium: String?) {
        self.source = source
        self.medium = medium
    }

    private static func components(_ text: String) -> URLComponents? {
        guard let components = URLComponents(string: text.trimmed),
            ["http", "https"].contains(components.scheme?.lowercased()),
            components.host?.isEmpty == false
        else { return nil }
        return components
    }

    private static func host(_ components: URLComponents) -> String? {
        components.host.map { $0.lowercased() }.map { $0.hasPrefix("www.") ? String($0.dropFirst(4)) : $0 }
    }

    /// The address without user, parameters and fragment.
    private static func bare(_ components: URLComponents) -> String {
        var bare = components
        (bare.user, bare.password, bare.query, bare.fragment) = (nil, nil, nil, nil)
        return String((bare.string ?? "").prefix(lengthMax))
    }
}

extension LeadDraft {
    /// Says how the person came this time. The first time it is also where the lead came from: what the draft does not
    /// say of its source, medium and campaign itself is taken from here.
    ///
    /// - Parameters:
    ///   - kind: `form` or `manual`, as in `touches.kind`.
    ///   - channel: where it is known; otherwise it is told by the arrival and the rules of the site, and without an
    ///     arrival by the source and the medium of the draft.
    public mutating func arrive(
        _ arrival: Arrival?, kind: String, channel: String? = nil, rules: [Named<ChannelRule>] = []
    ) {
        for (column, value) in [
            ("source", arrival?.source), ("medium", arrival?.medium), ("campaign", arrival?.campaign),
        ] where self[column].isNull {
            self[column] = value.databaseValue
        }
        let (source, medium) = (String.fromDatabaseValue(self["source"]), String.fromDatabaseValue(self["medium"]))
        var touch = Touch(
            kind: kind,
            channel: channel ?? arrival.map { Channel.of($0, rules: rules) }
                ?? Channel.ofListed(source: source, medium: medium, rules: rules),
            source: source, medium: medium, campaign: String.fromDatabaseValue(self["campaign"]))
        touch.referrer = arrival?.referrer
        touch.landingPage = arrival?.landingPage
        touch.click = arrival?.click
        self.touch = touch
    }
}
