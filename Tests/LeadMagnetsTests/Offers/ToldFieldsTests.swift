import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct ToldFieldsTests {
    private static let everything = ["email", "first_name", "company", "budget", "size"]

    /// A browser that keeps the cookie of a visitor, on a site that keeps visitors.
    private static func visitor(_ visitors: MagnetSettings.Visitors = .always) throws -> Browser {
        var browser = Browser(try MagnetSite.crm("visitors: \(visitors.rawValue)"))
        browser.headers["cookie"] = "trellis_visitor=0123456789abcdef0123456789abcdef"
        return browser
    }

    private func names(_ browser: Browser, _ magnet: String = "plan") async throws -> [String] {
        try WebForm(try await browser.get("/offers/\(magnet)")).names
    }

    @Test(arguments: [MagnetSettings.Visitors.always, .consent])
    func `a visitor is asked others in place of what they told in this browser`(
        _ visitors: MagnetSettings.Visitors
    ) async throws {
        let browser = try ToldFieldsTests.visitor(visitors)
        #expect(try await names(browser) == ToldFieldsTests.everything)
        try await browser.fillIn(
            "plan", ["email": "ann@a.example", "first_name": "Ann", "company": "A", "budget": "9"])
        let form = try await browser.open("/offers/plan")
        #expect(form.names == ["email", "first_name", "size", "phone", "city"])
        #expect(form.fields.map { $0["required"] == true } == [true, true, false, false, false])
        #expect(form.names.compactMap(form.value) == [], "nothing that was said stands on the page")
        let reply = try await browser.submit(
            form, ["email": "ann@a.example", "first_name": "Ann", "phone": "+493012345678", "city": "Kiel"])
        #expect(reply.status == 303)
        #expect(
            try browser.crm.rows("SELECT email, first_name, company, budget, phone, city FROM leads") == [
                "ann@a.example|Ann|A|9|+493012345678|Kiel"
            ])
        #expect(try await names(browser) == ["email", "first_name", "size", "country"])
        #expect(try await names(browser, "guide") == ["email"], "a form of another magnet, without more")
        #expect(try browser.crm.troubles() == [])
    }

    @Test func `nothing on the page follows from what the house knows of an address`() async throws {
        let browser = try ToldFieldsTests.visitor()
        try browser.crm.capture(["email": "ann@a.example", "first_name": "Ann", "company": "A", "budget": "9"])
        try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Eve"])
        #expect(try await names(browser) == ToldFieldsTests.everything)
    }

    @Test func `a browser that several people use is asked everything`() async throws {
        let browser = try ToldFieldsTests.visitor()
        try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann", "company": "A"])
        let form = try await browser.open("/offers/plan")
        #expect(form.names == ["email", "first_name", "budget", "size", "phone"])
        #expect(try await browser.submit(form, ["email": "bob@b.example"]).status == 422, "a name is asked of him, too")
        #expect(try await browser.submit(form, ["email": "bob@b.example", "first_name": "Bob"]).status == 303)
        #expect(
            try browser.crm.rows("SELECT email, company FROM leads ORDER BY id") == [
                "ann@a.example|A", "bob@b.example|",
            ])
        #expect(try await names(browser) == ToldFieldsTests.everything)
    }

    @Test func `two leads that became one are one person`() async throws {
        let browser = try ToldFieldsTests.visitor()
        try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann", "company": "A"])
        try await browser.fillIn("plan", ["email": "ann@b.example", "first_name": "Ann"])
        #expect(try await names(browser) == ToldFieldsTests.everything)
        try browser.crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        #expect(
            try browser.crm.rows("SELECT DISTINCT lead_id FROM magnets_told ORDER BY 1") == ["1", "2"],
            "both told a name")
        #expect(try await names(browser) == ["email", "first_name", "budget", "size", "phone"])
    }

    @Test func `a form with a mistake comes back with the same questions`() async throws {
        let browser = try ToldFieldsTests.visitor()
        try await browser.fillIn(
            "plan", ["email": "ann@a.example", "first_name": "Ann", "company": "A", "size": "small"])
        let form = try await browser.open("/offers/plan")
        let again = try WebForm(try await browser.submit(form, ["email": "ann", "first_name": "Ann", "city": "Kiel"]))
        #expect(again.names == form.names && again.names == ["email", "first_name", "budget", "phone", "city"])
        #expect(again.value("city") == "Kiel")
    }

    @Test func `a site without visitors looks at no cookie`() async throws {
        let browser = try ToldFieldsTests.visitor(.none)
        try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann", "company": "A"])
        #expect(try await names(browser) == ToldFieldsTests.everything)
        #expect(try browser.crm.value("SELECT count(*) FROM magnets_told") == "0")
    }

    @Test func `who wants to be forgotten is asked everything again`() async throws {
        let browser = try ToldFieldsTests.visitor(.consent)
        try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann", "company": "A"])
        #expect(
            try browser.crm.rows("SELECT lead_id, field FROM magnets_told") == ["1|company", "1|email", "1|first_name"])
        _ = try await browser.post("/visitor", [("agree", "no")])
        #expect(try browser.crm.rows("SELECT * FROM magnets_told") == [])
        #expect(try await names(browser) == ToldFieldsTests.everything)
    }

    @Test func `what was told is kept as long as the cookie`() async throws {
        let browser = try ToldFieldsTests.visitor()
        let crm = browser.crm
        for (days, kept) in [(0, "2"), (180, "2"), (1, "0")] {
            crm.clock.advance(by: "\(days) days")
            if days == 0 { try await browser.fillIn("plan", ["email": "ann@a.example", "first_name": "Ann"]) }
            try crm.capture(["email": "bob\(days)@b.example", "first_name": "Bob"], form: "plan")
            try crm.pump()
            #expect(try crm.value("SELECT count(*) FROM magnets_told") == kept, "after \(days) days more")
        }
    }
}
