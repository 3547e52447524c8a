import Hummingbird
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// Asks for consent in sentences of the config.
private struct Asker: Plugin {
    static let name = "asker"
    static let summary = "Asks."
    init(settings: NoSettings) {}
    var hooks: [any Hook] { [] }
    var consentTexts: [String: String] {
        ["ads": "Yes, show me your ads.", "newsletter": "Yes, a letter.", "calls": "Yes, call me."]
    }
}

@Suite struct LeavingTests {
    private let crm: TestKernel
    private let site: Listener
    private let lead: Int64

    init() throws {
        crm = try TestKernel()
        lead = try crm.capture(["email": "ann@a.example", "first_name": "Ann"])
        try crm.foreign(
            """
            INSERT INTO consents (lead_id, purpose, state, text) VALUES
                (1, 'ads', 'granted', 'Yes, show me ads.'), (1, 'newsletter', 'granted', 'Yes, write to me.'),
                (1, 'calls', 'requested', NULL)
            """)
        site = try Listener.open(crm)
    }

    private func path(_ purpose: String, lead: Int64? = nil) throws -> String {
        "/\(purpose)/" + (try crm.kernel.config.signer.token(purpose: purpose, subject: String(lead ?? self.lead)))
    }

    /// What the button on the page does.
    private func leave(_ path: String) async throws -> Answer { try await site.post(path + "?leave=yes") }

    private func suppressions() throws -> [String] {
        try crm.rows("SELECT email, reason, origin, at FROM suppressions")
    }

    private func states() throws -> [String] {
        try crm.rows("SELECT purpose, state FROM consents_now ORDER BY purpose")
    }

    // MARK: - Unsubscribing

    @Test func `to look at the page changes nothing`() async throws {
        let events = try crm.events()
        for method in [HTTPRequest.Method.get, .head, .get] {
            #expect(try await site.ask(method, try path("unsubscribe")).status == 200)
            #expect(try await site.ask(method, try path("preferences")).status == 200)
        }
        #expect(try suppressions() == [])
        #expect(try crm.events() == events)
    }

    @Test func `a form that another program wrote as a number has no language of its own`() async throws {
        try crm.foreign(
            """
            INSERT INTO events (kind, lead_id, origin, at, body)
            VALUES ('form.submitted', 1, 'sql', '2026-03-02 09:00:00.000', '{"form": 7}')
            """)
        #expect(try await site.get(try path("preferences")).status == 200)
    }

    @Test func `the page says whose mail it is about, and nobody else learns it`() async throws {
        let page = try await site.get(try path("unsubscribe"))
        #expect(page.heading == "Stop all marketing mail?")
        #expect(page.body.contains("a•••@a.example") && !page.body.contains("ann@a.example"))
        #expect(page.body.contains("<meta name=\"robots\" content=\"noindex\">"))
    }

    @Test func `the button on the page stops marketing mail`() async throws {
        let form = try #require(try await site.get(try path("unsubscribe")).forms.first)
        let left = try await site.post(form.action, form.body())
        #expect(left.status == 200 && left.heading == "You are unsubscribed")
        #expect(try suppressions() == ["ann@a.example|unsubscribed|form:unsubscribe|2026-03-02 09:00:00.000"])
        #expect(try crm.events().last == "lead.unsubscribed")
        crm.clock.advance(by: "1 hour")
        let events = try crm.events()
        #expect(try await site.post(form.action, form.body()).status == 200)
        #expect(try suppressions() == ["ann@a.example|unsubscribed|form:unsubscribe|2026-03-02 09:00:00.000"])
        #expect(try crm.events() == events)
        #expect(try crm.troubles() == [])
    }

    @Test func `a mail program unsubscribes with one click, without a page`() async throws {
        for _ in 1...2 {
            let answer = try await site.post(try path("unsubscribe"), "List-Unsubscribe=One-Click")
            #expect(answer.status == 200 && answer.body == "You are unsubscribed.\n")
            #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
        }
        #expect(try suppressions().count == 1)
    }

    @Test(arguments: ["", "foo=bar", "List-Unsubscribe=no", "leave=yes", "{}"])
    func `any other POST gets the page that asks, and changes nothing`(_ body: String) async throws {
        let events = try crm.events()
        let kind = body == "{}" ? "application/json" : "application/x-www-form-urlencoded"
        let answer = try await site.post(try path("unsubscribe"), body, [.contentType: kind])
        #expect(answer.status == 200 && answer.heading == "Stop all marketing mail?")
        #expect(try suppressions() == [] && crm.events() == events)
        let form = try #require(answer.forms.first)
        #expect(try await site.post(form.action, form.body()).heading == "You are unsubscribed")
    }

    @Test func `a mail program may send its click as a form of parts`() async throws {
        let body = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
        let answer = try await site.post(
            try path("unsubscribe"), body, [.contentType: "multipart/form-data; boundary=x"])
        #expect(answer.body == "You are unsubscribed.\n")
        #expect(try suppressions().count == 1)
    }

    @Test func `whoever left by mistake comes back by the button beside it`() async throws {
        let left = try await leave(path("unsubscribe"))
        let undo = try #require(left.forms.first)
        let back = try await site.post(undo.action, undo.body())
        #expect(back.status == 303)
        #expect(try suppressions() == [])
        let page = try await site.get(try #require(back.location))
        #expect(page.status == 200 && page.body.contains("Saved."))
        #expect(try states() == ["ads|granted", "calls|requested", "newsletter|granted"])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: ["bounced", "complained"])
    func `what a mail server or a complaint said is not taken back`(_ reason: String) async throws {
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@a.example', '\(reason)')")
        _ = try await leave(path("unsubscribe"))
        _ = try await site.post(try path("unsubscribe"), "undo=yes")
        #expect(try crm.rows("SELECT reason FROM suppressions") == [reason])
    }

    @Test func `who is out already is told so by the page, with the way back`() async throws {
        _ = try await site.post(try path(ofList: "ads"), "List-Unsubscribe=One-Click")
        let ofList = try await site.get(try path(ofList: "ads"))
        #expect(ofList.heading == "You are unsubscribed" && ofList.forms.isEmpty)
        #expect(ofList.body.contains("Others that you agreed to still come."))
        #expect(try await site.get(try path("unsubscribe")).heading == "Stop all marketing mail?")
        _ = try await leave(path("unsubscribe"))
        for path in [try path("unsubscribe"), try path(ofList: "ads"), try path(ofList: "newsletter")] {
            let page = try await site.get(path)
            #expect(page.heading == "You are unsubscribed" && page.forms.isEmpty)
            #expect(
                page.body.contains("We send you no more marketing mail.") && page.body.contains("href=\"/preferences/"))
        }
        let events = try crm.events()
        #expect(try await site.post(try path("unsubscribe")).heading == "You are unsubscribed")
        #expect(try crm.events() == events)
        _ = try await site.post(try path("preferences"), "consent_newsletter=on")
        #expect(try await site.get(try path("unsubscribe")).heading == "Stop all marketing mail?")
    }

    // MARK: - One list

    private func path(ofList list: String) throws -> String {
        let out = WayOut(leadID: lead, list: list)
        return "/unsubscribe/" + (try crm.kernel.config.signer.token(purpose: "unsubscribe", subject: out.subject))
    }

    @Test func `the link of a list leaves that list alone, and may be taken back`() async throws {
        let page = try await site.get(try path(ofList: "ads"))
        #expect(page.heading == "Stop these mails?" && page.body.contains("Yes, show me ads."))
        let form = try #require(page.forms.first)
        let left = try await site.post(form.action, form.body())
        #expect(left.heading == "You are unsubscribed" && left.body.contains("Others that you agreed to still come."))
        #expect(try states() == ["ads|withdrawn", "calls|requested", "newsletter|granted"])
        #expect(try suppressions() == [])
        let undo = try #require(left.forms.first)
        #expect(try await site.post(undo.action, undo.body()).status == 303)
        #expect(
            try crm.rows("SELECT state, text, source FROM consents WHERE purpose = 'ads' ORDER BY id") == [
                "granted|Yes, show me ads.|sql", "withdrawn||form:unsubscribe",
                "granted|Yes, show me ads.|form:preferences",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `one click twice leaves a list once, and puts nobody on one who had not agreed`() async throws {
        for _ in 1...2 {
            let answer = try await site.post(try path(ofList: "calls"), "List-Unsubscribe=One-Click")
            #expect(answer.status == 200 && answer.body == "You are unsubscribed.\n")
        }
        #expect(
            try crm.rows("SELECT state FROM consents WHERE purpose = 'calls' ORDER BY id") == [
                "requested", "withdrawn",
            ])
        _ = try await site.post(try path(ofList: "calls"), "undo=yes")
        #expect(try states() == ["ads|granted", "calls|withdrawn", "newsletter|granted"])
        #expect(try suppressions() == [])
    }

    @Test func `what the house took back is undone by no button`() async throws {
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state, source) VALUES (1, 'ads', 'withdrawn', 'cli')")
        let left = try await leave(path(ofList: "ads"))
        #expect(left.heading == "You are unsubscribed" && left.forms.isEmpty)
        _ = try await site.post(try path(ofList: "ads"), "undo=yes")
        #expect(try states() == ["ads|withdrawn", "calls|requested", "newsletter|granted"])
    }

    // MARK: - Preferences

    @Test func `the page shows every purpose that was asked for, and what is ticked`() async throws {
        let page = try await site.get(try path("preferences"))
        #expect(page.heading == "What may we send you?")
        for text in ["Yes, show me ads.", "Yes, write to me.", "Calls"] { #expect(page.body.contains(text)) }
        #expect(page.forms.first?.fields.map(\.name) == ["consent_ads", "consent_newsletter"])
        #expect(!page.body.contains("Saved."))
        #expect(!page.body.contains("You get no marketing mail from us at the moment."))
    }

    @Test func `whoever came by an import sees the sentence of the config, and agrees to that`() async throws {
        let crm = try TestKernel("plugins: {asker: {}}", plugins: [Asker.self])
        let (ann, site) = (try crm.capture(["email": "ann@a.example"]), try Listener.open(crm))
        try crm.foreign(
            """
            INSERT INTO consents (lead_id, purpose, state, text) VALUES (\(ann), 'ads', 'withdrawn', NULL),
                (\(ann), 'newsletter', 'granted', 'What Ann saw.'), (\(ann), 'fairs', 'granted', NULL)
            """)
        let path = "/preferences/" + (try crm.kernel.signer.token(purpose: "preferences", subject: String(ann)))
        let page = try await site.get(path)
        for text in [">Yes, show me your ads.<", ">What Ann saw.<", ">Fairs<"] { #expect(page.body.contains(text)) }
        #expect(!page.body.contains(">Ads<") && !page.body.contains("Yes, call me."), "only what they were asked")
        _ = try await site.post(path, "consent_ads=on&consent_newsletter=on&consent_fairs=on")
        #expect(
            try crm.rows("SELECT state, text FROM consents WHERE purpose = 'ads' ORDER BY id DESC LIMIT 1") == [
                "granted|Yes, show me your ads."
            ])
    }

    @Test func `boxes grant and withdraw, with their proof`() async throws {
        let path = try path("preferences")
        crm.clock.advance(by: "1 hour")
        let reply = try await site.post(path, "consent_calls=on&consent_ads=on", [.userAgent: "Firefox"])
        #expect(reply.status == 303)
        #expect(try await site.get(try #require(reply.location)).body.contains("Saved."))
        #expect(try states() == ["ads|granted", "calls|granted", "newsletter|withdrawn"])
        #expect(
            try crm.rows(
                "SELECT purpose, state, text, source, page, network, agent, at FROM consents WHERE id > 3 ORDER BY purpose"
            ) == [
                "calls|granted|Calls|form:preferences|https://crm.acme.example/preferences|0.0.0.0/24|Firefox|2026-03-02 10:00:00.000",
                "newsletter|withdrawn|Yes, write to me.|form:preferences|https://crm.acme.example/preferences|0.0.0.0/24|Firefox|2026-03-02 10:00:00.000",
            ])
        let rows = try crm.rows("SELECT * FROM consents")
        _ = try await site.post(path, "consent_calls=on&consent_ads=on")
        #expect(try crm.rows("SELECT * FROM consents") == rows)
        #expect(try crm.troubles() == [])
    }

    @Test func `nobody grants what they were never asked`() async throws {
        _ = try await site.post(
            try path("preferences"), "consent_ads=on&consent_newsletter=on&consent_everything=on&stage=customer")
        #expect(try states() == ["ads|granted", "calls|requested", "newsletter|granted"])
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
    }

    @Test func `one button leaves everything, and the page then says so`() async throws {
        let forms = try await site.get(try path("preferences")).forms
        let leave = try #require(forms.last)
        #expect(forms.count == 2)
        let left = try await site.post(leave.action, leave.body())
        #expect(left.heading == "You are unsubscribed")
        #expect(try crm.rows("SELECT reason FROM suppressions") == ["unsubscribed"])
        #expect(try states() == ["ads|granted", "calls|requested", "newsletter|granted"])
        let page = try await site.get(try path("preferences"))
        #expect(page.body.contains("You get no marketing mail from us at the moment."))
        #expect(page.forms.count == 1)
    }

    @Test func `whoever left and ticks a box again is back`() async throws {
        _ = try await leave(path("unsubscribe"))
        #expect(try await site.get(try path("preferences")).forms.first?.fields.map(\.name) == [])
        let before = try crm.lastEvent
        _ = try await site.post(try path("preferences"), "consent_newsletter=on", [.userAgent: "Firefox"])
        #expect(try suppressions() == [])
        #expect(try states() == ["ads|withdrawn", "calls|requested", "newsletter|granted"])
        let shown =
            "SELECT state, text, agent FROM consents WHERE purpose = 'newsletter' AND source = 'form:preferences'"
        #expect(try crm.rows(shown) == ["granted|Yes, write to me.|Firefox"], "they agreed anew, and it can be shown")
        #expect(
            try crm.rows("SELECT kind FROM events WHERE id > \(before) ORDER BY kind") == [
                "consent.granted", "consent.withdrawn",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `whoever was never asked has nothing to choose, and can still leave`() async throws {
        let bob = try crm.capture(["email": "bob@b.example"])
        let page = try await site.get(try path("preferences", lead: bob))
        #expect(page.body.contains("There is nothing to choose here yet.") && page.forms.count == 1)
        _ = try await site.post(page.forms[0].action, page.forms[0].body())
        #expect(try crm.rows("SELECT email FROM suppressions") == ["bob@b.example"])
    }

    // MARK: - Who is gone

    @Test func `of an erased lead the links still answer, and do nothing`() async throws {
        let (unsubscribe, preferences) = (try path("unsubscribe"), try path("preferences"))
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        let events = try crm.events()
        for path in [unsubscribe, preferences] { #expect(try await site.get(path).status == 200) }
        #expect(try await leave(unsubscribe).status == 200)
        #expect(try await site.post(unsubscribe, "undo=yes").status == 303)
        #expect(try await site.post(preferences, "consent_ads=on").status == 303)
        #expect(try await site.post(preferences, "leave=yes").status == 200)
        #expect(try crm.rows("SELECT reason, email FROM suppressions") == ["erased|"])
        #expect(try crm.rows("SELECT * FROM consents") == [] && crm.events() == events)
        #expect(try crm.troubles() == [])
    }

    @Test func `of a merged lead the links are those of the one that was kept`() async throws {
        let kept = try crm.capture(["external_id": "A-1"])
        try crm.kernel.write(origin: "cli") { try $0.merge(lead, into: kept) }
        #expect(try await site.get(try path("unsubscribe")).body.contains("a•••@a.example"))
        _ = try await site.post(try path("preferences"), "consent_newsletter=on")
        #expect(try crm.rows("SELECT DISTINCT lead_id FROM consents") == ["\(kept)"])
        #expect(try states() == ["ads|withdrawn", "calls|requested", "newsletter|granted"])
        _ = try await leave(path("unsubscribe"))
        #expect(try crm.rows("SELECT email FROM suppressions") == ["ann@a.example"])
    }

    @Test func `a link of another kind does nothing`() async throws {
        let token = try path("preferences").dropFirst("/preferences/".count)
        #expect(try await site.post("/unsubscribe/\(token)").status == 404)
        #expect(try await site.post("/unsubscribe/\(token.dropLast())").status == 404)
        #expect(try await site.post("/unsubscribe/1").status == 404)
        #expect(try suppressions() == [])
    }

    // MARK: - Years later

    @Test func `a link works five years later, under two older secrets, and after the person is erased`() async throws {
        let secrets = ["the secret of 2021, long gone", "the secret of 2024, gone too"]
        var config = crm.kernel.config
        config.site.site.olderSecrets = secrets.reversed()
        let kernel = try Kernel(config: config, plugins: [], clock: crm.clock.clock)
        let site = try Listener.open(kernel, of: crm)
        let signers = try [crm.kernel.signer] + secrets.map { try LinkSigner(secret: $0) }
        let paths = ["unsubscribe", "preferences"].flatMap { purpose in
            signers.map { "/\(purpose)/" + $0.token(purpose: purpose, subject: String(lead)) }
        }
        for time in ["0", "260 weeks"] {
            crm.clock.advance(by: time)
            for path in paths { #expect(try await site.get(path).status == 200, "after \(time)") }
        }
        for path in paths where path.hasPrefix("/unsubscribe") {
            try crm.foreign("DELETE FROM suppressions")
            #expect(try await site.post(path, "List-Unsubscribe=One-Click").body == "You are unsubscribed.\n")
            #expect(try suppressions().count == 1)
        }
        _ = try Person(email: "ann@a.example").erase(kernel)
        crm.clock.advance(by: "260 weeks")
        for path in paths {
            #expect(try await site.get(path).status == 200)
            #expect(try await site.post(path, "List-Unsubscribe=One-Click").status != 404)
        }
        #expect(try crm.rows("SELECT email, reason FROM suppressions") == ["|erased"])
        let forgotten = try LinkSigner(secret: "the secret of 2018").token(
            purpose: "unsubscribe", subject: String(lead))
        #expect(try await site.get("/unsubscribe/\(forgotten)").status == 404)
    }

    // MARK: - Other spellings

    @Test func `who left under another spelling of their address is told so, and may come back`() async throws {
        let tagged = try crm.capture(["email": "ann+news@a.example"])
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (\(tagged), 'newsletter', 'granted')")
        _ = try await leave(path("unsubscribe"))
        let page = try await site.get(try path("preferences", lead: tagged))
        #expect(page.body.contains("You get no marketing mail from us at the moment."))
        _ = try await site.post(try path("preferences", lead: tagged), "consent_newsletter=on")
        #expect(try suppressions() == [])
        #expect(try crm.rows("SELECT count(*) FROM mailable_leads") == ["2"])
    }
}
