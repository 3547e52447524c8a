import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct ConfirmationTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    /// Asks for the guide with both boxes ticked, and returns the link in the mail that comes.
    private func ask(_ email: String = "ann@a.example") async throws -> String {
        try await browser.fillIn(
            "guide", ["email": email, "first_name": "Ann", "consent_ads": "on", "consent_newsletter": "on"])
        try await crm.work()
        return try #require(crm.link("confirm", to: email))
    }

    private func status(_ body: () async throws -> WebReply) async throws -> Int {
        do {
            return try await body().status
        } catch let problem as WebProblem {
            return problem.status
        }
    }

    private func picture() throws -> [String] {
        try crm.rows("SELECT kind FROM events ORDER BY id")
            + crm.rows("SELECT purpose, state FROM consents ORDER BY id")
            + crm.rows("SELECT magnet, state FROM magnets_submissions ORDER BY id")
            + crm.rows("SELECT * FROM suppressions")
    }

    // MARK: - Looking

    @Test func `to look at the page changes nothing`() async throws {
        let link = try await ask()
        let before = try picture()
        for method in ["GET", "GET", "HEAD"] {
            let reply = try await browser.get(link, method: method)
            #expect(reply.status == 200 && reply.pageName == "confirm")
        }
        try await crm.work()
        #expect(try picture() == before)
        #expect(
            try crm.rows("SELECT purpose, state FROM consents ORDER BY id") == [
                "ads|requested", "newsletter|requested",
            ])
        #expect(crm.transport.sent.count == 1)
    }

    @Test func `the page says what for, to whom and what else is agreed to`() async throws {
        let page = try await browser.get(try await ask()).page
        #expect(page.text("title_of_offer") == "The guide" && page.text("address") == "a•••@a.example")
        #expect(page.list("purposes").map { $0.text("text") } == ["Yes, show me ads.", "Yes, write to me."])
        #expect(page["is_private"] == true)
        #expect(page.text("reject_action") == page.text("action") + "/reject")
    }

    // MARK: - Confirming

    @Test func `the button grants what was asked for, with its proof, and hands it over`() async throws {
        let link = try await ask()
        crm.clock.advance(by: "1 hour")
        var phone = browser
        (phone.client, phone.headers) = (try #require(ClientAddress("198.51.100.4")), ["user-agent": "Phone"])
        let reply = try await phone.post(link)
        #expect(reply.status == 303 && reply.header("location")?.hasPrefix("/confirmed/") == true)
        #expect(
            try crm.rows("SELECT purpose, text, source, page, network, agent, at FROM consents WHERE state = 'granted'")
                == [
                    "ads|Yes, show me ads.|form:guide|https://crm.acme.example/confirm|198.51.100.0/24|Phone|2026-03-02 10:00:03.000",
                    "newsletter|Yes, write to me.|form:guide|https://crm.acme.example/confirm|198.51.100.0/24|Phone|2026-03-02 10:00:03.000",
                ])
        try await crm.work()
        #expect(
            try crm.events() == [
                "lead.created", "consent.requested", "consent.requested", "form.submitted", "mail.sent",
                "consent.granted", "consent.granted", "form.confirmed", "asset.downloaded", "mail.sent",
            ])
        #expect(
            try crm.rows("SELECT body, origin FROM events WHERE kind = 'form.confirmed'") == [
                #"{"form":"guide"}|form:guide"#
            ])
        #expect(crm.transport.sent.map(\.subject) == ["Please confirm: The guide", "The guide"])
        #expect(try crm.rows("SELECT magnet, state FROM magnets_submissions") == ["guide|delivered"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the page after it hands over at once, and may be loaded again`() async throws {
        let done = try await browser.post(try await ask())
        for _ in 1...2 {
            let page = try await browser.follow(done).page
            #expect(page.text("heading") == "Thank you, that is confirmed")
            #expect(page.text("text") == "The guide is yours. You will find it in your mail too.")
            #expect(try await browser.get(page.text("download_url")).status == 200)
        }
    }

    @Test func `pressed twice, the button does nothing more`() async throws {
        let link = try await ask()
        _ = try await browser.post(link)
        try await crm.work()
        let before = try picture()
        crm.clock.advance(by: "1 hour")
        #expect(try await browser.post(link).status == 303)
        try await crm.work()
        #expect(try await browser.follow(try await browser.get(link)).pageName == "thanks")
        #expect(try picture() == before)
        #expect(crm.transport.sent.count == 2)
        #expect(try crm.troubles() == [])
    }

    @Test func `one confirmation hands over all that waited, each once`() async throws {
        try await browser.fillIn("map", ["email": "ann@a.example", "consent_calls": "on"])
        try await browser.fillIn("atlas", ["email": "ann@a.example"])
        let link = try await ask()
        #expect(link.contains("/confirm/"))
        #expect(crm.transport.sent.count == 1)
        _ = try await browser.post(link)
        for _ in 1...2 { try await crm.work() }
        #expect(
            try crm.rows("SELECT magnet, state FROM magnets_submissions ORDER BY magnet") == [
                "atlas|delivered", "guide|delivered", "map|delivered",
            ])
        #expect(
            try crm.rows(
                "SELECT json_extract(body, '$.magnet') FROM events WHERE kind = 'asset.downloaded' ORDER BY 1"
            ) == ["atlas", "guide", "map"])
        // The atlas is for its page; the page they have before them is that of the guide.
        #expect(
            crm.transport.sent.dropFirst().map(\.subject).sorted() == ["The atlas", "The guide", "The map"])
        #expect(
            try crm.rows("SELECT purpose, state FROM consents_now ORDER BY 1") == [
                "ads|granted", "calls|granted", "newsletter|granted",
            ])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Refusing

    @Test func `whoever did not ask for it gets no mail any more`() async throws {
        let link = try await ask()
        let reply = try await browser.post(link + "/reject")
        #expect(reply.status == 200 && reply.pageName == "rejected")
        #expect(
            try crm.rows("SELECT email, reason, origin FROM suppressions") == ["ann@a.example|complained|form:guide"])
        #expect(try crm.rows("SELECT state FROM magnets_submissions") == ["rejected"])
        _ = try await browser.post(link + "/reject")
        try crm.capture(["email": "ann@a.example"], form: "tool")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        #expect(
            try crm.rows("SELECT reason FROM outbox_messages WHERE state = 'cancelled'") == [
                "the address is suppressed"
            ])
        #expect(try crm.rows("SELECT state FROM consents_now") == ["withdrawn", "withdrawn"])
        // The link confirms nothing afterwards.
        #expect(try await status { try await browser.get(link) } == 410)
        #expect(try await status { try await browser.post(link) } == 410)
        #expect(try crm.rows("SELECT state FROM consents_now") == ["withdrawn", "withdrawn"])
        #expect(try crm.value("SELECT count(*) FROM events WHERE kind = 'form.confirmed'") == "0")
        #expect(try crm.troubles() == [])
    }

    @Test func `whoever says so after a confirmation takes back what was granted by it`() async throws {
        let link = try await ask()
        _ = try await browser.post(link)
        try await crm.work()
        #expect(
            try crm.rows("SELECT purpose, state FROM consents_now ORDER BY 1") == ["ads|granted", "newsletter|granted"])
        for _ in 1...2 { #expect(try await browser.post(link + "/reject").pageName == "rejected") }
        #expect(
            try crm.rows("SELECT purpose, state, source FROM consents WHERE id > 4 ORDER BY purpose") == [
                "ads|withdrawn|form:guide", "newsletter|withdrawn|form:guide",
            ])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Links that lead nowhere

    @Test func `a link too old has expired, whichever way it is followed`() async throws {
        let link = try await ask()
        crm.clock.advance(by: "7 days")
        #expect(try await status { try await browser.get(link) } == 410)
        #expect(try await status { try await browser.post(link) } == 410)
        #expect(try await status { try await browser.post(link + "/reject") } == 410)
        #expect(try crm.rows("SELECT state FROM consents_now") == ["requested", "requested"])
        #expect(try crm.rows("SELECT state FROM magnets_submissions") == ["waiting"])
    }

    @Test func `a link of another kind or another site leads nowhere`() async throws {
        let signer = try crm.kernel.config.signer
        for subject in ["17", "[17]", #"["guide",17]"#, #"[17,"gone"]"#] {
            let link = "/confirm/" + signer.token(purpose: "confirm", subject: subject)
            #expect(try await status { try await browser.post(link) } == 404, "\(subject)")
        }
        let other = signer.token(purpose: "confirmed", subject: #"[17,"guide"]"#)
        #expect(try await status { try await browser.post("/confirm/\(other)") } == 404)
        #expect(try await status { try await browser.get("/confirmed/abc") } == 404)
        #expect(try crm.events() == [])
    }

    @Test func `once the person is erased the link brings nobody back and suppresses nobody`() async throws {
        let link = try await ask()
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        let events = try crm.events()
        #expect(try await status { try await browser.get(link) } == 410)
        #expect(try await status { try await browser.post(link) } == 410)
        #expect(try await browser.post(link + "/reject").status == 200)
        try await crm.work()
        #expect(try crm.events() == events)
        #expect(try crm.rows("SELECT id FROM leads") == [] && crm.rows("SELECT * FROM consents") == [])
        #expect(try crm.rows("SELECT email, reason FROM suppressions") == ["|erased"])
    }

    @Test func `a lead that was merged confirms for the one that was kept`() async throws {
        let link = try await ask()
        let kept = try crm.capture(["external_id": "A-1"])
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: kept) }
        #expect(try await browser.get(link).page.text("address") == "a•••@a.example")
        _ = try await browser.post(link)
        try await crm.work()
        #expect(
            try crm.rows("SELECT lead_id, purpose, state FROM consents_now ORDER BY purpose") == [
                "\(kept)|ads|granted", "\(kept)|newsletter|granted",
            ])
        #expect(try crm.rows("SELECT lead_id, magnet, state FROM magnets_submissions") == ["\(kept)|guide|delivered"])
        #expect(crm.transport.sent.map(\.subject) == ["Please confirm: The guide", "The guide"])
    }

    @Test func `read again from its start, the log asks nobody once more`() async throws {
        for magnet in ["guide", "map"] {
            try await browser.fillIn(magnet, ["email": "ann@a.example"])
            try await crm.work()
            crm.clock.advance(by: "1 hour")
        }
        crm.clock.advance(by: "3 days")
        #expect(crm.transport.sent.count == 1)
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(sql: "UPDATE subscribers SET last_event_id = 0 WHERE id = 'lead_magnets/deliver'")
        }
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        // A form that is new is asked about.
        try await browser.fillIn("map", ["email": "ann@a.example"])
        try await crm.work()
        #expect(crm.transport.sent.count == 2)
        #expect(try crm.troubles() == [])
    }
}
