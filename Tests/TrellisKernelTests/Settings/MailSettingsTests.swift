import Testing

@testable import TrellisKernel

@Suite struct MailSettingsTests {
    private static let environment = [
        "SMTP_PASSWORD": "secret", "HOOK": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "SHORT": "abc",
    ]

    private func site(_ yaml: String) throws -> SiteSettings {
        try Config.parse(yaml, plugins: [], environment: MailSettingsTests.environment).site
    }

    private func mail(_ rest: String) throws -> SiteSettings.Mail {
        try site("mail: {from: \"Acme <hello@acme.example>\", transport: smtp, \(rest)}").mail
    }

    private func problems(_ yaml: String) throws -> [String] {
        try #require(throws: ConfigProblems.self) { try site(yaml) }.problems.map(\.description)
    }

    // MARK: - Relays

    @Test func `without a word mails go into a folder`() throws {
        let mail = try site("").mail
        #expect((mail.transport, mail.folder, mail.smtp, mail.domain) == ("file", "outbox", [], nil))
        #expect(mail.dkim.isEmpty)
    }

    @Test func `one relay is a mapping`() throws {
        let mail = try mail(
            #"smtp: {host: smtp.acme.example, port: 587, username: acme, password: "${SMTP_PASSWORD}"}"#)
        let relay = try #require(mail.smtp.first)
        #expect(mail.smtp.count == 1 && mail.domain == "acme.example")
        #expect((relay.host, relay.portInUse, relay.encryptionInUse) == ("smtp.acme.example", 587, .starttls))
        #expect((relay.username, relay.password) == ("acme", "secret"))
        #expect((relay.connections, relay.hello, relay.timeout, relay.authority) == (4, nil, nil, nil))
    }

    @Test func `several are a list, and everything can be said`() throws {
        let mail = try mail(
            """
            smtp: [{host: a.example, tls: implicit, connections: 9, hello: crm.acme.example, timeout: 30s, ca: ca.pem},
            {host: "127.0.0.1", tls: none}]
            """)
        #expect(mail.smtp.map(\.host) == ["a.example", "127.0.0.1"])
        let first = mail.smtp[0]
        #expect(
            (first.connections, first.hello, first.timeout?.seconds, first.authority) == (
                9, "crm.acme.example", 30, "ca.pem"
            ))
        #expect(mail.smtp[1].isLoopback && !first.isLoopback)
    }

    @Test(arguments: [
        ("host: a.example", 587, MailRelay.Encryption.starttls), ("host: a.example, tls: implicit", 465, .implicit),
        ("host: a.example, port: 465", 465, .implicit), ("host: a.example, tls: none", 25, .none),
        ("host: a.example, port: 2525", 2525, .starttls), ("host: a.example, tls: starttls, port: 25", 25, .starttls),
    ])
    func `the port follows from the encryption, and 465 the other way`(
        _ relay: String, _ port: Int, _ encryption: MailRelay.Encryption
    ) throws {
        let relay = try #require(try mail("smtp: {\(relay)}").smtp.first)
        #expect((relay.portInUse, relay.encryptionInUse) == (port, encryption))
    }

    @Test(arguments: [
        (
            "transport: smtp, from: a@b.example",
            "config.yaml:1:7: mail: transport: smtp needs a relay. Add smtp: {host: smtp.acme.example, username: …, password: \"${SMTP_PASSWORD}\"}."
        ),
        (
            "transport: smtp, smtp: {host: a.example}",
            "config.yaml:1:7: mail: transport: smtp needs a sender. Add from: Acme <hello@acme.example>."
        ),
        (
            "smtp: {port: 25}",
            "config.yaml:1:14: mail.smtp: the key 'host' is missing: The relay: smtp.acme.example."
        ),
        (
            "smtp: {host: a.example, tls: none, username: a, password: \"${SMTP_PASSWORD}\"}",
            "config.yaml:1:14: mail.smtp: the password would cross the network in clear text. Say tls: starttls, or tls: implicit."
        ),
        (
            "smtp: {host: a.example, username: a}",
            "config.yaml:1:14: mail.smtp: a username alone lets nobody in. Give username and password, or neither."
        ),
        (
            "smtp: {host: a.example, tls: starttls, port: 465}",
            "config.yaml:1:14: mail.smtp: port 465 is encrypted from the first byte. Say tls: implicit, or take port 587."
        ),
        (
            "smtp: [{host: \"https://a.example\"}]",
            "config.yaml:1:22: mail.smtp.1.host: expected a host name such as smtp.acme.example, got 'https://a.example'."
        ),
        (
            "smtp: {host: a.example, tls: ssl}",
            "config.yaml:1:37: mail.smtp.tls: expected one of starttls, implicit, none, got 'ssl'."
        ),
        (
            "smtp: {host: a.example, timeout: 0}",
            "config.yaml:1:14: mail.smtp: a timeout of 0 lets no answer in. Give 30s or more."
        ),
        ("smtp: a.example", "config.yaml:1:14: mail.smtp: expected a mapping, got 'a.example'."),
        (
            "dkim: {domain: a.example, selector: a}",
            "config.yaml:1:14: mail.dkim: the key 'key' is missing: The private key as a PEM file beside the config: RSA of 2048 bits, or Ed25519."
        ),
    ])
    func `what cannot work is told with its place`(_ mail: String, _ problem: String) throws {
        #expect(try problems("mail: {\(mail)}") == [problem])
    }

    @Test(arguments: ["127.0.0.1", "\"::1\"", "localhost"])
    func `a password may stay on this machine in the clear`(_ host: String) throws {
        #expect(
            try mail("smtp: {host: \(host), tls: none, username: a, password: \"${SMTP_PASSWORD}\"}").smtp.count == 1)
    }

    @Test func `a password in clear text is warned about`() throws {
        let config = try Config.parse("mail: {smtp: {host: a.example, username: a, password: b}}", plugins: [])
        #expect(config.warnings.map(\.place.path) == ["mail.smtp.password"])
    }

    @Test func `keys are one or several`() throws {
        let one = try mail("smtp: {host: a.example}, dkim: {domain: acme.example, selector: a, key: rsa.pem}").dkim
        #expect(one.map(\.domain) == ["acme.example"] && one.map(\.key.value) == ["rsa.pem"])
        let two = try mail(
            "smtp: {host: a.example}, dkim: [{domain: a.example, selector: r, key: r.pem}, {domain: a.example, selector: e, key: e.pem}]"
        ).dkim
        #expect(two.map(\.selector) == ["r", "e"])
    }

    // MARK: - Webhooks

    @Test func `webhooks have names`() throws {
        let hooks = try site(
            """
            webhooks:
              crm: {url: "https://hooks.acme.example/a", secret: "${HOOK}"}
              house: {url: "http://10.0.0.5:9000", secret: ["${HOOK}", "${HOOK}"], allow_private: true}
            """
        ).webhooks
        #expect(hooks.map(\.name) == ["crm", "house"])
        #expect(hooks.map(\.value.secrets.count) == [1, 2] && hooks.map(\.value.allowsPrivate) == [false, true])
    }

    @Test(arguments: [
        (
            "{url: \"http://a.example\", secret: \"${HOOK}\"}",
            "config.yaml:1:15: webhooks.a: what is told would cross the network in clear text. Say https://, or allow_private: true for a host of the house."
        ),
        (
            "{url: \"https://a.example\", secret: \"${SHORT}\"}",
            "config.yaml:1:15: webhooks.a: a secret has fewer than 24 bytes, or is no base64 behind whsec_. Make one with: echo whsec_$(openssl rand -base64 32)"
        ),
        (
            "{url: \"https://a.example\"}",
            "config.yaml:1:15: webhooks.a: the key 'secret' is missing: What it is signed with (Standard Webhooks), as ${NAME}; a list while a secret is changed."
        ),
        (
            "{url: \"https://a.example\", secret: []}",
            "config.yaml:1:15: webhooks.a: the secret is missing. Make one with: echo whsec_$(openssl rand -base64 32)"
        ),
    ])
    func `a webhook that cannot work is told`(_ hook: String, _ problem: String) throws {
        #expect(try problems("webhooks: {a: \(hook)}") == [problem])
    }
}
