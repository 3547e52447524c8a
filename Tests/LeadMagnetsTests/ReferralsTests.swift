import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct ReferralsTests {
    private let crm: TestKernel
    private let browser: Browser

    init() throws {
        crm = try MagnetSite.crm()
        browser = Browser(crm)
    }

    /// Ann asks for the chart; the link she may share then.
    private func share() async throws -> String {
        let reply = try await browser.fillIn("chart", ["email": "ann@a.example"])
        try await crm.work()
        return try await browser.follow(reply).page.text("referral_url")
    }

    private func credit(_ code: String, lead: Int64) throws {
        try crm.kernel.write(origin: "form:chart") { try Referrals.credit(code: code, lead: lead, magnet: "chart", $0) }
    }

    private func referrals() throws -> [String] {
        try crm.rows("SELECT lead_id, referrer_id, magnet, at FROM magnets_referrals")
    }

    // MARK: - Links

    @Test func `a lead who has the offer gets a link to share, one for good`() async throws {
        let link = try await share()
        #expect(link.wholeMatch(of: #/https://crm\.acme\.example/r/[0-9a-f]{12}/chart/#) != nil)
        crm.clock.advance(by: "1 hour")
        #expect(try await share() == link)
        #expect(try crm.rows("SELECT lead_id FROM magnets_referral_codes") == ["1"])
    }

    @Test func `no link before there is an offer to share, and none where none is shared`() async throws {
        let reply = try await browser.fillIn("chart", ["email": "ann@a.example"])
        #expect(try await browser.follow(reply).page["referral_url"] == nil)
        let other = try await browser.fillIn("plan", ["email": "bob@b.example", "first_name": "Bob"])
        try await crm.work()
        #expect(try await browser.follow(other).page["referral_url"] == nil)
        #expect(try await browser.follow(reply).page["referral_url"] != nil)
        #expect(try crm.rows("SELECT lead_id FROM magnets_referral_codes") == ["1"])
    }

    @Test func `a shared link leads to the offer and says whence`() async throws {
        let link = try await share()
        let code = link.split(separator: "/")[3]
        let reply = try await browser.get(link)
        #expect(reply.status == 303)
        #expect(reply.header("location") == "/offers/chart?ref=\(code)&utm_source=friend&utm_medium=referral")
    }

    @Test(arguments: ["abc", "0123456789AB", "0123456789ab0", "%0d%0aSet-Cookie"])
    func `what is no code leads to the offer alone`(_ code: String) async throws {
        #expect(try await browser.get("/r/\(code)/chart").header("location") == "/offers/chart")
        await #expect(throws: WebProblem.self) { try await browser.get("/r/\(code)/gone") }
    }

    // MARK: - Credit

    @Test func `who comes by a shared link is credited to whoever shared it`() async throws {
        let link = try await share()
        let page = try #require(try await browser.get(link).header("location"))
        _ = try await browser.submit(try await browser.open(page), ["email": "bob@b.example"])
        #expect(try referrals() == ["2|1|chart|2026-03-02 09:00:06.000"])
        #expect(
            try crm.rows("SELECT lead_id, body, origin FROM events WHERE kind = 'lead.referred'") == [
                #"1|{"lead_id":2,"magnet":"chart"}|form:chart"#
            ])
        #expect(
            try crm.rows("SELECT channel, source FROM touches WHERE lead_id = 2") == ["referral|friend"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a credit is a fact of the one who shared, once`() async throws {
        let code = String(try await share().split(separator: "/")[3])
        let bob = try crm.capture(["email": "bob@b.example"])
        for _ in 1...2 { try credit(code, lead: bob) }
        #expect(try referrals() == ["\(bob)|1|chart|2026-03-02 09:00:03.000"])
        #expect(
            try crm.rows("SELECT lead_id, body FROM events WHERE kind = 'lead.referred'") == [
                #"1|{"lead_id":2,"magnet":"chart"}"#
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `nobody brings themselves, and a code that nobody has brings nobody`() async throws {
        let code = String(try await share().split(separator: "/")[3])
        try credit(code, lead: 1)
        let bob = try crm.capture(["email": "bob@b.example"])
        for code in ["000000000000", "abc", "", code.uppercased() + "'"] { try credit(code, lead: bob) }
        #expect(try referrals() == [])
        #expect(try !crm.events().contains("lead.referred"))
    }

    @Test func `a lead who was there before is nobody's credit`() async throws {
        let link = try await share()
        try crm.capture(["email": "bob@b.example"])
        let page = try #require(try await browser.get(link).header("location"))
        _ = try await browser.submit(try await browser.open(page), ["email": "bob@b.example"])
        #expect(try referrals() == [])
    }
}
