import Testing
import TrellisKernel
import TrellisTesting

@testable import LeadMagnets

@Suite struct VisitsTests {
    /// A site whose counter of views is emptied by hand, and a visitor of it.
    private struct Site {
        let crm: TestKernel
        let offers: Offers
        var browser: Browser

        init(_ visitors: MagnetSettings.Visitors = .none) throws {
            crm = try MagnetSite.crm("visitors: \(visitors.rawValue)")
            offers = MagnetSite.offers(visitors: visitors)
            browser = Browser(crm, endpoints: offers.endpoints)
        }

        func views() async throws -> [String] {
            await offers.views.end(crm.kernel)
            return try crm.rows(
                "SELECT day, page, magnet, variant, channel, views FROM magnets_views ORDER BY day, page, channel")
        }

        func visits() throws -> [String] {
            try crm.rows("SELECT lead_id, page, channel, source FROM magnets_visits ORDER BY id")
        }

        func touches() throws -> [String] {
            try crm.rows("SELECT lead_id, kind, channel, source, landing_page FROM touches ORDER BY id")
        }
    }

    private static let number = "0123456789abcdef0123456789abcdef"
    private static let known = ["cookie": "trellis_visitor=\(number)"]

    // MARK: - Views

    @Test func `a page that is looked at is counted by day and by the road to it`() async throws {
        let site = try Site()
        for _ in 1...2 { _ = try await site.browser.get("/offers/tool") }
        _ = try await site.browser.get("/offers/tool?utm_source=google&utm_medium=cpc")
        _ = try await site.browser.get("/offers/tool", ["referer": "https://duckduckgo.com/?q=tool"])
        site.crm.clock.advance(by: "1 day")
        _ = try await site.browser.get("/offers/tool")
        #expect(
            try await site.views() == [
                "2026-03-02|/offers/tool|tool||direct|2", "2026-03-02|/offers/tool|tool||organic_search|1",
                "2026-03-02|/offers/tool|tool||paid_search|1", "2026-03-03|/offers/tool|tool||direct|1",
            ])
        _ = try await site.browser.get("/offers/tool")
        #expect(try await site.views().last == "2026-03-03|/offers/tool|tool||direct|2")
    }

    @Test func `an offer nobody makes, and the list of offers, are no views of an offer`() async throws {
        let site = try Site()
        _ = try await site.browser.get("/")
        await #expect(throws: WebProblem.self) { try await site.browser.get("/offers/gone") }
        #expect(try await site.views() == [])
    }

    @Test func `a program that says so is not counted`() async throws {
        let site = try Site(.always)
        for agent in [
            "Googlebot/2.1 (+http://www.google.com/bot.html)", "facebookexternalhit/1.1", "curl/8.5",
            "python-requests/2",
            "Mozilla/5.0 HeadlessChrome/130", "", "Slackbot-LinkExpanding", "Go-http-client/1.1",
        ] {
            let reply = try await site.browser.get("/offers/tool", ["user-agent": agent])
            #expect(reply.status == 200 && reply.header("set-cookie") == nil, "\(agent)")
            #expect(try await site.views() == [])
            #expect(Robots.isOne(agent))
        }
    }

    @Test func `a browser that hides its name is taken for a program, and people's are not`() {
        #expect(Robots.isOne(nil))
        for agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
        ] { #expect(!Robots.isOne(agent)) }
    }

    @Test func `a look at the head of a page is no view`() async throws {
        let site = try Site(.always)
        let reply = try await site.browser.get("/offers/tool", method: "HEAD")
        #expect(reply.pageName == "offer" && reply.header("set-cookie") == nil)
        _ = try await site.browser.get("/pixel.gif?page=/article", method: "HEAD")
        #expect(try await site.views() == [])
    }

    @Test func `what was counted in the last second is written when the server stops`() async throws {
        let crm = try MagnetSite.crm()
        let browser = Browser(crm)
        let views = "SELECT magnet, views FROM magnets_views"
        for _ in 1...3 {
            _ = try await browser.get("/offers/tool")
            for plugin in crm.kernel.plugins { await plugin.end(crm.kernel) }
        }
        #expect(try crm.rows(views) == ["tool|3"])
        // Nothing is left to write.
        for plugin in crm.kernel.plugins { await plugin.end(crm.kernel) }
        #expect(try crm.rows(views) == ["tool|3"])
    }

    @Test func `what is being written when the server stops is waited for`() async throws {
        let site = try Site()
        _ = try await site.browser.get("/offers/tool")
        let (views, kernel) = (site.offers.views, site.crm.kernel)
        async let writing: Void = views.end(kernel)
        await views.end(kernel)
        #expect(try site.crm.rows("SELECT views FROM magnets_views") == ["1"])
        await writing
    }

    @Test func `a cookie is 128 random bits in hex`() async throws {
        let site = try Site(.always)
        var numbers: Set<String> = []
        for _ in 1...8 {
            let cookie = try #require(try await site.browser.get("/offers/tool").header("set-cookie"))
            numbers.insert(String(cookie.prefix { $0 != ";" }.dropFirst("trellis_visitor=".count)))
        }
        #expect(numbers.count == 8 && numbers.allSatisfy { $0.wholeMatch(of: #/[0-9a-f]{32}/#) != nil })
    }

    // MARK: - The pixel

    @Test func `the pixel counts a page of the site's own`() async throws {
        let site = try Site()
        let reply = try await site.browser.get(
            "/pixel.gif?page=https%3A%2F%2Fwww.acme.example%2Fblog%2Fplan%3Futm_medium%3Demail&referrer=https%3A%2F%2Ft.co%2Fa"
        )
        #expect(reply.header("content-type") == "image/gif")
        #expect(reply.header("cross-origin-resource-policy") == "cross-origin")
        #expect(reply.text.hasPrefix("GIF89a"))
        _ = try await site.browser.get("/pixel.gif", ["referer": "https://www.acme.example/blog/plan?a=b#c"])
        _ = try await site.browser.get("/pixel.gif?page=/about?x=1", ["referer": "https://www.acme.example/"])
        #expect(
            try await site.views() == [
                "2026-03-02|/about|||direct|1", "2026-03-02|/blog/plan|||direct|1", "2026-03-02|/blog/plan|||email|1",
            ])
    }

    @Test func `what is no address of a page is not counted`() async throws {
        let site = try Site()
        for query in [
            "", "?page=", "?page=plan", "?page=javascript:alert(1)", "?page=%2F%2Fevil.example", "?page=%2F%5Cevil",
        ] {
            let reply = try await site.browser.get("/pixel.gif" + query)
            #expect(reply.header("content-type") == "image/gif")
            #expect(try await site.views() == [])
        }
    }

    @Test func `the script sets no cookie and may be kept for an hour`() async throws {
        let reply = try await Site().browser.get("/trellis.js")
        #expect(reply.header("content-type") == "text/javascript; charset=utf-8")
        #expect(reply.header("cache-control") == "public, max-age=3600")
        #expect(!reply.text.contains("cookie") && reply.text.contains("/pixel.gif?page="))
    }

    // MARK: - Visitors

    @Test func `without visitors no cookie is set, and one that is sent is not looked at`() async throws {
        let site = try Site(.none)
        let reply = try await site.browser.get("/offers/tool", VisitsTests.known)
        #expect(reply.header("set-cookie") == nil)
        #expect(try site.visits() == [])
        for agree in ["yes", "no"] {
            await #expect(throws: WebProblem.self) { try await site.browser.post("/visitor", [("agree", agree)]) }
        }
    }

    @Test func `with visitors always, the first page sets a cookie and the next ones know it`() async throws {
        let site = try Site(.always)
        let cookie = try #require(try await site.browser.get("/offers/tool").header("set-cookie"))
        let match = try #require(
            cookie.wholeMatch(
                of: #/trellis_visitor=([0-9a-f]{32}); Max-Age=15552000; Path=\/; HttpOnly; SameSite=Lax; Secure/#))
        let next = try await site.browser.get("/pixel.gif?page=/about", ["cookie": "trellis_visitor=\(match.1)"])
        #expect(next.header("set-cookie") == nil)
        #expect(try site.visits() == ["|/offers/tool|direct|", "|/about|direct|"])
        #expect(try site.crm.rows("SELECT DISTINCT visitor FROM magnets_visits") == [String(match.1)])
    }

    @Test func `with visitors by consent, a cookie comes once they agreed, and goes when they take it back`()
        async throws
    {
        let site = try Site(.consent)
        #expect(try await site.browser.get("/offers/tool").header("set-cookie") == nil)
        #expect(try site.visits() == [])
        let yes = try await site.browser.post(
            "/visitor", [("agree", "yes")], ["referer": "https://crm.acme.example/offers/tool?a=b"])
        #expect(yes.status == 303 && yes.header("location") == "/offers/tool?a=b")
        let cookie = try #require(yes.header("set-cookie"))
        _ = try await site.browser.get("/offers/tool", ["cookie": String(cookie.prefix { $0 != ";" })])
        #expect(try site.visits() == ["|/offers/tool|direct|"])
        let no = try await site.browser.post("/visitor", [("agree", "no")])
        #expect(no.header("location") == "/")
        #expect(no.header("set-cookie") == "trellis_visitor=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
        #expect(try await site.browser.post("/visitor").header("set-cookie")?.contains("Max-Age=0") == true)
    }

    @Test func `whoever agreed is led back to a page of this site, whatever page they came from`() async throws {
        let site = try Site(.consent)
        for (page, location) in [
            ("https://crm.acme.example/offers/tool", "/offers/tool"),
            ("https://evil.example//other.example/a", "/other.example/a"),
            ("https://evil.example", "/"), ("//evil.example", "/"), ("javascript:alert(1)", "/"),
        ] {
            let reply = try await site.browser.post("/visitor", [("agree", "yes")], ["referer": page])
            #expect(reply.header("location") == location, "\(page)")
        }
    }

    @Test(arguments: [
        ["origin": "https://evil.example"], ["origin": "null"], ["sec-fetch-site": "cross-site"],
        ["origin": "https://evil.example", "sec-fetch-site": "same-origin"],
    ])
    func `a page of another site agrees to nothing for a visitor`(_ headers: [String: String]) async throws {
        let site = try Site(.consent)
        let problem = await #expect(throws: WebProblem.self) {
            try await site.browser.post("/visitor", [("agree", "on")], headers)
        }
        #expect(problem?.status == 403)
        let own = try await site.browser.post("/visitor", [("agree", "on")], ["origin": "https://crm.acme.example"])
        #expect(own.header("set-cookie")?.hasPrefix("trellis_visitor=") == true)
    }

    @Test func `a cookie that is none of ours is not believed`() async throws {
        let site = try Site(.consent)
        for number in ["abc", "0123456789ABCDEF0123456789ABCDEF", "' OR 1=1 --", String(repeating: "0", count: 33)] {
            _ = try await site.browser.get("/offers/tool", ["cookie": "trellis_visitor=\(number)"])
            #expect(try site.visits() == [])
        }
    }

    // MARK: - Visits become touches

    @Test func `what a visitor looked at belongs to the lead they become`() async throws {
        var site = try Site(.always)
        site.browser.headers.merge(VisitsTests.known) { _, new in new }
        _ = try await site.browser.get("/pixel.gif?page=%2Fblog%3Fa&referrer=https%3A%2F%2Fwww.google.com%2F")
        site.crm.clock.advance(by: "1 day")
        let form = try await site.browser.open("/offers/tool?utm_source=letter&utm_medium=email")
        #expect(try site.touches() == [])
        _ = try await site.browser.submit(form, ["email": "ann@a.example"])
        #expect(
            try site.touches() == [
                "1|form|email|letter|https://crm.acme.example/offers/tool", "1|view|organic_search|google.com|/blog",
                "1|view|email|letter|/offers/tool",
            ])
        #expect(
            try site.crm.rows("SELECT at FROM touches WHERE kind = 'view' ORDER BY id") == [
                "2026-03-02 09:00:00.000", "2026-03-03 09:00:00.000",
            ])
        _ = try await site.browser.get("/pixel.gif?page=/prices")
        #expect(try site.touches().last == "1|view|direct||/prices")
        #expect(try site.visits().map { $0.prefix(1) } == ["1", "1", "1"])
        #expect(try site.crm.troubles() == [])
    }

    @Test func `a click on an ad is kept with the page it led to, and goes to the lead with it`() async throws {
        var site = try Site(.consent)
        site.browser.headers.merge(VisitsTests.known) { _, new in new }
        _ = try await site.browser.get(
            "/pixel.gif?page=https%3A%2F%2Fwww.acme.example%2Fspring%3Fgclid%3DG1%26utm_campaign%3Dspring")
        _ = try await site.browser.get("/pixel.gif?page=/prices")
        #expect(
            try site.crm.rows("SELECT page, click_id_kind, click_id FROM magnets_visits ORDER BY id") == [
                "/spring|gclid|G1", "/prices||",
            ])
        site.crm.clock.advance(by: "1 hour")
        let form = try await site.browser.open("/offers/tool")
        _ = try await site.browser.submit(form, ["email": "ann@a.example"])
        let touches = "SELECT kind, channel, campaign, landing_page, click_id_kind, click_id FROM touches ORDER BY id"
        #expect(
            try site.crm.rows(touches) == [
                "form|direct||https://crm.acme.example/offers/tool||", "view|paid_search|spring|/spring|gclid|G1",
                "view|direct||/prices||", "view|direct||/offers/tool||",
            ])
        _ = try await site.browser.get("/offers/tool?li_fat_id=L1")
        #expect(try site.crm.rows(touches).last == "view|paid_social||/offers/tool|li_fat_id|L1")
    }

    @Test func `what one visitor looked at is nothing to another`() async throws {
        let site = try Site(.consent)
        _ = try await site.browser.get(
            "/offers/tool", ["cookie": "trellis_visitor=" + String(repeating: "a", count: 32)])
        let form = try await site.browser.open("/offers/tool", VisitsTests.known)
        _ = try await site.browser.submit(form, ["email": "ann@a.example"], VisitsTests.known)
        #expect(try site.visits().map { $0.prefix(1) } == ["|", "1"])
        #expect(try site.crm.value("SELECT count(*) FROM touches WHERE kind = 'view'") == "1")
    }

    /// A site on which Ann came by an ad and sent a form.
    private func siteOfAnn() async throws -> Site {
        var site = try Site(.consent)
        site.browser.headers.merge(VisitsTests.known) { _, new in new }
        let form = try await site.browser.open("/offers/tool?gclid=G1")
        _ = try await site.browser.submit(form, ["email": "ann@a.example"])
        #expect(try site.crm.rows("SELECT lead_id, page, click_id FROM magnets_visits") == ["1|/offers/tool|G1"])
        return site
    }

    @Test func `who is erased leaves no visit and no click, and their cookie leads to nobody`() async throws {
        let site = try await siteOfAnn()
        #expect(try site.crm.rows("SELECT DISTINCT lead_id FROM magnets_told") == ["1"])
        _ = try Person(email: "ann@a.example").erase(site.crm.kernel)
        for table in ["magnets_visits", "magnets_told", "touches"] {
            #expect(try site.crm.rows("SELECT * FROM \(table)") == [], "\(table)")
        }
        _ = try await site.browser.get("/pixel.gif?page=/prices")
        #expect(try site.visits() == ["|/prices|direct|"])
        #expect(try site.touches() == [])
    }

    @Test func `the cookie of a lead that was deleted leaves no touch of it`() async throws {
        let site = try await siteOfAnn()
        try site.crm.foreign("DELETE FROM leads WHERE id = 1")
        _ = try await site.browser.get("/pixel.gif?page=/prices")
        #expect(try site.visits().last == "|/prices|direct|")
        #expect(try site.touches().filter { $0.contains("/prices") } == [])
        #expect(try site.crm.rows("SELECT kind FROM touches ORDER BY id") == ["form", "view"], "the history stays")
    }

    @Test func `who asks in SQL over HTTP reads no cookie`() async throws {
        let site = try await siteOfAnn()
        for table in ["magnets_visits", "magnets_told"] {
            var query = GuardedQuery(
                database: site.crm.kernel.config.databasePath, sql: "SELECT DISTINCT visitor, lead_id FROM \(table)")
            query.hidden = site.crm.kernel.secrets
            var rows: [[Cell]] = []
            query.run { part in
                if case .row(let row) = part { rows.append(row) }
                return true
            }
            #expect(rows == [[.null, 1]], "\(table)")
        }
    }

    // MARK: - Asking

    private func asks(_ page: WebReply) throws -> Bool? {
        guard case .record(let visitor) = page.page["visitor"] else { return nil }
        return visitor["is_remembered"] == .flag(false)
    }

    @Test func `a page asks where the site says so, and offers a visitor who agreed to forget them`() async throws {
        #expect(try asks(try await Site(.none).browser.get("/offers/tool")) == nil)
        #expect(try asks(try await Site(.always).browser.get("/offers/tool")) == nil)
        let site = try Site(.consent)
        #expect(try asks(try await site.browser.get("/offers/tool")) == true)
        #expect(try asks(try await site.browser.get("/offers/tool", VisitsTests.known)) == false)
        #expect(try asks(try await site.browser.get("/offers/tool", ["cookie": "trellis_visitor=x"])) == true)
    }

    @Test func `who takes it back is forgotten, but for what is their lead's`() async throws {
        let site = try Site(.consent)
        _ = try await site.browser.get("/offers/tool", VisitsTests.known)
        #expect(try site.visits().count == 1)
        let reply = try await site.browser.post("/visitor", [("agree", "no")], VisitsTests.known)
        #expect(reply.header("set-cookie")?.contains("Max-Age=0") == true)
        #expect(try site.visits() == [])
        let form = try await site.browser.open("/offers/tool", VisitsTests.known)
        _ = try await site.browser.submit(form, ["email": "ann@a.example"], VisitsTests.known)
        _ = try await site.browser.post("/visitor", [("agree", "no")], VisitsTests.known)
        #expect(try site.visits().count == 1)
    }

    @Test func `after the button is the page that it stood on, with what says where the visitor came from`()
        async throws
    {
        let site = try Site(.consent)
        let page = "https://crm.acme.example/offers/tool?utm_source=letter"
        let reply = try await site.browser.post("/visitor", [("agree", "yes")], ["referer": page])
        #expect(reply.header("location") == "/offers/tool?utm_source=letter")
        let strange = try await site.browser.post(
            "/visitor", [("agree", "yes")], ["referer": "https://evil.example//x.example/"])
        #expect(strange.header("location") == "/x.example")
    }
}
