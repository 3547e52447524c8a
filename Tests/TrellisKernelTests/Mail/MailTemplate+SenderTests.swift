import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Mail from the rep who has the lead.
@Suite struct MailTemplateSenderTests {
    /// Leads with a title belong to Ann, except that nobody can write to one called "Broken".
    private struct Owners: Plugin {
        static let name = "owners"
        static let summary = "Knows who has a lead."
        init(settings: NoSettings) {}
        var hooks: [any Hook] {
            Answer("owner", TemplateValues.self) { question, db in
                let title = try String.fetchOne(
                    db, sql: "SELECT title FROM leads WHERE id = ?", arguments: [question.leadID])
                guard let title else { return [:] }
                let email = title == "Broken" ? "ann@acme.example\r\nBcc: all@acme.example" : "ann@acme.example"
                return ["owner.name": "Ann, of Sales", "owner.email": email]
            }
        }
    }

    private func headers(of title: String, _ front: String, body: String = "Hello.") async throws -> [String] {
        let crm = try TestKernel(
            "leads: {fields: {owner_email: text}}\nplugins: {owners: {}}", plugins: [Owners.self],
            files: ["mails/hello.md": "---\nsubject: Hello\n\(front)\n---\n\(body)\n"])
        try crm.capture(
            ["email": "lee@lead.example", "title": title, "owner_email": "mallory@evil.example"],
            consents: ["newsletter"])
        try crm.kernel.write(origin: "plugin:test") { tx in
            try tx.send(
                .marketing,
                forEach: """
                    SELECT 'k' AS key, 1 AS lead_id, NULL AS recipient, 'hello' AS template, '{}' AS body, 1 AS cause_id
                    """)
        }
        try await crm.work()
        let mail = try #require(crm.transport.sent.first)
        return mail.source.components(separatedBy: "\r\n\r\n")[0].split(separator: "\r\n").map(String.init)
            .filter { $0.hasPrefix("From:") || $0.hasPrefix("Reply-To:") || $0.hasPrefix("Bcc:") }
            + (body == "Hello." ? [] : [String(mail.text.prefix { $0 != "\n" })])
    }

    @Test func `the rep who has the lead is the sender, and answers go there`() async throws {
        #expect(
            try await headers(of: "Head", "from: owner\nreply_to: owner") == [
                "From: \"Ann, of Sales\" <ann@acme.example>", "Reply-To: \"Ann, of Sales\" <ann@acme.example>",
            ])
        #expect(
            try await headers(of: "Head", "reply_to: owner") == [
                "From: Acme <hello@acme.example>", "Reply-To: \"Ann, of Sales\" <ann@acme.example>",
            ])
    }

    @Test func `where nobody has the lead it is the site's own sender`() async throws {
        #expect(try await headers(of: "", "from: owner\nreply_to: owner") == ["From: Acme <hello@acme.example>"])
    }

    @Test func `an address that no header can hold makes nobody a sender`() async throws {
        #expect(try await headers(of: "Broken", "from: owner") == ["From: Acme <hello@acme.example>"])
    }

    @Test func `the mail may name the rep too`() async throws {
        #expect(
            try await headers(of: "Head", "from: owner", body: "Yours, {{owner.name|Acme}}")
                == ["From: \"Ann, of Sales\" <ann@acme.example>", "Yours, Ann, of Sales"])
        #expect(
            try await headers(of: "", "from: owner", body: "Yours, {{owner.name|Acme}}")
                == ["From: Acme <hello@acme.example>", "Yours, Acme"])
    }

    @Test func `a variable in a sender is refused with its place, and is not sent as it stands`() throws {
        for (line, key) in [
            ("from: \"{{rep}} <hello@acme.example>\"", "from"), ("reply_to: {{rep}}@acme.example", "reply_to"),
        ] {
            do {
                _ = try MailTemplate(name: "mails/hello.md", source: "---\nsubject: x\n\(line)\n---\nHi\n")
                Issue.record("the sender is taken")
            } catch {
                #expect(
                    "\(error)".hasPrefix("mails/hello.md:3: \(key): a sender holds no variables, got '")
                        && "\(error)".hasSuffix("Write an address, or owner for the rep who has the lead."))
            }
        }
        #expect(throws: ConfigProblems.self) {
            try TestKernel(site: TestKernel.site.replacing("Acme <hello@", with: "{{rep}} <hello@"))
        }
    }
}
