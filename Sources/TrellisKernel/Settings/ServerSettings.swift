import Foundation

/// `server:`: where pages, forms and links are answered, and what is refused.
public struct ServerSettings: SettingsRecord {
    public var listen = ListenAddress(host: "127.0.0.1", port: 8080)
    public var admin = Admin()
    public var hosts: [String] = []
    public var origins: [String] = []
    public var trustedProxies: [AddressRange] = []
    public var templates = "templates"
    public var words = "words"
    public var publicFolder = "public"
    public var limits = Limits()
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField("listen", \.listen, .listenAddress, "The public address: pages, forms, links.")
        SettingsField("admin", \.admin, .record(), "The other address: API and figures, for the house alone.")
        SettingsField(
            "hosts", \.hosts, .list(of: .text), "Names the site is called by besides that of base_url; others get 421.")
        SettingsField(
            "origins", \.origins, .list(of: .webAddress),
            "Sites whose pages may send forms by script and embed them: https://www.acme.example.")
        SettingsField(
            "trusted_proxies", \.trustedProxies, .list(of: .addressRange),
            "Proxies whose X-Forwarded-For is believed: 10.0.0.0/8.")
        SettingsField("templates", \.templates, .text, "A folder of pages that take the place of the built-in ones.")
        SettingsField(
            "words", \.words, .text, "A folder of words, words/fr.yaml, in place of those that pages come with.")
        SettingsField("public", \.publicFolder, .text, "A folder of pictures that everybody may see, at /public/NAME.")
        SettingsField("limits", \.limits, .record(), "How much one visitor may ask for.")
    }

    public struct Admin: SettingsRecord {
        public var listen = ListenAddress(host: "127.0.0.1", port: 8081)
        public var token: String?
        public var isBehindTLS = false
        public var wrongTokens = 5
        public var sql = QueryWindow()
        public var readers: [Named<Reader>] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("listen", \.listen, .listenAddress, "The address of the API.")
            SettingsField(
                "token", \.token, optional: .secret,
                "What a caller says as 'Authorization: Bearer …', at least 32 characters; without one the API is off.")
            SettingsField(
                "behind_tls", \.isBehindTLS, .flag,
                "Says that a proxy with TLS stands before it: then it may listen on other addresses than loopback.")
            SettingsField(
                "wrong_tokens", \.wrongTokens, .integer(1...1_000_000),
                "How many wrong tokens one address may say before it waits: a second, then twice as long after each.")
            SettingsField("sql", \.sql, .record(), "What a question in SQL and a named query may cost, and not see.")
            SettingsField(
                "readers", \.readers, .named("a mapping of readers", of: .record()),
                "Others who may ask in SQL, and for named queries, and do nothing else: each with a token of its own.")
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            var problems: [ConfigProblem] = []
            if let token, token.utf8.count < 32 {
                problems.append(
                    ConfigProblem(
                        "the token is shorter than 32 characters. Make one with: openssl rand -hex 32", at: place))
            }
            if token == nil, let first = readers.first {
                problems.append(
                    ConfigProblem(
                        "readers ask where the house does, and without a token of the house the API is off. Add server.admin.token.",
                        at: first.place))
            }
            let words = [token].compactMap { $0 } + readers.map(\.value.token)
            if Set(words).count < words.count {
                problems.append(
                    ConfigProblem("two tokens are the same, so that nobody knows who asks. Make one anew.", at: place))
            }
            if !listen.isLoopback, !isBehindTLS {
                problems.append(
                    ConfigProblem(
                        "the API would be open to the network without encryption. Listen on 127.0.0.1, or put a proxy with TLS before it and say behind_tls: true.",
                        at: place))
            }
            return problems
        }
    }

    /// Somebody who may ask in SQL, and for named queries, and do nothing else.
    public struct Reader: SettingsRecord {
        public var token = ""
        public var hidden: [LocatedText] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField.required(
                "token", \.token, .secret, "What it says as 'Authorization: Bearer …', at least 32 characters.")
            SettingsField(
                "hidden", \.hidden, .list(of: .locatedText),
                "Hidden from it besides: tables, columns, *.phone, which is every column of that name, and personal, which is every column that tells who somebody is."
            )
        }

        public func problems(at place: Place) -> [ConfigProblem] {
            guard token.utf8.count < 32 else { return [] }
            return [
                ConfigProblem(
                    "the token is shorter than 32 characters. Make one with: openssl rand -hex 32", at: place)
            ]
        }
    }

    /// How much a question over HTTP may cost, and what it may not see.
    public struct QueryWindow: SettingsRecord {
        public var seconds = 1.0
        public var rows = 1_000
        public var atOnce = 2
        public var hidden: [LocatedText] = []
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField("seconds", \.seconds, .number(0.1...30), "After this a question is stopped.")
            SettingsField("rows", \.rows, .integer(1...50_000), "Rows of an answer, unless 'limit' asks for fewer.")
            SettingsField(
                "at_once", \.atOnce, .integer(1...16), "Questions that are answered at once; more wait, then get 503.")
            SettingsField(
                "hidden", \.hidden, .list(of: .locatedText),
                "Tables that may not be read, and columns, such as leads.phone, that read as NULL; personal is every column that tells who somebody is."
            )
        }
    }

    public struct Limits: SettingsRecord {
        public var formsPerMinute = 20
        public var networkFormsPerMinute: Int?
        public var requestsPerMinute = 600
        public var connections = 1000
        public var connectionsPerAddress = 50
        public init() {}

        public static var fields: [SettingsField<Self>] {
            SettingsField(
                "forms_per_minute", \.formsPerMinute, .integer(1...100_000), "Forms from one address; then 429.")
            SettingsField(
                "network_forms_per_minute", \.networkFormsPerMinute, optional: .integer(1...1_000_000),
                "Forms from one network, a /24 of IPv4 or a /48 of IPv6; without it ten times forms_per_minute.")
            SettingsField(
                "requests_per_minute", \.requestsPerMinute, .integer(1...1_000_000),
                "Requests from one address; then 429.")
            SettingsField("connections", \.connections, .integer(10...100_000), "Open connections in all.")
            SettingsField(
                "connections_per_address", \.connectionsPerAddress, .integer(1...100_000),
                "Open connections from one address that is no trusted proxy.")
        }

        /// Ten addresses that each send as much as they may: a carrier has many visitors behind the addresses of one
        /// network, and whoever rents one has 256 addresses.
        public var formsPerMinuteOfNetwork: Int { networkFormsPerMinute ?? 10 * formsPerMinute }
    }
}

/// A host and a port to listen on.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:8080` and `[::1]:8080`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        let host = text[..<colon].trimmingPrefix("[")
        let name = host.hasSuffix("]") ? String(host.dropLast()) : String(host)
        guard !name.isEmpty else { return nil }
        self.init(host: name, port: port)
    }

    public var isLoopback: Bool { ClientAddress(host)?.isLoopback ?? (host == "localhost") }
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension SettingType where Value == ListenAddress {
    static var listenAddress: SettingType {
        .parsed("an address and a port such as 127.0.0.1:8080") { ListenAddress($0) }
    }
}

extension SettingType where Value == AddressRange {
    static var addressRange: SettingType {
        .parsed("an address or a network such as 10.0.0.0/8") { AddressRange($0) }
    }
}

extension ConfigCheck {
    /// Behind a proxy that is not named everybody has the address of the proxy.
    func adminProxy() {
        let server = config.site.server
        guard server.admin.isBehindTLS, server.trustedProxies.isEmpty else { return }
        note(
            "everybody has the address of the proxy, and waits when one guesses tokens. Name it under server.trusted_proxies, and let it send X-Forwarded-For.",
            at: Place(file: config.file, path: "server.admin.behind_tls"))
    }
}
