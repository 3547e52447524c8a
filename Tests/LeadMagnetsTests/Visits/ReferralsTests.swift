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

    // MARK: - Leads that become one

    @Test func `what a merged lead brought is the kept one's credit, also by its old link`() async throws {
        let link = try await share()
        let code = String(link.split(separator: "/")[3])
        let bob = try crm.capture(["email": "bob@b.example"])
        try credit(code, lead: bob)
        let kept = try crm.capture(["email": "ann.lee@a.example"])
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: kept) }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, referrer_id FROM magnets_referrals") == ["\(bob)|\(kept)"])
        let cid = try crm.capture(["email": "cid@c.example"])
        try credit(code, lead: cid)
        #expect(
            try crm.rows("SELECT lead_id, referrer_id FROM magnets_referrals ORDER BY lead_id") == [
                "\(bob)|\(kept)", "\(cid)|\(kept)",
            ])
        #expect(try crm.rows("SELECT lead_id FROM events WHERE kind = 'lead.referred'") == ["1", "\(kept)"])
        #expect(try crm.troubles() == [])
    }

    @Test func `the code of a lead that has one and takes in another brings to the same`() async throws {
        let first = try await share()
        try await browser.fillIn("chart", ["email": "ann.lee@a.example"])
        try await crm.work()
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: 2) }
        try crm.pump()
        let bob = try crm.capture(["email": "bob@b.example"])
        try credit(String(first.split(separator: "/")[3]), lead: bob)
        #expect(try crm.rows("SELECT lead_id, referrer_id FROM magnets_referrals") == ["\(bob)|2"])
    }

    @Test func `who turns out to be the friend they brought has no credit for it`() async throws {
        let code = String(try await share().split(separator: "/")[3])
        let bob = try crm.capture(["email": "bob@b.example"])
        try credit(code, lead: bob)
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: bob) }
        try crm.pump()
        #expect(try referrals() == [])
    }

    @Test func `of two that were both brought and become one, one credit stays`() async throws {
        let code = String(try await share().split(separator: "/")[3])
        let friends = try ["bob@b.example", "cid@c.example"].map { try crm.capture(["email": $0]) }
        for friend in friends { try credit(code, lead: friend) }
        try crm.kernel.write(origin: "cli") { try $0.merge(friends[0], into: friends[1]) }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, referrer_id FROM magnets_referrals") == ["\(friends[1])|1"])
    }

    @Test func `merges one after the other end at the last`() async throws {
        let code = String(try await share().split(separator: "/")[3])
        let ids = try ["bob@b.example", "cid@c.example", "dan@d.example"].map { try crm.capture(["email": $0]) }
        try credit(code, lead: ids[0])
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: ids[1]) }
        try crm.kernel.write(origin: "cli") { try $0.merge(ids[1], into: ids[2]) }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, referrer_id FROM magnets_referrals") == ["\(ids[0])|\(ids[2])"])
    }
}
