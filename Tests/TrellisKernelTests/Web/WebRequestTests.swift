import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct WebRequestTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel()
    }

    private func request(
        _ path: String = "/offers/plan", query: String = "", headers: [String: String] = [:],
        client: String = "203.0.113.7"
    ) throws -> WebRequest {
        WebRequest(
            kernel: crm.kernel, method: "GET", path: path, parameters: ["magnet": "plan"],
            query: try FormBody.query(query), queryText: query, client: try #require(ClientAddress(client)),
            headers: headers)
    }

    // MARK: - Headers

    @Test func `a header is found by its name in any case`() throws {
        let request = try request(headers: ["user-agent": "Firefox"])
        #expect(request.header("User-Agent") == "Firefox")
        #expect(request.header("user-agent") == "Firefox")
        #expect(request.header("referer") == nil)
    }

    @Test(
        arguments: [
            ("trellis_visitor=abc", "abc"), ("a=1; trellis_visitor=abc; b=2", "abc"),
            ("a=1;trellis_visitor=abc", "abc"),
            ("trellis_visitor=a=b", "a=b"), ("trellis_visitor=", ""), ("trellis_visitor_2=abc", nil),
            ("old_trellis_visitor=abc", nil), ("trellis_visitor", nil), ("", nil),
            ("trellis_visitor=one; trellis_visitor=two", "one"),
        ] as [(String, String?)])
    func `a cookie is found by its whole name`(_ header: String, _ value: String?) throws {
        #expect(try request(headers: ["cookie": header]).cookie("trellis_visitor") == value)
    }

    @Test func `without the header there is no cookie`() throws {
        #expect(try request().cookie("trellis_visitor") == nil)
    }

    @Test(
        arguments: [
            (["content-type": "application/json"], true), (["content-type": "application/json; charset=utf-8"], true),
            (["accept": "application/json"], true), (["accept": "application/json, */*"], true),
            (["accept": "text/html,application/json"], false),
            (["content-type": "application/x-www-form-urlencoded", "accept": "*/*"], false), ([:], false),
        ] as [([String: String], Bool)])
    func `a program says that it wants JSON`(_ headers: [String: String], _ wantsJSON: Bool) throws {
        #expect(try request(headers: headers).wantsJSON == wantsJSON)
    }

    // MARK: - Where and whence

    @Test func `a segment of the path is asked for by its name`() throws {
        let request = try request()
        #expect(request["magnet"] == "plan")
        #expect(request["token"] == "")
    }

    @Test func `the address of a page is the one the site calls itself by`() throws {
        let request = try request(query: "utm_source=google&q=a%20b")
        #expect(
            request.address(query: request.queryText)
                == "https://crm.acme.example/offers/plan?utm_source=google&q=a%20b")
        #expect(request.address(query: "") == "https://crm.acme.example/offers/plan")
    }

    @Test func `how a visitor came is told by the link and by the page before`() throws {
        let arrival = try request(
            query: "utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=G1",
            headers: ["referer": "https://www.google.com/search?q=plan"]
        ).arrival
        #expect((arrival.source, arrival.medium, arrival.campaign) == ("google", "cpc", "spring"))
        #expect(arrival.click == Arrival.Click(kind: "gclid", id: "G1"))
        #expect(arrival.landingPage == "https://crm.acme.example/offers/plan")
        #expect(arrival.referrer == "https://www.google.com/search")
        let own = try request(headers: ["referer": "https://crm.acme.example/"]).arrival
        #expect((own.source, own.referrer) == (nil, nil))
    }

    // MARK: - Proof

    @Test func `a proof names the page without the token of its link`() throws {
        let proof = try request("/confirm/aToken.of-a_person", query: "a=b").proof()
        #expect(proof.page == "https://crm.acme.example/confirm")
        #expect(try request("/").proof().page == "https://crm.acme.example/")
        #expect(
            try request("/forms/plan").proof(page: "https://www.acme.example/article").page
                == "https://www.acme.example/article")
    }

    @Test func `a proof names the network and not the visitor`() throws {
        #expect(try request(client: "203.0.113.7").proof().network == "203.0.113.0/24")
        #expect(try request(client: "2001:db8:7:8::9").proof().network == "2001:db8:7::/48")
    }

    @Test func `a proof names the browser, cleaned and cut`() throws {
        #expect(try request().proof().agent == nil)
        #expect(try request(headers: ["user-agent": " Fire\u{202E}fox "]).proof().agent == "Firefox")
        let long = String(repeating: "x", count: 1000)
        #expect(try request(headers: ["user-agent": long]).proof().agent?.count == ConsentProof.agentLengthMax)
    }
}
