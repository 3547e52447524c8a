import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MailHitsTests {
    private func status(_ site: MailSite, _ path: String) async throws -> Int {
        do { return try await site.ask(path).status } catch let problem as WebProblem { return problem.status }
    }

    // MARK: - Links

    @Test func `a link leads on at once and tells nobody where from`() async throws {
        let site = try MailSite()
        try await site.send()
        let reply = try await site.ask(site.links()[0])
        #expect(reply.status == 302)
        #expect(
            reply.headers.map { "\($0.name): \($0.value)" } == [
                "location: https://acme.example/read?a=1&b=2", "cache-control: no-store",
                "referrer-policy: no-referrer",
            ])
        #expect(
            try site.crm.rows(
                "SELECT message_id, lead_id, link_id, method, is_prefetch, agent, network, at, verdict FROM mail_hits")
                == [
                    "1|1|1|GET|0|\(MailSite.browser)|203.0.113.0/24|2026-03-02 09:00:00.000|"
                ])
        #expect(try site.crm.events().filter { $0.hasPrefix("mail.") } == ["mail.sent"])
    }

    @Test func `a token that was changed, made up or made for something else leads nowhere`() async throws {
        let site = try MailSite(mail: "tracking: clicks and opens")
        try await site.send()
        let link = site.links()[0]
        for position in stride(from: 3, to: link.count, by: 1) {
            var bytes = Array(link.utf8)
            bytes[position] = bytes[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(try await status(site, String(decoding: bytes, as: UTF8.self)) == 404)
        }
        let signer = try site.crm.kernel.signer
        for (purpose, subject) in [
            ("open", "1.1"), ("unsubscribe", "1"), ("click", "1"), ("click", ""), ("click", "1.x"), ("click", "1.2.3"),
            ("click", "x.1"), ("click", "1.999"), ("click", "https://evil.example"),
            ("click", "99999999999999999999.1"),
        ] {
            #expect(
                try await status(site, "/c/" + signer.token(purpose: purpose, subject: subject)) == 404, "\(subject)")
        }
        for (purpose, subject) in [("click", "1"), ("open", "1.1"), ("open", "x"), ("open", "")] {
            #expect(try await status(site, "/o/" + signer.token(purpose: purpose, subject: subject)) == 404)
        }
        #expect(try await status(site, "/c/x") == 404)
        #expect(try site.crm.value("SELECT count(*) FROM mail_hits") == "0")
    }

    @Test func `no address is followed that no mail had`() async throws {
        let site = try MailSite()
        try await site.send()
        #expect(throws: (any Error).self) {
            try site.crm.foreign("INSERT INTO mail_links (url) VALUES ('javascript:alert(1)')")
        }
        let made = try site.crm.kernel.signer.token(purpose: "click", subject: "1.77")
        #expect(try await status(site, "/c/\(made)") == 404)
    }

    @Test func `the link of an erased lead still leads on, and nothing is noted`() async throws {
        let site = try MailSite()
        try await site.send()
        try await site.ask(site.links()[0])
        _ = try Person(email: "ann1@acme.example").erase(site.crm.kernel)
        #expect(try site.crm.rows("SELECT agent, network FROM mail_hits") == ["|"])
        #expect(try await site.ask(site.links()[1]).status == 302)
        #expect(try site.crm.value("SELECT count(*) FROM mail_hits") == "1")
        try site.judge()
        #expect(try site.facts() == [])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `who takes the consent back is sent on and not noted`() async throws {
        let site = try MailSite(mail: "tracking_consent: measuring", consents: ["newsletter", "measuring"])
        try await site.send()
        try site.crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'measuring', 'withdrawn')")
        #expect(try await site.ask(site.links()[0]).status == 302)
        #expect(try site.crm.value("SELECT count(*) FROM mail_hits") == "0")
    }

    @Test func `a mail that somebody published does not fill the file`() async throws {
        let site = try MailSite()
        try await site.send()
        for _ in 1...MailHits.hitsPerHourMax + 5 { #expect(try await site.ask(site.links()[0]).status == 302) }
        #expect(try site.crm.value("SELECT count(*) FROM mail_hits") == "\(MailHits.hitsPerHourMax)")
        site.crm.clock.advance(by: "61 minutes")
        try await site.ask(site.links()[0])
        #expect(try site.crm.value("SELECT count(*) FROM mail_hits") == "\(MailHits.hitsPerHourMax + 1)")
    }

    @Test func `where nothing can be written the person is sent on all the same`() async throws {
        let site = try MailSite()
        try await site.send()
        try site.crm.foreign("CREATE TRIGGER full BEFORE INSERT ON mail_hits BEGIN SELECT RAISE(ABORT, 'full'); END")
        #expect(try await site.ask(site.links()[0]).status == 302)
        #expect(try site.crm.value("SELECT count(*) FROM mail_hits") == "0")
    }

    // MARK: - Openings

    @Test(arguments: ["", ".gif"]) func `the picture is one that nobody sees, and is never kept`(_ ending: String)
        async throws
    {
        let site = try MailSite(mail: "tracking: clicks and opens")
        try await site.send()
        let token = try site.crm.kernel.signer.token(purpose: "open", subject: "1")
        let reply = try await site.ask("/o/\(token)\(ending)")
        #expect(reply.status == 200 && reply.headers.map(\.value) == ["image/gif", "no-store"])
        guard case .bytes(let bytes) = reply.body else {
            Issue.record("there is no picture")
            return
        }
        #expect(bytes.count == 43 && bytes.starts(with: "GIF89a".utf8) && bytes.last == 0x3B)
        #expect(try site.crm.rows("SELECT lead_id, link_id FROM mail_hits") == ["1|"])
    }

    @Test func `a site that no longer watches notes nothing of mails it watched`() async throws {
        let site = try MailSite(mail: "tracking: clicks and opens")
        try await site.send()
        let path = try "/o/" + site.crm.kernel.signer.token(purpose: "open", subject: "1")
        let link = site.links()[0]
        let later = MailSite(crm: try site.crm.reopened("", site: TestKernel.site))
        try await later.ask(path)
        #expect(try later.crm.value("SELECT count(*) FROM mail_hits") == "0")
        #expect(try await later.ask(link).status == 302)
        #expect(try later.crm.value("SELECT count(*) FROM mail_hits") == "1")
    }

    @Test func `hits are judged a minute later at the least, and at the end of a minute`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.set("2026-03-02 09:05:10")
        try await site.ask(site.links()[0])
        site.crm.clock.set("2026-03-02 09:05:50")
        try await site.ask(site.links()[1])
        #expect(
            try site.crm.rows("SELECT kind, owner, due_at FROM scheduled_events") == [
                "mail.hits_gathered|kernel|2026-03-02 09:07:00.000"
            ])
        site.crm.clock.set("2026-03-02 09:06:59")
        try site.crm.pump()
        #expect(try site.verdicts() == ["|", "|"])
        site.crm.clock.set("2026-03-02 09:07:00")
        try site.crm.pump()
        #expect(try site.verdicts() == ["person|", "person|"])
    }
}
