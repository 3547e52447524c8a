import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct ScreeningReasonsTests {
    private let now = Date(timeIntervalSince1970: 1_772_442_000)

    private func reasons(_ fields: KeyValuePairs<String, String>, token: FormToken.Reading) -> [String] {
        Screening.reasons(
            WebFields(fields.map { WebFields.Pair(name: $0.key, value: $0.value) }), token: token, now: now)
    }

    private func token(secondsAgo seconds: Double?) -> FormToken.Reading {
        .token(FormToken(magnet: "plan", madeAt: seconds.map { now - $0 }))
    }

    @Test func `a form a person filled in looks like one`() {
        #expect(
            reasons(
                ["email": "ann@a.example", "first_name": "Ann", "company": "acme.example", "reply_by_pigeon": ""],
                token: token(secondsAgo: 2)) == [])
        // Of a snippet nobody knows when its page was opened.
        #expect(reasons(["email": "ann@a.example"], token: token(secondsAgo: nil)) == [])
    }

    @Test func `a program fills in what nobody sees, looks at nothing, and takes no time`() {
        #expect(reasons(["reply_by_pigeon": "yes"], token: token(secondsAgo: 9)) == ["hidden field filled in"])
        #expect(reasons([:], token: .missing) == ["no form token"])
        #expect(reasons([:], token: .forged) == ["form token of another site"])
        #expect(reasons([:], token: token(secondsAgo: 1.9)) == ["filled in within 2 seconds"])
        #expect(reasons([:], token: token(secondsAgo: -5)) == ["filled in within 2 seconds"])
    }

    @Test(arguments: [
        "http://spam.example", "Ann HTTPS://spam.example", "see www.spam.example", "<a href=x>", "[url=spam]",
        "href=spam",
    ])
    func `a name holds no link`(_ text: String) {
        #expect(reasons(["first_name": text], token: token(secondsAgo: 9)) == ["a link in first_name"])
        #expect(reasons(["message": text], token: token(secondsAgo: 9)) == [])
    }

    @Test func `a company may be called by its address`() {
        for company in ["www.acme.example", "https://acme.example"] {
            #expect(reasons(["company": company], token: token(secondsAgo: 9)) == [])
        }
        #expect(reasons(["company": "[url=spam]"], token: token(secondsAgo: 9)) == ["a link in company"])
    }

    @Test func `every reason is told`() {
        #expect(
            reasons(["reply_by_pigeon": "x", "company": "www.x.example", "city": "http://x.example"], token: .missing)
                == [
                    "hidden field filled in", "no form token", "a link in city",
                ])
    }
}

@Suite struct ScreeningTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    @Test func `a program gets a person's answer, and makes neither lead nor mail`() async throws {
        let form = try await browser.open("/offers/plan")
        let person = try await browser.submit(form, ["email": "ann@a.example", "first_name": "Ann"])
        let before = crm.kernel.clock.now()
        let program = try await browser.submit(
            form, ["email": "bot@b.example", "first_name": "Bot", "reply_by_pigeon": "coo"])
        #expect(program.status == person.status)
        #expect(program.headers.map(\.name) == person.headers.map(\.name))
        var pages = [try await browser.follow(person).page, try await browser.follow(program).page]
        #expect(pages.map { $0.text("address") } == ["ann@a.example", "bot@b.example"])
        for index in pages.indices { pages[index]["address"] = nil }
        #expect(pages[0] == pages[1])
        try await crm.work()
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@a.example"])
        #expect(crm.transport.sent.map(\.recipient) == ["ann@a.example"])
        #expect(
            try crm.rows("SELECT magnet, reasons, email, lead_id, released_at, at FROM magnets_quarantine") == [
                "plan|hidden field filled in|bot@b.example|||\(Timestamp.text(before))"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `a form that is sent too soon is held`() async throws {
        let form = try WebForm(try await browser.get("/offers/plan"))
        crm.clock.advance(by: "1s")
        let ann: KeyValuePairs = ["email": "ann@a.example", "first_name": "Ann"]
        #expect(try await browser.submit(form, ann).status == 303)
        #expect(try crm.events() == [])
        #expect(try crm.rows("SELECT reasons FROM magnets_quarantine") == ["filled in within 2 seconds"])
        crm.clock.advance(by: "1s")
        #expect(try await browser.submit(form, ann).status == 303)
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    @Test func `a form whose token is of another magnet is held`() async throws {
        let form = try await browser.open("/offers/guide")
        _ = try await browser.post("/forms/plan", form.hidden + [("email", "ann@a.example"), ("first_name", "Ann")])
        #expect(try crm.events() == [])
        #expect(try crm.rows("SELECT reasons FROM magnets_quarantine") == ["form token of another site"])
    }

    @Test func `a program that wants JSON gets a person's answer too`() async throws {
        let reply = try await browser.post(
            "/forms/plan", [("email", "bot@b.example")], ["content-type": "application/json"])
        #expect(reply.status == 200)
        #expect(reply.json?["status"]?.scalarText == "taken")
        #expect(try crm.rows("SELECT reasons FROM magnets_quarantine") == ["no form token"])
    }

    @Test func `what is held is what was typed, without the token, with whence it came`() async throws {
        _ = try await browser.post(
            "/forms/plan",
            [
                ("_form", "forged"), ("email", "bot@b.example"), ("first_name", "Bot \"the\" bot"),
                ("company", String(repeating: "x", count: 3000)), ("_page", "https://crm.acme.example/offers/plan?a=b"),
                ("_referrer", "https://spam.example/"),
            ])
        let held = try #require(try crm.value("SELECT fields FROM magnets_quarantine"))
        let fields = try #require(JSONValue(parsing: held))
        #expect(fields["_form"] == nil)
        #expect(fields["first_name"] == .string("Bot \"the\" bot"))
        #expect(fields["company"]?.scalarText?.count == Quarantine.Held.valueLengthMax)
        #expect(
            try crm.rows("SELECT page, referrer, network FROM magnets_quarantine") == [
                "https://crm.acme.example/offers/plan?a=b|https://spam.example/|203.0.113.0/24"
            ])
    }
}
