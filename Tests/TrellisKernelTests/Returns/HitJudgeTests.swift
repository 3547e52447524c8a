import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct HitJudgeTests {
    // MARK: - A gate, and then a person

    @Test func `a gate that follows every link as the mail comes in tells nothing about the lead`() async throws {
        let site = try MailSite(mail: "tracking: clicks and opens")
        try await site.send()
        let gate = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
        for link in site.links() {
            try await site.ask(link, method: "HEAD", agent: gate, from: "198.51.100.9")
            site.crm.clock.advance(by: "1 second")
            try await site.ask(link, agent: gate, from: "198.51.100.9")
        }
        let picture = try "/o/" + site.crm.kernel.signer.token(purpose: "open", subject: "1")
        try await site.ask(picture, agent: gate, from: "198.51.100.9")
        try site.judge()
        #expect(
            try site.verdicts() == [
                "machine|asked by HEAD, as no person does", "machine|within 10 seconds of being sent",
                "machine|asked by HEAD, as no person does", "machine|within 10 seconds of being sent",
                "machine|within 10 seconds of being sent",
            ])
        #expect(try site.facts() == [])
        // The reader comes an hour later.
        site.crm.clock.advance(by: "1 hour")
        try await site.ask(picture)
        site.crm.clock.advance(by: "20 seconds")
        try await site.ask(site.links()[1])
        try site.judge()
        #expect(
            try site.facts() == [
                #"mail.clicked|1|{"mail":"news","message_id":1,"link_id":2}"#,
                #"mail.opened|1|{"mail":"news","message_id":1}"#,
            ])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `a gate that comes late is known by following every link at once`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try await site.ask(site.links()[0])
        site.crm.clock.advance(by: "5 seconds")
        try await site.ask(site.links()[1])
        try site.judge()
        let expected = "machine|every link of the mail within 5 seconds"
        #expect(try site.verdicts() == [expected, expected])
        #expect(try site.facts() == [])
    }

    @Test func `a person may read one link after the other`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try await site.ask(site.links()[0])
        site.crm.clock.advance(by: "6 seconds")
        try await site.ask(site.links()[1])
        try site.judge()
        #expect(try site.verdicts() == ["person|", "person|"])
        #expect(try site.facts().count == 2)
    }

    @Test func `the only link of a mail is no sign of a machine`() async throws {
        let site = try MailSite(files: ["mails/news.md": "---\nsubject: N\n---\n[a](https://a.example)\n"])
        try await site.send()
        site.crm.clock.advance(by: "11 seconds")
        try await site.ask(site.links()[0])
        try site.judge()
        #expect(try site.verdicts() == ["person|"])
    }

    @Test func `a click within ten seconds is that of a machine, and one before the mail server answered`() async throws
    {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "9 seconds")
        try await site.ask(site.links()[0])
        try site.crm.foreign("UPDATE outbox_messages SET settled_at = '2026-03-02 09:00:15.000'")
        try site.judge()
        #expect(try site.verdicts() == ["machine|within 10 seconds of being sent"])
    }

    @Test func `three leads of one network at once are a gate, two are colleagues`() async throws {
        for (count, expected) in [
            (2, "person|"), (3, "machine|mails of 3 leads or more from one network within 5 seconds"),
        ] {
            let site = try MailSite(leads: 3)
            try await site.send()
            site.crm.clock.advance(by: "3 hours")
            for index in 0..<count { try await site.ask(site.links(index)[0], from: "203.0.113.\(index + 1)") }
            site.crm.clock.advance(by: "1 minute")
            try await site.ask(site.links(2)[1], from: "198.51.100.1")
            try site.judge()
            #expect(try site.verdicts() == Array(repeating: expected, count: count) + ["person|"])
        }
    }

    // MARK: - What it calls itself

    @Test(arguments: [
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", false, true),
        ("Mozilla/5.0", false, true),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", false, true),
        ("curl/8.5.0", true, true), ("python-requests/2.32", true, true), ("Barracuda Sentinel (EE)", true, true),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0", true, true),
        ("Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0) SkypeUriPreview Preview/0.5", true, true),
        (MailSite.browser, false, false),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            false, false
        ),
    ])
    func `known programs are no persons`(_ agent: String, _ clicks: Bool, _ opens: Bool) async throws {
        let site = try MailSite(mail: "tracking: clicks and opens")
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try await site.ask(site.links()[0], agent: agent)
        site.crm.clock.advance(by: "1 minute")
        try await site.ask(try "/o/" + site.crm.kernel.signer.token(purpose: "open", subject: "1"), agent: agent)
        try site.judge()
        #expect(
            try site.crm.rows("SELECT verdict = 'machine' FROM mail_hits ORDER BY id") == [
                clicks ? "1" : "0", opens ? "1" : "0",
            ])
    }

    @Test func `who names no program or only fetches ahead is no person`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try await site.ask(site.links()[0], agent: nil)
        site.crm.clock.advance(by: "1 minute")
        try await site.ask(site.links()[0], headers: ["sec-purpose": "prefetch;prerender"])
        try site.judge()
        #expect(try site.verdicts() == ["machine|named no program", "machine|fetched ahead by a browser"])
    }

    // MARK: - Rules of the site

    @Test func `a site adds rules of its own, which follow those of the kernel`() async throws {
        let site = try MailSite(
            mail:
                "machine_hits: {our-office: \"network = '203.0.113.0/24'\", early: \"seconds_after_sending < 3600 AND kind = 'click'\"}"
        )
        try await site.send()
        site.crm.clock.advance(by: "30 minutes")
        try await site.ask(site.links()[0])
        site.crm.clock.advance(by: "1 minute")
        try await site.ask(site.links()[0], from: "198.51.100.1")
        site.crm.clock.advance(by: "1 hour")
        try await site.ask(site.links()[0], from: "198.51.100.1")
        try site.judge()
        #expect(try site.verdicts() == ["machine|rule our-office", "machine|rule early", "person|"])
    }

    @Test func `a rule that is no SQL over a hit is told with its place`() throws {
        #expect {
            _ = try MailSite(mail: "machine_hits: {office: \"netwrk = 'x'\"}")
        } throws: { error in
            "\(error)".contains("mail.machine_hits.office: SQL: no such column: netwrk.")
        }
        #expect {
            _ = try MailSite(mail: "tracking: opens")
        } throws: { error in
            "\(error)".contains("mail.tracking: expected one of clicks, clicks and opens, none, got 'opens'")
        }
    }

    // MARK: - Facts

    @Test func `a link pressed again is one fact an hour`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        for _ in 1...3 {
            try await site.ask(site.links()[0])
            site.crm.clock.advance(by: "20 minutes")
            try site.crm.pump()
        }
        #expect(try site.facts().count == 1)
        site.crm.clock.advance(by: "1 hour")
        try await site.ask(site.links()[0])
        try await site.ask(site.links()[0])
        try site.judge()
        #expect(try site.facts().count == 2)
        #expect(try site.verdicts() == Array(repeating: "person|", count: 5))
    }

    @Test func `more hits than one transaction takes are judged in several`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try site.crm.foreign(
            """
            INSERT INTO mail_hits (message_id, lead_id, link_id, method, agent, network, at)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
            SELECT 1, 1, 1, 'GET', 'Firefox', NULL, strftime('%Y-%m-%d %H:%M:%f', '2026-03-02 09:10:00', '+' || (i * 2) || ' seconds') FROM n
            """)
        try await site.ask(site.links()[0])
        try site.judge()
        #expect(try site.crm.rows("SELECT verdict, count(*) FROM mail_hits GROUP BY 1") == ["person|2501"])
        #expect(try site.facts().count == 2)
        #expect(try site.crm.value("SELECT count(*) FROM scheduled_events") == "0")
    }

    @Test func `a month later it is forgotten where a hit came from`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try await site.ask(site.links()[0])
        try site.judge()
        site.crm.clock.advance(by: "31 days")
        try await site.ask(site.links()[1])
        try site.judge()
        #expect(
            try site.crm.rows("SELECT network, verdict FROM mail_hits ORDER BY id") == [
                "|person", "203.0.113.0/24|person",
            ])
    }

    @Test func `a lead merged into another takes its clicks along`() async throws {
        let site = try MailSite(leads: 2)
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try await site.ask(site.links(0)[0])
        try site.crm.kernel.write(origin: "cli") { try $0.merge(1, into: 2) }
        try site.judge()
        #expect(try site.facts() == [#"mail.clicked|2|{"mail":"news","message_id":1,"link_id":1}"#])
    }

    // MARK: - Figures

    @Test func `each figure stands beside what it is counted against`() async throws {
        let site = try MailSite(mail: "tracking: clicks and opens, tracking_consent: measuring", leads: 4)
        try site.crm.foreign(
            "INSERT INTO consents (lead_id, purpose, state) SELECT id, 'measuring', 'granted' FROM leads WHERE id > 1")
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        #expect(site.links(0) == [])
        for index in [1, 1, 2] {
            try await site.ask(site.links(index)[0])
            site.crm.clock.advance(by: "1 minute")
        }
        try await site.ask(site.links(3)[0], agent: "curl/8")
        try await site.ask(try "/o/" + site.crm.kernel.signer.token(purpose: "open", subject: "3"))
        try site.judge()
        #expect(
            try site.crm.rows(
                """
                SELECT mail, sent, people_sent, people_with_links, people_clicked, clicked_percent, people_with_picture,
                       people_opened, opened_percent, machine_hits FROM mail_engagement
                """) == ["news|4|4|3|2|66.7|3|1|33.3|1"])
    }

    @Test func `it is forgotten where hits came from though none is judged any more`() async throws {
        let site = try MailSite()
        try await site.send()
        site.crm.clock.advance(by: "3 hours")
        try await site.ask(site.links()[0])
        site.crm.clock.advance(by: "29 days")
        #expect(try !site.crm.kernel.write(origin: "kernel") { try HitJudge.forget($0) })
        #expect(try site.crm.rows("SELECT network FROM mail_hits") == ["203.0.113.0/24"])
        site.crm.clock.advance(by: "2 days")
        #expect(try !site.crm.kernel.write(origin: "kernel") { try HitJudge.forget($0) })
        #expect(try site.crm.rows("SELECT network, agent, verdict FROM mail_hits") == ["||"])
    }
}
