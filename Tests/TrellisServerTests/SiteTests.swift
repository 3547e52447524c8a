import Hummingbird
import LeadMagnets
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct SiteTests {
    private static let config = """
        server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}"}}
        plugins: {lead_magnets: {magnets: {tool: {title: "Rock & roll", kind: link, url: "https://tool.acme.example"}}}}
        """

    private func crm() throws -> TestKernel { try TestKernel(SiteTests.config, plugins: [LeadMagnets.self]) }

    // MARK: - Pages

    @Test func `the pages of the plugins are answered, with the layout around them`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        let page = try await site.get("/offers/tool")
        #expect(page.status == 200)
        #expect(page.headers[.contentType] == "text/html; charset=utf-8")
        #expect(page.body.hasPrefix("<!doctype html>"))
        #expect(page.body.contains("<title>Rock &amp; roll – Acme</title>"))
        #expect(page.body.contains("<address>1 Main Street</address>"))
        #expect(page.heading == "Rock &amp; roll")
        #expect(try await site.get("/").body.contains("<a href=\"/offers/tool\">"))
    }

    @Test func `pictures are shown to everybody, and nothing beside them is`() async throws {
        let crm = try TestKernel(
            SiteTests.config, plugins: [LeadMagnets.self],
            files: ["public/a.svg": "<svg/>", "public/plan.pdf": "%PDF", "public/b.png/c.txt": "x"])
        let site = try Listener.open(crm)
        let picture = try await site.get("/public/a.svg")
        #expect(picture.status == 200 && picture.body == "<svg/>")
        #expect(picture.headers[.contentType] == "image/svg+xml")
        #expect(picture.headers[.contentDisposition] == nil)
        #expect(picture.headers[.cacheControl] == "public, max-age=3600")
        let tag = try #require(picture.headers[.eTag])
        #expect(try await site.get("/public/a.svg", [.ifNoneMatch: tag]).status == 304)
        for path in ["plan.pdf", "b.png", "gone.png", "%2e%2e%2fconfig.yaml", "..%2fa.svg"] {
            #expect(try await site.get("/public/\(path)").status == 404, "\(path)")
        }
    }

    @Test func `a form goes from its page to the lead`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        let form = try #require(try await site.get("/offers/tool").forms.first)
        crm.clock.advance(by: "3s")
        let reply = try await site.post(form.action, form.body(["email": "ann@a.example"]))
        #expect(reply.status == 303)
        let thanks = try await site.get(try #require(reply.location))
        #expect(thanks.status == 200 && thanks.body.contains("ann@a.example"))
        #expect(thanks.body.contains("<meta name=\"robots\" content=\"noindex\">"))
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@a.example"])
        #expect(try crm.events() == ["lead.created", "form.submitted"])
    }

    @Test func `what is not there says so on a page, and as JSON to a program`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        for path in ["/gone", "/offers/gone", "/thanks/abc", "/confirm/abc", "/unsubscribe/abc", "/download/a%00b"] {
            let page = try await site.get(path)
            #expect(page.status == 404 && page.heading == "Nothing here", "\(path)")
            #expect(page.body.contains("There is nothing at this address."))
            #expect(!page.body.contains(path))
        }
        let json = try await site.get("/gone", [.accept: "application/json"])
        #expect(json.status == 404 && json.headers[.contentType] == "application/json")
        #expect(
            json.json?.text() == #"{"error":"There is nothing at this address. The link may be cut off or too old."}"#)
    }

    @Test func `a method that an address does not know is refused with those it knows`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        for method in [HTTPRequest.Method.put, .delete, .patch, .post, .options] {
            let answer = try await site.ask(method, "/offers/tool")
            #expect(answer.status == 405 && answer.headers[.allow] == "GET, HEAD", "\(method)")
        }
        #expect(try await site.ask(.put, "/forms/tool").headers[.allow] == "GET, HEAD, OPTIONS, POST")
        #expect(try await site.ask(.put, "/gone").status == 404)
        #expect(try crm.events() == [])
    }

    @Test func `a body that cannot be read is refused with its sentence`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        let xml = try await site.post("/forms/tool", "<a/>", [.contentType: "text/xml"])
        #expect(xml.status == 415 && xml.body.contains("A body of this content type is not read here."))
        let bytes = try await site.post("/forms/tool", "email=%FF")
        #expect(bytes.status == 400 && bytes.heading == "We could not read that")
        let query = try await site.get("/offers/tool?a=%00")
        #expect(query.status == 400)
        let large = try await site.post("/forms/tool", "a=" + String(repeating: "x", count: FormBody.bytesMax))
        #expect(large.status == 413 && large.heading == "That is too much")
        #expect(try crm.events() == [] && crm.rows("SELECT * FROM magnets_quarantine") == [])
    }

    // MARK: - Heads and headers

    @Test func `the head of a page is that of the page, without its body`() async throws {
        let site = try Listener.open(try crm())
        for path in ["/", "/offers/tool", "/trellis.css", "/healthz"] {
            let (page, head) = (try await site.get(path), try await site.ask(.head, path))
            #expect(head.status == 200 && head.body.isEmpty, "\(path)")
            #expect(head.headers[.contentType] == page.headers[.contentType])
        }
    }

    @Test func `every answer says that nothing is loaded, framed or guessed`() async throws {
        let site = try Listener.open(try crm())
        for path in [
            "/", "/offers/tool", "/gone", "/trellis.css", "/healthz", "/readyz", "/pixel.gif", "/offers/tool?a=%00",
        ] {
            let headers = try await site.get(path).headers
            let policy = try #require(headers[.contentSecurityPolicy])
            for part in ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
                #expect(policy.contains(part), "\(path)")
            }
            #expect(headers[.xContentTypeOptions] == "nosniff", "\(path)")
            #expect(headers.all("referrer-policy") == ["same-origin"])
            #expect(headers[.cacheControl] != nil)
        }
    }

    @Test func `a page that is somebody's is kept nowhere`() async throws {
        let site = try Listener.open(try crm())
        #expect(try await site.get("/offers/tool").headers[.cacheControl] == "no-store")
        #expect(try await site.get("/trellis.js").headers[.cacheControl] == "public, max-age=3600")
    }

    @Test func `the style sheet may be kept as long as its tag is the same`() async throws {
        let site = try Listener.open(try crm())
        let page = try await site.get("/")
        let path = try #require(
            page.body.firstMatch(of: #/<link rel="stylesheet" href="([^"]+)">/#).map { String($0.1) })
        #expect(path.hasPrefix("/trellis.css?"))
        let style = try await site.get(path)
        #expect(style.status == 200 && style.headers[.contentType] == "text/css; charset=utf-8")
        #expect(style.headers[.cacheControl] == "public, max-age=31536000, immutable")
        #expect(style.body.contains("--trellis-accent"))
        for path in ["/trellis.css", "/trellis.css?old"] {
            #expect(try await site.get(path).headers[.cacheControl] == "no-cache")
        }
    }

    @Test func `browsers that ask for an icon are told that there is none`() async throws {
        #expect(try await Listener.open(try crm()).get("/favicon.ico").status == 204)
    }

    // MARK: - Health

    @Test func `the server says that it lives, and whether the work is done`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        #expect(try await site.get("/healthz").body == "ok\n")
        let ready = try await site.get("/readyz")
        #expect(ready.status == 200 && ready.body == "ready\n")
        let stopped = try Listener.open(crm, isReady: false)
        #expect(try await stopped.get("/healthz").status == 200)
        let answer = try await stopped.get("/readyz")
        #expect(answer.status == 503 && answer.body == "the worker has stopped\n")
    }

    @Test func `a file that cannot be read is no readiness`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        try crm.kernel.close()
        let answer = try await site.get("/readyz")
        #expect(answer.status == 503 && answer.body == "the database cannot be read\n")
        #expect(try await site.get("/healthz").status == 200)
    }

    @Test func `what the inside said is not told`() async throws {
        let crm = try crm()
        let site = try Listener.open(crm)
        let lead = try crm.capture(["email": "ann@a.example"])
        let token = try crm.kernel.config.signer.token(purpose: "unsubscribe", subject: String(lead))
        try crm.kernel.close()
        let answer = try await site.get("/unsubscribe/\(token)")
        #expect(answer.status == 500 && answer.heading == "Something went wrong")
        #expect(answer.body.contains("Something on our side went wrong. It is noted; please try again later."))
        #expect(!answer.body.lowercased().contains("sqlite"))
    }

    // MARK: - Two doors

    @Test func `the API is not on the public listener, and no form is on the other`() async throws {
        let crm = try crm()
        let (site, admin) = (try Listener.open(crm), try Listener.admin(crm))
        let token: HTTPFields = [.authorization: "Bearer a token for tests only, and long enough"]
        for path in ["/api/leads", "/api/queries", "/queries", "/metrics", "/api/openapi.json"] {
            #expect(try await site.get(path, token).status == 404, "\(path)")
            #expect(try await admin.get(path, token).status == 200, "\(path)")
        }
        #expect(try await site.post("/api/sql", "{}", token).status == 404)
        for path in ["/", "/offers/tool"] {
            #expect(try await admin.get(path, token).status == 404, "\(path)")
        }
        #expect(try await admin.post("/forms/tool", "email=a", token).status == 404)
        #expect(try await admin.get("/healthz").body == "ok\n")
    }

    @Test func `the webhook of an ad platform takes a body of 256 KB, and not a byte more`() async throws {
        let crm = try TestKernel(
            """
            plugins:
              lead_magnets:
                magnets: {tool: {title: Tool, kind: link, url: "https://tool.acme.example"}}
                lead_forms: {ads: {platform: google, magnet: tool, key: "${TRELLIS_SECRET}"}}
            """, plugins: [LeadMagnets.self])
        let site = try Listener.open(crm)
        func body(_ id: String, bytes: Int) -> String {
            let key = TestKernel.environment["TRELLIS_SECRET"] ?? ""
            let begin =
                #"{"lead_id": "\#(id)", "google_key": "\#(key)", "user_column_data": [{"column_id": "EMAIL", "string_value": "ann@a.example"}, {"column_id": "x", "string_value": ""#
            return begin + String(repeating: "x", count: bytes - begin.utf8.count - 4) + "\"}]}"
        }
        let headers: HTTPFields = [.contentType: "application/json"]
        #expect(try await site.post("/webhooks/ads", body("1", bytes: FormBody.bytesMax + 1), headers).status == 413)
        #expect(try crm.events() == [])
        let taken = try await site.post("/webhooks/ads", body("2", bytes: FormBody.bytesMax), headers)
        #expect(taken.status == 200 && taken.json?.text() == #"{"taken":1}"#)
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@a.example"])
        #expect(try await site.get("/webhooks/ads").status == 404)
        #expect(
            try await site.post("/webhooks/ads", #"{"lead_id": "3", "google_key": "wrong"}"#, headers).status == 401)
    }
}
