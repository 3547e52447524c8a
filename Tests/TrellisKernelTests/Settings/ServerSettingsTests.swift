import Testing

@testable import TrellisKernel

@Suite struct ServerSettingsTests {
    private static let token = "0123456789abcdef0123456789abcdef"
    private static let other = "fedcba9876543210fedcba9876543210"

    private func server(_ yaml: String) throws -> ServerSettings {
        try Config.parse(
            "server: \(yaml)", plugins: [],
            environment: [
                "TOKEN": ServerSettingsTests.token, "OTHER": ServerSettingsTests.other, "SHORT": "0123456789",
            ]
        ).site.server
    }

    private func problems(_ yaml: String) throws -> [String] {
        try #require(throws: ConfigProblems.self) { try server(yaml) }.problems.map(\.description)
    }

    // MARK: - Defaults

    @Test func `without a word the server is for this machine alone, and its API is off`() throws {
        let server = try server("{}")
        #expect("\(server.listen)" == "127.0.0.1:8080")
        #expect("\(server.admin.listen)" == "127.0.0.1:8081")
        #expect(server.admin.token == nil && server.admin.wrongTokens == 5)
        #expect((server.hosts, server.origins, server.templates) == ([], [], "templates"))
        #expect(server.trustedProxies == [])
        #expect(server.limits.formsPerMinute == 20 && server.limits.requestsPerMinute == 600)
        #expect(server.limits.formsPerMinuteOfNetwork == 200)
        #expect(server.limits.connections == 1000 && server.limits.connectionsPerAddress == 50)
    }

    @Test func `everything can be said`() throws {
        let server = try server(
            """
            {listen: "0.0.0.0:80", hosts: [www.acme.example], origins: "https://www.acme.example/",
             trusted_proxies: [10.0.0.0/8, "::1"], templates: pages, limits: {forms_per_minute: 5},
             admin: {listen: "10.0.0.5:9000", token: "${TOKEN}", behind_tls: true}}
            """)
        #expect(server.listen == ListenAddress(host: "0.0.0.0", port: 80))
        #expect(server.hosts == ["www.acme.example"])
        #expect(server.origins == ["https://www.acme.example"])
        #expect(server.trustedProxies == [try #require(AddressRange("10.0.0.0/8")), try #require(AddressRange("::1"))])
        #expect(server.admin.token == ServerSettingsTests.token && server.admin.isBehindTLS)
        #expect(server.limits.formsPerMinute == 5 && server.limits.requestsPerMinute == 600)
    }

    // MARK: - Addresses

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("[::1]:8080", "::1", 8080, true),
        ("localhost:0", "localhost", 0, true), ("127.5.0.1:1", "127.5.0.1", 1, true),
        ("0.0.0.0:65535", "0.0.0.0", 65535, false), ("[::]:80", "::", 80, false),
        ("crm.acme.example:443", "crm.acme.example", 443, false), ("10.0.0.5:80", "10.0.0.5", 80, false),
    ])
    func `an address to listen on has a host and a port`(
        _ text: String, _ host: String, _ port: Int, _ isLoopback: Bool
    ) throws {
        let address = try #require(ListenAddress(text))
        #expect((address.host, address.port, address.isLoopback) == (host, port, isLoopback))
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", "8080", "127.0.0.1", ":8080", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "a:-1", "[]:80",
    ])
    func `what is no address to listen on is none`(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    // MARK: - Refused

    @Test(arguments: [
        (
            "{listen: here}",
            "config.yaml:1:18: server.listen: expected an address and a port such as 127.0.0.1:8080, got 'here'."
        ),
        (
            "{trusted_proxies: [10.0.0.0/40]}",
            "config.yaml:1:28: server.trusted_proxies.1: expected an address or a network such as 10.0.0.0/8, got '10.0.0.0/40'."
        ),
        (
            "{origins: [www.acme.example]}",
            "config.yaml:1:20: server.origins.1: expected an address that starts with https:// or http://, got 'www.acme.example'."
        ),
        (
            "{limits: {forms_per_minute: 0}}",
            "config.yaml:1:37: server.limits.forms_per_minute: expected a whole number from 1 to 100000, got '0'."
        ),
        (
            "{limits: {requests_per_minute: 1000001}}",
            "config.yaml:1:40: server.limits.requests_per_minute: expected a whole number from 1 to 1000000, got '1000001'."
        ),
        (
            "{limits: {connections: 9}}",
            "config.yaml:1:32: server.limits.connections: expected a whole number from 10 to 100000, got '9'."
        ),
        ("{listn: here}", "config.yaml:1:10: server: unknown key 'listn'. Did you mean 'listen'?"),
    ])
    func `a setting that cannot be is named with its place`(_ yaml: String, _ sentence: String) throws {
        #expect(try problems(yaml) == [sentence])
    }

    @Test func `a token that can be guessed is refused`() throws {
        #expect(
            try problems("{admin: {token: \"${SHORT}\"}}") == [
                "config.yaml:1:17: server.admin: the token is shorter than 32 characters. Make one with: openssl rand -hex 32"
            ])
        #expect(try server("{admin: {token: \"${TOKEN}\"}}").admin.token == ServerSettingsTests.token)
    }

    @Test func `a reader has a token of its own, and what is hidden from it`() throws {
        let admin = try server(
            "{admin: {token: \"${TOKEN}\", readers: {analyst: {token: \"${OTHER}\", hidden: [\"*.phone\", spend]}}}}"
        ).admin
        #expect(admin.readers.map(\.name) == ["analyst"])
        #expect(admin.readers.first?.value.token == ServerSettingsTests.other)
        #expect(admin.readers.first?.value.hidden.map(\.value) == ["*.phone", "spend"])
    }

    @Test(arguments: [
        (
            "{admin: {token: \"${TOKEN}\", readers: {analyst: {token: \"${SHORT}\"}}}}",
            "config.yaml:1:56: server.admin.readers.analyst: the token is shorter than 32 characters. Make one with: openssl rand -hex 32"
        ),
        (
            "{admin: {token: \"${TOKEN}\", readers: {analyst: {}}}}",
            "config.yaml:1:56: server.admin.readers.analyst: the key 'token' is missing: What it says as 'Authorization: Bearer …', at least 32 characters."
        ),
        (
            "{admin: {readers: {analyst: {token: \"${OTHER}\"}}}}",
            "config.yaml:1:28: server.admin.readers.analyst: readers ask where the house does, and without a token of the house the API is off. Add server.admin.token."
        ),
        (
            "{admin: {token: \"${TOKEN}\", readers: {analyst: {token: \"${TOKEN}\"}}}}",
            "config.yaml:1:17: server.admin: two tokens are the same, so that nobody knows who asks. Make one anew."
        ),
    ])
    func `a reader that could not be told from others is refused`(_ yaml: String, _ sentence: String) throws {
        let found = try problems(yaml)
        #expect(found.contains(sentence), "\(found)")
    }

    @Test func `a token in clear text is warned of`() throws {
        let config = try Config.parse("server: {admin: {token: \(ServerSettingsTests.token)}}", plugins: [])
        #expect(
            config.warnings.map(\.description) == [
                "config.yaml:1:25: server.admin.token: a secret in clear text. Put it in .env and write ${NAME} here."
            ])
    }

    @Test(arguments: ["0.0.0.0:8081", "[::]:8081", "10.0.0.5:8081", "crm.acme.example:8081"])
    func `the API is not opened to the network without encryption`(_ address: String) throws {
        #expect(
            try problems("{admin: {listen: \"\(address)\"}}") == [
                "config.yaml:1:17: server.admin: the API would be open to the network without encryption. Listen on 127.0.0.1, or put a proxy with TLS before it and say behind_tls: true."
            ])
        #expect(try "\(server("{admin: {listen: \"\(address)\", behind_tls: true}}").admin.listen)" == address)
    }

    @Test(arguments: [
        ("behind_tls: true", "", true), ("behind_tls: true", "trusted_proxies: [10.0.0.2], ", false),
        ("behind_tls: false", "", false),
    ])
    func `behind a proxy that is not named everybody waits for whoever guesses`(
        _ admin: String, _ proxies: String, _ isNoted: Bool
    ) throws {
        let notes = try Config.parse("server: {\(proxies)admin: {\(admin)}}", plugins: []).check(plugins: [])
            .filter { $0.place.path == "server.admin.behind_tls" }
        #expect(
            notes.map(\.message)
                == (isNoted
                    ? [
                        "everybody has the address of the proxy, and waits when one guesses tokens. Name it under server.trusted_proxies, and let it send X-Forwarded-For."
                    ] : []))
    }

    @Test(arguments: ["127.0.0.1:8081", "[::1]:8081", "localhost:8081"])
    func `the API may be opened to this machine`(_ address: String) throws {
        #expect(try "\(server("{admin: {listen: \"\(address)\"}}").admin.listen)" == address)
    }
}
