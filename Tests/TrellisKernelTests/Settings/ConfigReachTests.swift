import Testing
import TrellisKernel

/// What a proposed config may not reach for.
@Suite struct ConfigReachTests {
    private static let own = """
        site: {name: Acme, base_url: "https://crm.acme.example", postal_address: "1 Main Street", secret: "${TRELLIS_SECRET}"}
        mail: {from: "Acme <hello@acme.example>", templates: ../mails}
        webhooks:
          sms: {url: "https://sms.acme.example/in", secret: ["${SMS_SECRET}", "${SMS_OLD}"]}
        """

    private func refused(_ proposed: String) throws -> [String] {
        let config = try Config.parse(
            Self.own, plugins: [],
            environment: [
                "TRELLIS_SECRET": "a secret for tests only", "SMS_SECRET": "a secret of 24 bytes or more",
                "SMS_OLD": "another secret of 24 bytes or more",
            ])
        do {
            try config.refuseReach(of: proposed, called: "new")
            return []
        } catch let found as ConfigProblems {
            return found.problems.map { "\($0.place.path): \($0.message.prefix(22))" }
        }
    }

    @Test func `what the config in force has under the same keys may stay`() throws {
        #expect(try refused(Self.own) == [])
        #expect(try refused("") == [])
        let further = """
            # Another order, another name.
            webhooks: {sms: {secret: ["${SMS_SECRET}"], url: "https://sms.acme.example/in/2"}}
            mail:
              templates: "../mails"
            site: {name: Other, secret: '${TRELLIS_SECRET}', picture: public/a..b.png}
            """
        #expect(try refused(further) == [])
    }

    @Test(arguments: [
        ("site: {name: \"${TRELLIS_SECRET}\"}", ["site.name: a value of the environ"]),
        ("site: {secret: \"a${TRELLIS_SECRET}\"}", ["site.secret: a value of the environ"]),
        ("site: {secret: \"${TRELLIS_ADMIN_TOKEN}\"}", ["site.secret: a value of the environ"]),
        ("site: {name: |\n  a\n  ${A}\n}", []), ("a.b: \"${A}\"", ["a.b: a value of the environ"]),
        ("webhooks: {sms: {secret: [\"${SMS_OLD}\"]}}", ["webhooks.sms.secret.1: a value of the environ"]),
        ("webhooks: {sms: {secret: \"${SMS_SECRET}\"}}", ["webhooks.sms.secret: a value of the environ"]),
        ("migrations: /srv/x", ["migrations: a path that begins wit"]),
        ("migrations: ../mails", ["migrations: a path that begins wit"]),
        ("mail: {templates: mails/../..}", ["mail.templates: a path that begins wit"]),
        ("words: .env", ["words: a path that begins wit"]),
        ("assets: {../x: 1}", ["assets.../x: a path that begins wit"]),
        ("a: &b [\"${A}\"]", ["a: anchors and aliases ar"]),
    ])
    func `anything else is refused by its keys`(_ proposed: String, _ problems: [String]) throws {
        guard !problems.isEmpty else {
            // No YAML: nothing of it is read, and it is refused as such.
            #expect(try refused(proposed).first?.hasPrefix(": not valid YAML") == true)
            return
        }
        #expect(try refused(proposed) == problems)
    }

    @Test func `the first twenty are named`() throws {
        let text = (1...50).map { "k\($0): /x\n" }.joined()
        #expect(try refused(text).count == 20)
    }
}
