import Foundation
import Testing
import TrellisKernel

@testable import TrellisTransports

/// `trellis mails check`: what the name servers say of a sender, held against the config.
@Suite struct SenderCheckTests {
    /// The key of RFC 8463.
    private static let pem = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----
        """
    private static let record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    private static let sound = [
        "acme.example": ["v=spf1 include:_spf.relay.example ~all", "some-other=text"],
        "_spf.relay.example": ["v=spf1 ip4:192.0.2.0/24 -all"],
        "a._domainkey.acme.example": [record],
        "_dmarc.acme.example": ["v=DMARC1; p=quarantine; rua=mailto:d@acme.example"],
    ]

    private func findings(
        _ records: [String: [String]?] = sound,
        mail: String = "dkim: {domain: acme.example, selector: a, key: dkim.pem}",
        baseURL: String = "https://crm.acme.example", takesMail: Bool? = true
    ) async throws -> [SenderCheck.Finding] {
        let folder = NSTemporaryDirectory() + "sender-check-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.pem.write(toFile: folder + "/dkim.pem", atomically: true, encoding: .utf8)
        let config = try Config.parse(
            """
            site: {name: Acme, base_url: "\(baseURL)", secret: "0123456789abcdef0123456789abcdef"}
            database: crm.sqlite
            mail:
              from: Acme <Hello@Acme.example>
              \(mail)
            """, folder: folder, plugins: [], environment: [:])
        let servers = SenderCheck.NameServers(takesMail: { _ in takesMail }) { name in
            records[name] ?? []
        }
        return try await SenderCheck(config, servers: servers).run()
    }

    private func states(_ findings: [SenderCheck.Finding]) -> [String] {
        findings.map { "\($0.name) \($0.state.rawValue)" }
    }

    @Test func `a domain that has all of it is well`() async throws {
        #expect(
            states(try await findings())
                == ["replies ok", "spf ok", "dkim ok", "dmarc ok", "alignment ok", "one-click ok"])
    }

    @Test func `a bare domain is told each record to add, the key among them`() async throws {
        let found = try await findings([:], baseURL: "http://localhost:8080", takesMail: false)
        #expect(
            states(found) == [
                "replies wrong", "spf missing", "dkim missing", "dmarc missing", "alignment ok", "one-click wrong",
            ])
        #expect(
            found[2].subject == "a._domainkey.acme.example" && found[2].detail == "Add a TXT record: \(Self.record)")
        #expect(found[3].detail.contains("v=DMARC1; p=none; rua=mailto:dmarc@acme.example"))
    }

    @Test func `silence of the name servers is no verdict`() async throws {
        let silent: [String: [String]?] = [
            "acme.example": nil, "a._domainkey.acme.example": nil, "_dmarc.acme.example": nil,
        ]
        #expect(
            states(try await findings(silent, takesMail: nil)).prefix(4)
                == ["replies unknown", "spf unknown", "dkim unknown", "dmarc unknown"])
    }

    @Test(arguments: [
        (["v=spf1 -all", "v=spf1 ~all"], "wrong", "2 records"), (["v=spf1 mx +all"], "wrong", "anybody"),
        (["v=spf1 all"], "wrong", "anybody"), (["v=spf1 mx"], "weak", "everybody else"),
        (["v=spf1 mx ?all"], "weak", "everybody else"), (["V=SPF1 MX -ALL"], "ok", "v=spf1 mx -all"),
        (["v=spf10 -all"], "missing", "Add a TXT"), (["v=spf1 include:none.example -all"], "wrong", "none.example"),
        (["v=spf1 include:loop.example -all"], "wrong", "takes it in again"),
        (["v=spf1 redirect=_spf.relay.example"], "ok", "redirect"),
        (["v=spf1 include:%{i}._spf.relay.example -all"], "ok", "%{i}"),
        (["v=spf1 a mx ptr exists:a.example a:b mx:c a:d a:e a:f include:_spf.relay.example -all"], "ok", "exists"),
        (
            ["v=spf1 a mx ptr exists:a.example a:b mx:c a:d a:e a:f a:g include:_spf.relay.example -all"], "wrong",
            "11 lookups"
        ),
    ])
    func `a record of senders is read as receivers read it`(_ texts: [String], _ state: String, _ words: String)
        async throws
    {
        var records = Self.sound
        records["acme.example"] = texts
        records["loop.example"] = ["v=spf1 include:loop.example -all"]
        let spf = try #require(try await findings(records).first { $0.name == "spf" })
        #expect(spf.state.rawValue == state && spf.detail.contains(words), "\(spf)")
    }

    @Test(arguments: [
        ("v=DKIM1; k=ed25519; p=AAAA", "wrong"), ("v=DKIM1; k=ed25519; p=", "wrong"),
        ("k=ed25519; p=11qYAYKxCrfVS/7TyWQH Og7hcvPapiMlrwIaaPcHURo=", "ok"),
        ("v=DKIM1; t=y:s; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "weak"), ("hello", "missing"),
    ])
    func `the key in the DNS is that of the config, or no signature holds`(_ text: String, _ state: String) async throws
    {
        var records = Self.sound
        records["a._domainkey.acme.example"] = [text]
        let key = try #require(try await findings(records).first { $0.name == "dkim" })
        #expect(key.state.rawValue == state, "\(key)")
    }

    @Test func `a child of a domain has the policy of its parent`() async throws {
        let found = try await findings(mail: "returns: bounces@news.acme.example")
        #expect(found.first { $0.name == "spf" }?.subject == "news.acme.example")
        #expect(states(found).contains("bounces ok") && states(found).contains("alignment weak"))
        #expect(states(found).contains("dkim missing"))
        var records = Self.sound
        records["_dmarc.acme.example"] = ["v=DMARC1; rua=mailto:d@acme.example"]
        #expect(states(try await findings(records)).contains("dmarc wrong"))
    }

    @Test func `a return path and a key of other domains fail for every mail`() async throws {
        let found = try await findings(mail: "returns: bounces@relay.example")
        #expect(found.first { $0.name == "alignment" }?.state == .wrong)
    }
}
