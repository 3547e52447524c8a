import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct LapseTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    @discardableResult
    private func ask(_ email: String, for magnet: String = "guide") throws -> Int64 {
        let lead = try crm.capture(["email": email, "first_name": "Ann"], form: magnet, consents: ["newsletter"])
        try crm.pump()
        return lead
    }

    private func emails() throws -> [String] { try crm.rows("SELECT email FROM leads ORDER BY email") }

    private func submissions() throws -> [String] {
        try crm.rows("SELECT lead_id, state, lapsed_at FROM magnets_submissions ORDER BY id")
    }

    // MARK: - What goes

    @Test func `a stranger who never confirmed is gone after thirty days, to the last word`() async throws {
        try await browser.fillIn("guide", ["email": "eve@e.example", "first_name": "Zebulon", "consent_ads": "on"])
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        crm.clock.advance(by: "30 days")
        try await crm.work()
        #expect(try emails() == ["eve@e.example"])
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(try emails() == [])
        #expect(try submissions() == ["1|rejected|2026-04-02 09:00:03.000"])
        for table in ["consents", "touches", "magnets_visits", "trash"] {
            #expect(try crm.value("SELECT count(*) FROM \(table)") == "0", "\(table)")
        }
        #expect(
            try crm.events() == [
                "lead.created", "consent.requested", "form.submitted", "mail.sent", "magnets.lapse_due", "lead.deleted",
            ])
        let tables = try crm.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for table in tables where table != "magnets_domains" {
            let text = try crm.rows("SELECT * FROM \(table)").joined().lowercased()
            #expect(!text.contains("eve@") && !text.contains("zebulon"), "\(table)")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `what a stranger told in a browser goes too: who comes again there is one person`() async throws {
        var browser = Browser(try MagnetSite.crm("visitors: always"))
        browser.headers["cookie"] = "trellis_visitor=0123456789abcdef0123456789abcdef"
        let told = "SELECT DISTINCT lead_id FROM magnets_told"
        try await browser.fillIn("guide", ["email": "eve@e.example", "first_name": "Eve"])
        try await browser.crm.work()
        #expect(try browser.crm.rows(told) == ["1"])
        browser.crm.clock.advance(by: "31 days")
        try await browser.crm.work()
        for table in ["leads", "magnets_told", "magnets_visits"] {
            #expect(try browser.crm.value("SELECT count(*) FROM \(table)") == "0", "\(table)")
        }
        try await browser.fillIn("guide", ["email": "eve@e.example", "first_name": "Eve"])
        #expect(try browser.crm.rows(told) == browser.crm.rows("SELECT id FROM leads"))
        #expect(try browser.crm.troubles() == [])
    }

    @Test func `the link in the mail of who is gone says that it is too old`() async throws {
        try await browser.fillIn("guide", ["email": "eve@e.example"])
        try await crm.work()
        let link = try #require(crm.link("confirm", to: "eve@e.example"))
        crm.clock.advance(by: "31 days")
        try await crm.work()
        let problem = await #expect(throws: WebProblem.self) { try await browser.get(link) }
        #expect(problem?.status == 410)
    }

    @Test func `who comes again after that begins anew`() async throws {
        try ask("eve@e.example")
        crm.clock.advance(by: "31 days")
        try await crm.work()
        let lead = try ask("eve@e.example")
        try await crm.work()
        #expect(crm.transport.sent.last?.subject == "Please confirm: The guide")
        #expect(try crm.rows("SELECT id FROM leads") == ["\(lead)"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a hundred strangers of a day go by one appointment`() async throws {
        for number in 1...100 { try crm.capture(["email": "s\(number)@s.example"], form: "guide") }
        try crm.pump()
        #expect(
            try crm.rows("SELECT key, due_at FROM scheduled_events WHERE kind = 'magnets.lapse_due'") == [
                "magnets lapse 2026-04-02|2026-04-02 00:00:00.000"
            ])
        crm.clock.set("2026-04-02 00:00:00")
        try crm.pump()
        #expect(try emails() == [])
        #expect(try crm.rows("SELECT key FROM scheduled_events") == [])
    }

    // MARK: - What stays

    @Test func `who confirmed, or is known otherwise, stays`() async throws {
        try await browser.fillIn("guide", ["email": "confirmed@a.example"])
        try await crm.work()
        _ = try await browser.post(try #require(crm.link("confirm", to: "confirmed@a.example")))
        try crm.capture(["email": "imported@a.example"])
        try ask("imported@a.example")
        try ask("customer@a.example", for: "plan")
        try ask("customer@a.example")
        let deal = try ask("deal@a.example")
        try crm.foreign("INSERT INTO opportunities (name, lead_id) VALUES ('Deal', \(deal))")
        try ask("owned@a.example")
        try crm.foreign("UPDATE leads SET owner = 'rep' WHERE email = 'owned@a.example'")
        try ask("granted@a.example")
        try crm.foreign(
            "INSERT INTO consents (lead_id, purpose, state) SELECT id, 'calls', 'granted' FROM leads WHERE email = 'granted@a.example'"
        )
        try ask("stranger@a.example")
        crm.clock.advance(by: "40 days")
        try await crm.work()
        #expect(
            try emails() == [
                "confirmed@a.example", "customer@a.example", "deal@a.example", "granted@a.example",
                "imported@a.example", "owned@a.example",
            ])
        #expect(try crm.value("SELECT count(*) FROM magnets_submissions WHERE state = 'waiting'") == "0")
        #expect(
            try crm.value(
                "SELECT count(*) FROM consents WHERE lead_id = (SELECT id FROM leads WHERE email = 'imported@a.example')"
            )
                == "1")
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that another became stays`() async throws {
        let (gone, kept) = (try ask("gone@a.example"), try ask("kept@a.example"))
        try crm.kernel.write(origin: "form:guide") { try $0.merge(gone, into: kept) }
        crm.clock.advance(by: "31 days")
        try await crm.work()
        #expect(try emails() == ["kept@a.example"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the last form of a lead counts, and its day is not forgotten`() async throws {
        try ask("eve@e.example")
        crm.clock.advance(by: "20 days")
        try ask("eve@e.example", for: "map")
        crm.clock.advance(by: "11 days")
        try await crm.work()
        #expect(try emails() == ["eve@e.example"])
        #expect(try submissions() == ["1|waiting|", "1|waiting|"])
        crm.clock.advance(by: "20 days")
        try await crm.work()
        #expect(try emails() == [])
        #expect(try submissions().allSatisfy { $0.hasPrefix("1|rejected|2026-04") })
    }

    @Test func `that an address is suppressed is remembered`() async throws {
        try await browser.fillIn("guide", ["email": "eve@e.example"])
        try await browser.fillIn("map", ["email": "fay@f.example"])
        try await crm.work()
        _ = try await browser.post(try #require(crm.link("confirm", to: "eve@e.example")) + "/reject")
        crm.clock.advance(by: "31 days")
        try await crm.work()
        // Who said "not me" is kept out by the address, which must be kept for that.
        #expect(try emails() == ["eve@e.example"])
        #expect(try crm.rows("SELECT email, reason FROM suppressions") == ["eve@e.example|complained"])
        #expect(try submissions() == ["1|rejected|", "2|rejected|2026-04-02 09:00:06.000"])
    }

    // MARK: - When

    @Test func `the span is the site's, and no link outlives its form`() async throws {
        for (settings, days) in [
            ("unconfirmed_after: 3 days", 7), ("{link_days: 2, unconfirmed_after: 3 days}", 3), ("link_days: 60", 60),
        ] {
            let more = settings.hasPrefix("{") ? "link_days: 2\n    unconfirmed_after: 3 days" : settings
            let crm = try MagnetSite.crm(more)
            try crm.capture(["email": "eve@e.example"], form: "guide")
            try crm.pump()
            crm.clock.advance(by: "\(days) days")
            try crm.pump()
            #expect(try crm.value("SELECT count(*) FROM leads") == "1", "\(settings)")
            crm.clock.advance(by: "1 day")
            try crm.pump()
            #expect(try crm.value("SELECT count(*) FROM leads") == "0", "\(settings)")
        }
    }

    @Test func `more than fit into one transaction go one after the other, at once`() async throws {
        try crm.foreign(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= \(Lapse.most))
            INSERT INTO magnets_submissions (magnet, lead_id, event_id, at, state) SELECT 'guide', i, i, '2025-01-01 00:00:00.000', 'waiting' FROM n
            """)
        try ask("eve@e.example")
        crm.clock.advance(by: "31 days")
        try crm.pump()
        #expect(try crm.value("SELECT count(*) FROM magnets_submissions WHERE state = 'waiting'") == "0")
        #expect(try crm.events().filter { $0 == "magnets.lapse_due" }.count == 2)
    }

    @Test func `read again from its start, the log brings nobody back and asks nobody again`() async throws {
        try ask("eve@e.example")
        try await crm.work()
        crm.clock.advance(by: "31 days")
        try await crm.work()
        let sent = crm.transport.sent.count
        _ = try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(sql: "UPDATE subscribers SET last_event_id = 0 WHERE id GLOB 'lead_magnets/*'")
        }
        try await crm.work()
        #expect(crm.transport.sent.count == sent)
        #expect(try emails() == [])
        #expect(try submissions() == ["1|rejected|2026-04-02 09:00:00.000"])
        #expect(try crm.troubles() == [])
    }
}
