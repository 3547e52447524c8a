import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct DeliveryTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    /// Fills in a form for Ann, and lets the worker do what follows.
    private func ask(_ magnet: String, _ consents: KeyValuePairs<String, String> = [:]) async throws {
        let form = try await browser.open("/offers/\(magnet)")
        _ = try await browser.post(
            form.action, form.hidden + [("email", "ann@a.example")] + consents.map { ($0.key, $0.value) })
        try await crm.work()
    }

    private func confirm() async throws {
        let link = try #require(crm.link("confirm", to: "ann@a.example"))
        _ = try await browser.post(link)
        try await crm.work()
    }

    @Test func `whether a lead confirmed is asked of its own events, and not of all confirmations`() throws {
        let plan = try crm.rows(
            "EXPLAIN QUERY PLAN SELECT \(Delivery.isConfirmed) FROM (SELECT id, lead_id, lead_id AS lead FROM events) AS form"
        )
        #expect(plan.contains { $0.contains("events_by_lead") }, "\(plan)")
        #expect(!plan.contains { $0.contains("events_by_kind") }, "\(plan)")
    }

    private var subjects: [String] { crm.transport.sent.map(\.subject) }

    // MARK: - Double opt-in

    @Test func `with double opt-in nothing is handed over before the address is confirmed`() async throws {
        try await ask("guide", ["consent_newsletter": "on"])
        #expect(try crm.events() == ["lead.created", "consent.requested", "form.submitted", "mail.sent"])
        #expect(
            try crm.rows("SELECT magnet, state, delivered_by, delivered_as, handed_at FROM magnets_submissions") == [
                "guide|waiting||asset.downloaded|"
            ])
        #expect(subjects == ["Please confirm: The guide"])
        let text = try #require(crm.transport.sent.first).text
        #expect(text.contains("/confirm/") && !text.contains("/download/") && !text.contains("/unsubscribe/"))
        crm.clock.advance(by: "30 days")
        try await crm.work()
        #expect(subjects.count == 1)
        try await confirmExpired()
        #expect(try crm.troubles() == [])
    }

    /// A month later the link in the mail is too old.
    private func confirmExpired() async throws {
        let link = try #require(crm.link("confirm", to: "ann@a.example"))
        await #expect(throws: WebProblem.self) { try await browser.post(link) }
    }

    @Test func `a form that comes by a command waits for its confirmation too`() async throws {
        try crm.capture(["email": "ann@a.example"], form: "guide", consents: ["newsletter"])
        try await crm.work()
        #expect(try crm.rows("SELECT state FROM consents") == ["requested"])
        #expect(try crm.rows("SELECT state FROM magnets_submissions") == ["waiting"])
        try await confirm()
        #expect(subjects == ["Please confirm: The guide", "The guide"])
    }

    @Test func `an address is asked to confirm once a day, for all magnets together`() async throws {
        try await ask("guide")
        for magnet in ["guide", "map", "atlas"] { try await ask(magnet) }
        #expect(subjects == ["Please confirm: The guide"])
        crm.clock.advance(by: "23 hours")
        try await ask("map")
        #expect(subjects.count == 1)
        crm.clock.advance(by: "2 hours")
        try await ask("map")
        #expect(subjects == ["Please confirm: The guide", "Please confirm: The map"])
    }

    @Test func `several magnets in one batch ask once`() async throws {
        for magnet in ["map", "guide", "atlas"] { try await browser.fillIn(magnet, ["email": "ann@a.example"]) }
        try await browser.fillIn("map", ["email": "bob@b.example"])
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient).sorted() == ["ann@a.example", "bob@b.example"])
        #expect(try crm.value("SELECT count(*) FROM magnets_submissions WHERE state = 'waiting'") == "4")
    }

    @Test func `an address is asked to confirm three times in thirty days`() async throws {
        for _ in 1...6 {
            try await ask("guide")
            crm.clock.advance(by: "2 days")
        }
        #expect(subjects.count == Delivery.confirmationsPerMonth)
        crm.clock.advance(by: "20 days")
        try await ask("guide")
        #expect(subjects.count == 4)
    }

    @Test func `who confirmed before is not asked again, unless something new is agreed to`() async throws {
        try await ask("guide", ["consent_newsletter": "on"])
        try await confirm()
        crm.clock.advance(by: "2 days")
        try await ask("map")
        try await ask("guide", ["consent_newsletter": "on"])
        #expect(subjects == ["Please confirm: The guide", "The guide", "The map", "The guide"])
        crm.clock.advance(by: "2 days")
        try await ask("map", ["consent_calls": "on"])
        #expect(subjects.last == "Please confirm: The map")
        #expect(try crm.rows("SELECT state FROM magnets_submissions ORDER BY id DESC LIMIT 1") == ["waiting"])
        try await confirm()
        #expect(subjects.last == "The map")
        #expect(
            try crm.rows("SELECT purpose, state FROM consents_now ORDER BY 1") == [
                "calls|granted", "newsletter|granted",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `the confirmation of one is not that of another`() async throws {
        try await ask("guide")
        try await confirm()
        try await browser.fillIn("guide", ["email": "bob@b.example"])
        try await crm.work()
        #expect(try crm.rows("SELECT lead_id, state FROM magnets_submissions") == ["1|delivered", "2|waiting"])
        #expect(crm.transport.sent.last?.subject == "Please confirm: The guide")
    }

    // MARK: - Kinds

    @Test func `a webinar is a seat, and a mail with its time`() async throws {
        try await ask("course")
        #expect(
            try crm.rows("SELECT kind, body, cause_kind FROM lead_trace WHERE kind LIKE 'webinar.%'") == [
                #"webinar.registered|{"magnet":"course","webinar":"course"}|form.submitted"#
            ])
        let mail = try #require(crm.transport.sent.first)
        #expect(mail.subject == "Your seat: The course")
        #expect(mail.text.contains("The course: Monday 4 May 2026, 16:00 (UTC)."))
        #expect(mail.text.contains("https://meet.acme.example/1"))
        #expect(try crm.troubles() == [])
    }

    @Test(
        arguments: [
            (nil, "Monday 4 May 2026, 12:00 (America/New_York)"), ("iso", "2026-05-04 12:00 (America/New_York)"),
            ("long", "4 May 2026, 12:00 (America/New_York)"),
        ] as [(String?, String)])
    func `the mail says when by the clock of the lead, as the site writes times, and plainly in a link`(
        _ dates: String?, _ time: String
    ) async throws {
        let crm = try TestKernel(
            """
            plugins:
              lead_magnets:
                magnets:
                  course: {title: The course, kind: webinar, url: "https://meet.acme.example/1", webinar: {starts_at: "2026-05-04 16:00"}, mail: seat}
            """,
            site: TestKernel.site.replacing(
                "<hello@acme.example>\"}", with: "<hello@acme.example>\"\(dates.map { ", dates: \($0)" } ?? "")}"),
            plugins: [LeadMagnets.self],
            files: [
                "mails/seat.md":
                    "---\nsubject: Seat\npurpose: transactional\n---\nAt {{webinar_time}}: [note it](https://cal.example/?at={{webinar_time}}) now.\n"
            ])
        try crm.capture(["email": "ann@a.example", "timezone": "America/New_York"])
        try crm.capture(["email": "ann@a.example"], form: "course")
        try await crm.work()
        #expect(
            crm.transport.sent.first?.text.contains(
                "At \(time): note it: https://cal.example/?at=2026-05-04T16%3A00%3A00Z now.") == true,
            "\(crm.transport.sent.map(\.text))")
        #expect(try crm.troubles() == [])
    }

    @Test func `nobody takes a seat in a webinar that is over`() async throws {
        crm.clock.set("2026-05-04 16:30:00")
        #expect(try await browser.get("/offers/course").status == 200)
        crm.clock.set("2026-05-04 17:00:00")
        for ask in ["/offers/course", "/forms/course"] {
            let problem = await #expect(throws: WebProblem.self) { try await browser.get(ask) }
            #expect(
                problem?.status == 410
                    && problem?.description == "'The course' is over, and there is no recording of it.")
        }
        await #expect(throws: WebProblem.self) { try await browser.post("/forms/course", [("email", "a@a.example")]) }
        guard case .page(_, let values) = try await browser.get("/").body else { return }
        #expect(!values.list("offers").map { $0.text("title") }.contains("The course"))
    }

    @Test func `until a webinar is over its link is where to join, and then its recording`() throws {
        var magnet = MagnetSettings.Magnet()
        (magnet.kind, magnet.url) = (.webinar, "https://meet.acme.example/1")
        (magnet.webinar.startsAt, magnet.webinar.recording) = (
            Timestamp.date("2026-05-04 16:00:00.000"), "https://acme.example/r"
        )
        let offer = Offer(magnet: Named("course", magnet), config: crm.kernel.config)
        for (time, url) in [
            ("2026-05-04 15:00:00.000", "https://meet.acme.example/1"),
            ("2026-05-04 16:59:00.000", "https://meet.acme.example/1"),
            ("2026-05-04 17:00:00.000", "https://acme.example/r"),
        ] {
            #expect(offer.place(at: try #require(Timestamp.date(time))).url == url)
        }
    }

    @Test func `the time of a webinar is kept on the lead where a sequence can wait for it`() async throws {
        let crm = try TestKernel(
            """
            leads: {fields: {webinar_at: time}}
            plugins:
              lead_magnets:
                magnets:
                  course: {title: The course, kind: webinar, url: "https://meet.acme.example/1", webinar: {starts_at: "2026-05-04 16:00", field: webinar_at}}
                  film: {title: The film, kind: webinar, webinar: {recording: "https://acme.example/r", field: webinar_at}}
            """, plugins: [LeadMagnets.self])
        try crm.capture(["email": "ann@a.example"], form: "course")
        try crm.capture(["email": "bob@a.example"], form: "film")
        try await crm.work()
        #expect(try crm.rows("SELECT webinar_at FROM leads ORDER BY id") == ["2026-05-04 16:00:00.000", ""])
        #expect(try crm.troubles() == [])
    }

    @Test func `a trial has a last day, also on the lead`() async throws {
        try await ask("trial")
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'trial.started'") == [
                #"{"ends_on":"2026-03-12","magnet":"trial"}"#
            ])
        #expect(try crm.rows("SELECT trial_ends_on FROM leads") == ["2026-03-12"])
        #expect(subjects == ["Your trial of 10 days"])
        #expect(crm.transport.sent.first?.text.contains("https://app.acme.example") == true)
        #expect(try crm.troubles() == [])
    }

    @Test func `a link is mailed as it is`() async throws {
        try await ask("tool")
        #expect(try crm.rows("SELECT body FROM events WHERE kind = 'asset.downloaded'") == [#"{"magnet":"tool"}"#])
        #expect(subjects == ["The tool"])
        #expect(crm.transport.sent.first?.text.contains("https://tool.acme.example") == true)
        #expect(try crm.troubles() == [])
    }

    @Test func `what is delivered on the page sends no mail`() async throws {
        try await ask("chart")
        #expect(try crm.events() == ["lead.created", "form.submitted", "asset.downloaded"])
        #expect(try crm.rows("SELECT * FROM outbox_messages") == [])
        #expect(try crm.rows("SELECT state FROM magnets_submissions") == ["delivered"])
    }

    @Test func `what is delivered on the page waits for its confirmation as well`() async throws {
        try await ask("atlas")
        #expect(subjects == ["Please confirm: The atlas"])
        let link = try #require(crm.link("confirm", to: "ann@a.example"))
        let page = try await browser.follow(try await browser.post(link)).page
        #expect(page.text("text") == "The atlas is yours." && page["download_url"] != nil)
        try await crm.work()
        #expect(subjects.count == 1)
        #expect(try crm.events().suffix(2) == ["form.confirmed", "asset.downloaded"])
    }

    @Test func `what is for the page is mailed to whoever has none before them`() async throws {
        let crm = try MagnetSite.crm(
            #"lead_forms: {chart: {platform: google, magnet: chart, key: "${TRELLIS_SECRET}"}}"#)
        let browser = Browser(crm)
        let lead =
            #"{"lead_id": "g-1", "google_key": "\#(AdSite.key)", "user_column_data": [{"column_id": "EMAIL", "string_value": "ad@a.example"}]}"#
        #expect(try await AdSite(crm: crm).ask(.post, "chart", body: lead) == (200, #"{"taken":1}"#))
        var draft = try crm.kernel.draft([("email", "house@a.example")])
        (draft.form, draft.isByHouse) = ("chart", true)
        let proposal = draft
        _ = try crm.kernel.write(origin: "form:chart") { try $0.capture(proposal) }
        _ = try await browser.post("/forms/chart", [("email", "held@a.example")])
        #expect(try crm.run("magnets release", "1") == ["Lead 3 is taken in."])
        try await browser.fillIn("chart", ["email": "page@a.example"])
        let form = try await browser.open("/offers/chart")
        let program = try await browser.submit(form, ["email": "json@a.example"], ["accept": "application/json"])
        #expect(program.json?["status"] == .string("taken"))
        for _ in 1...2 { try await crm.work() }
        #expect(
            try crm.rows(
                "SELECT origin, json_extract(body, '$.by') FROM events WHERE kind = 'form.submitted' ORDER BY id")
                == ["form:lead_forms.chart|", "form:chart|house", "cli|", "form:chart|", "form:chart|"])
        #expect(try crm.value("SELECT count(*) FROM magnets_submissions WHERE handed_at IS NOT NULL") == "5")
        #expect(
            crm.transport.sent.map(\.recipient).sorted() == ["ad@a.example", "held@a.example", "house@a.example"])
        #expect(crm.transport.sent.allSatisfy { $0.subject == "The chart" && $0.text.contains("/download/") })
        #expect(try crm.troubles() == [])
    }

    @Test func `who confirmed before is mailed what is for the page, which shows nothing to whoever types an address`()
        async throws
    {
        try await ask("guide")
        try await confirm()
        let page = try await browser.follow(try await browser.fillIn("atlas", ["email": "ann@a.example"])).page
        #expect(page["download_url"] == nil)
        try await crm.work()
        #expect(subjects == ["Please confirm: The guide", "The guide", "The atlas"])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Once

    @Test func `what fails on its way is undone, and done once later`() async throws {
        try await browser.fillIn("trial", ["email": "ann@a.example"])
        try crm.kernel.write(origin: "test") { tx in
            try tx.db.execute(
                sql: """
                    CREATE TRIGGER no_mail BEFORE INSERT ON outbox_messages BEGIN SELECT RAISE(ABORT, 'no mail today'); END
                    """)
        }
        try crm.pump()
        #expect(try crm.events() == ["lead.created", "form.submitted"])
        #expect(try crm.rows("SELECT * FROM magnets_submissions") == [])
        #expect(try crm.rows("SELECT trial_ends_on FROM leads") == [""])
        try crm.kernel.write(origin: "test") { try $0.db.execute(sql: "DROP TRIGGER no_mail") }
        crm.clock.advance(by: "1 minute")
        for _ in 1...2 { try await crm.work() }
        #expect(try crm.events().count { $0 == "trial.started" } == 1)
        #expect(subjects == ["Your trial of 10 days"])
        #expect(try crm.rows("SELECT trial_ends_on FROM leads") == ["2026-03-12"])
        #expect(try crm.troubles() == [])
    }

    @Test func `to hear the log again doubles nothing`() async throws {
        try await ask("guide", ["consent_newsletter": "on"])
        try await confirm()
        for magnet in ["trial", "course", "chart", "tool"] { try await ask(magnet) }
        try await browser.fillIn("map", ["email": "bob@b.example", "consent_calls": "on"])
        try await crm.work()
        let events = try crm.events()
        let tables = ["magnets_submissions", "outbox_messages", "consents", "magnets_referral_codes"]
        let rows = try tables.map { try crm.rows("SELECT * FROM \($0)") }
        let off = try crm.reopened(MagnetSite.yaml("enabled: false"))
        off.clock.advance(by: "2 days")
        try await off.work()
        let again = try off.reopened(MagnetSite.yaml("resume: start"))
        try await again.work()
        #expect(try again.events() == events)
        #expect(try tables.map { try again.rows("SELECT * FROM \($0)") } == rows)
        #expect(again.transport.sent.isEmpty)
        #expect(try again.troubles() == [])
    }

    @Test func `receipts are kept for a week`() async throws {
        try await ask("tool")
        crm.clock.advance(by: "6 days")
        try await ask("tool")
        #expect(try crm.value("SELECT count(*) FROM magnets_receipts") == "2")
        crm.clock.advance(by: "2 days")
        try await ask("tool")
        #expect(try crm.value("SELECT count(*) FROM magnets_receipts") == "2")
    }
}
