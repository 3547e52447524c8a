import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MailWatchTests {
    private func watched(_ site: MailSite) throws -> [String] {
        try site.crm.rows("SELECT links_watched, opens_watched FROM outbox_messages ORDER BY id")
    }

    @Test func `the links of marketing mail lead over the site, in both parts`() async throws {
        let site = try MailSite()
        try await site.send()
        let mail = try #require(site.crm.transport.sent.first)
        let links = site.links()
        #expect(links.count == 2 && Set(links).count == 2)
        #expect(
            try site.crm.rows("SELECT url FROM mail_links ORDER BY id") == [
                "https://acme.example/read?a=1&b=2", "https://acme.example/plan",
            ])
        let html = mail.source.replacing("=\r\n", with: "")
        #expect(links.allSatisfy { html.contains("href=3D\"https://crm.acme.example\($0)\"") })
        #expect(!mail.text.contains("https://acme.example/"))
        #expect(!html.contains("<img"), "openings are watched where a site asks for it")
        #expect(try watched(site) == ["2|0"])
    }

    @Test func `the ways out of a mail are not watched`() async throws {
        let site = try MailSite(files: [
            "mails/news.md":
                "---\nsubject: News\n---\n[Choose]({{preferences_url}}) or [write](mailto:a@acme.example).\n"
        ])
        try await site.send()
        let mail = try #require(site.crm.transport.sent.first)
        #expect(site.links() == [])
        #expect(mail.text.contains("Choose: https://crm.acme.example/preferences/"))
        #expect(mail.text.contains("Unsubscribe: https://crm.acme.example/unsubscribe/"))
        #expect(mail.source.contains("List-Unsubscribe: <https://crm.acme.example/unsubscribe/"))
        #expect(try site.crm.rows("SELECT url FROM mail_links") == [])
    }

    @Test func `a link that is another for each lead is left as it is, and not kept`() async throws {
        let site = try MailSite(files: [
            "mails/news.md":
                "---\nsubject: News\n---\n[Yours](https://acme.example/?who={{email}}), [page]({{base_url}}/offers/plan), [all](https://acme.example)\n"
        ])
        try await site.send()
        #expect(
            try site.crm.rows("SELECT url FROM mail_links ORDER BY id") == [
                "https://crm.acme.example/offers/plan", "https://acme.example",
            ])
        #expect(
            site.crm.transport.sent.first?.text.contains("Yours: https://acme.example/?who=ann1%40acme.example") == true
        )
    }

    @Test func `mail that a lead asked for is not watched`() async throws {
        let site = try MailSite()
        try await site.send("receipt", .transactional)
        #expect(site.crm.transport.sent.first?.text.contains("Read: https://acme.example/read") == true)
        #expect(try watched(site) == ["0|0"])
    }

    @Test func `one address in two mails is one row, and its tokens differ by mail`() async throws {
        let site = try MailSite(leads: 2)
        try await site.send()
        #expect(try site.crm.value("SELECT count(*) FROM mail_links") == "2")
        #expect(Set(site.links(0) + site.links(1)).count == 4)
    }

    @Test func `openings are watched where the site asks for it, in the HTML alone`() async throws {
        let site = try MailSite(mail: "tracking: clicks and opens")
        try await site.send()
        let mail = try #require(site.crm.transport.sent.first)
        #expect(!mail.text.contains("/o/"))
        #expect(mail.source.replacing("=\r\n", with: "").contains("<img src=3D\"https://crm.acme.example/o/"))
        #expect(try watched(site) == ["2|1"])
    }

    @Test(arguments: [
        ("tracking: none", [], "0|0"), ("tracking_consent: measuring", [], "0|0"),
        ("tracking_consent: measuring", ["measuring"], "2|0"),
        ("tracking: clicks and opens, tracking_consent: measuring", ["measuring"], "2|1"),
        ("tracking: clicks and opens, tracking_consent: measuring", [], "0|0"),
    ])
    func `who was not asked is not watched`(_ mail: String, _ consents: [String], _ expected: String) async throws {
        let site = try MailSite(mail: mail, consents: ["newsletter"] + consents)
        try await site.send()
        #expect(try watched(site) == [expected])
        let source = try #require(site.crm.transport.sent.first).source
        #expect(source.contains("/c/") == (expected != "0|0") && source.contains("/o/") == (expected == "2|1"))
    }

    @Test func `a consent taken back counts for the next mail`() async throws {
        let site = try MailSite(mail: "tracking_consent: measuring", consents: ["newsletter", "measuring"])
        try site.crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'measuring', 'withdrawn')")
        try await site.send()
        #expect(try watched(site) == ["0|0"])
    }

    @Test func `a mail that was held is watched as is right when it goes`() async throws {
        let site = try MailSite(files: ["mails/news.md": "---\nsubject: N\n---\n[a](https://a.example) {{company}}\n"])
        try await site.send()
        #expect(try site.crm.value("SELECT state FROM outbox_messages") == "held")
        try site.crm.foreign("UPDATE leads SET company = 'Lee'")
        try site.crm.foreign("UPDATE outbox_messages SET state = 'waiting'")
        let quiet = try site.crm.reopened("")
        try await quiet.work()
        #expect(try quiet.rows("SELECT state, links_watched FROM outbox_messages") == ["sent|1"])
    }
}
