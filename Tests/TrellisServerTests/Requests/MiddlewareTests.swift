import HTTPTypes
import Hummingbird
import LeadMagnets
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// Fails in every way an endpoint can.
private struct Failures: Plugin {
    static let name = "failures"
    static let summary = "Fails in every way."
    private struct Inner: Error {}

    init(settings: NoSettings) {}

    var hooks: [any Hook] { [] as [any Hook] }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/fails/:how") { request in
                switch request["how"] {
                case "busy": throw KernelError.busy
                case "full": throw KernelError.diskFull
                case "cancelled": throw CancellationError()
                case "known": throw WebProblem(403, "This is not for you.", headers: [("x-reason", "none")])
                case "data": throw KernelError.data("the secret inside")
                default: throw Inner()
                }
            }
        ]
    }
}

@Suite struct MiddlewareTests {
    private static let magnet = "{magnets: {tool: {title: The tool, kind: link, url: \"https://tool.acme.example\"}}}"

    private func crm(_ server: String = "{}") throws -> TestKernel {
        try TestKernel(
            "server: \(server)\nplugins: {failures: {}, lead_magnets: \(MiddlewareTests.magnet)}",
            plugins: [LeadMagnets.self, Failures.self])
    }

    private func site(_ server: String = "{}") throws -> Listener { try Listener.open(try crm(server)) }

    // MARK: - Names of the site

    @Test(
        arguments: [
            ("localhost", "localhost"), ("localhost:8080", "localhost"), ("CRM.Acme.Example:443", "crm.acme.example"),
            ("[::1]", "::1"), ("[::1]:8080", "::1"), ("[2001:DB8::7]:80", "2001:db8::7"), ("127.0.0.1:80", "127.0.0.1"),
            ("", nil), (":8080", nil), ("[]", nil), ("[]:80", nil), ("[::1", nil), ("[crm]", nil),
            ("[::1]x", nil), ("localhost:80x", nil), ("local host", nil), ("a/b", nil), ("user@localhost", nil),
        ] as [(String, String?)])
    func `a name is what stands before the port`(_ authority: String, _ host: String?) {
        #expect(HostCheck.host(of: authority) == host)
    }

    @Test func `whoever calls the site by a name it does not have is sent away`() async throws {
        // A test calls it localhost, which is no name of a site that listens elsewhere.
        let other = try site("{listen: \"10.0.0.5:8080\"}")
        let answer = try await other.get("/offers/tool")
        #expect(answer.status == 421 && answer.heading == "Wrong address")
        #expect(answer.body.contains("This is not the site you asked for."))
        #expect(try await other.post("/forms/tool", "email=a").status == 421)
        #expect(try await site("{listen: \"10.0.0.5:8080\", hosts: [LOCALHOST]}").get("/offers/tool").status == 200)
    }

    @Test(arguments: ["127.0.0.1:8080", "[::1]:8080", "0.0.0.0:8080", "[::]:8080", "localhost:8080"])
    func `a site on this machine is called by the names of this machine`(_ address: String) async throws {
        #expect(try await site("{listen: \"\(address)\"}").get("/healthz").status == 200)
    }

    @Test func `of two names nobody knows which counts`() async throws {
        let site = try site()
        let second = try #require(HTTPField.Name("Host"))
        #expect(try await site.get("/offers/tool", [second: "crm.acme.example"]).status == 400)
        let whole = try await site.get("http://crm.acme.example/offers/tool")
        #expect(whole.status == 400 && whole.body.contains("The request does not say which site it is for."))
    }

    // MARK: - What failed

    @Test func `what failed is told as its asker can read it`() async throws {
        let site = try site()
        for (how, status, sentence) in [
            ("busy", 503, "We cannot save anything at this moment. Nothing is lost: please try again in a minute."),
            ("full", 503, "We cannot save anything at this moment. Nothing is lost: please try again in a minute."),
            (
                "cancelled", 503,
                "We cannot save anything at this moment. Nothing is lost: please try again in a minute."
            ),
            ("known", 403, "This is not for you."),
            ("data", 500, "Something on our side went wrong. It is noted; please try again later."),
            ("inner", 500, "Something on our side went wrong. It is noted; please try again later."),
        ] {
            let page = try await site.get("/fails/\(how)")
            #expect(page.status == status && page.body.contains(sentence), "\(how)")
            #expect(
                page.headers[.contentType] == "text/html; charset=utf-8" && page.headers[.contentSecurityPolicy] != nil)
            #expect(page.headers[.retryAfter] == (status == 503 ? "30" : nil))
            let json = try await site.get("/fails/\(how)", [.accept: "application/json"])
            #expect(json.status == status && json.json?.text() == "{\"error\":\"\(sentence)\"}")
            #expect(!page.body.contains("secret") && !json.body.contains("secret"))
        }
    }

    @Test func `a problem keeps the headers it came with`() async throws {
        let answer = try await site().get("/fails/known")
        #expect(answer.headers.first { $0.name.canonicalName == "x-reason" }?.value == "none")
    }

    // MARK: - How often

    @Test func `whoever sends many forms is told when to come again`() async throws {
        let crm = try crm("{limits: {forms_per_minute: 1}}")
        let site = try Listener.open(crm)
        #expect(try await site.post("/forms/tool", "email=ann%40a.example").status == 303)
        let second = try await site.post("/forms/tool", "email=ann%40a.example")
        #expect(second.status == 429 && second.heading == "One moment, please")
        let seconds = try #require(second.headers[.retryAfter].flatMap(Int.init))
        #expect((1...60).contains(seconds))
        #expect(second.body.contains("That was quick. Please wait \(seconds) seconds and try again."))
        #expect(try crm.value("SELECT count(*) FROM magnets_quarantine") == "1")
        #expect(try await site.get("/offers/tool").status == 200)
    }

    @Test func `a network that sends too many forms waits`() async throws {
        let crm = try crm("{limits: {forms_per_minute: 100, network_forms_per_minute: 2}}")
        let site = try Listener.open(crm)
        for who in ["ann", "bob"] {
            #expect(try await site.post("/forms/tool", "email=\(who)%40a.example").status == 303)
        }
        #expect(try await site.post("/forms/tool", "email=ann%40a.example").status == 429)
        #expect(try await site.get("/offers/tool").status == 200)
    }

    @Test func `an ad platform that brings many leads at once is not held up`() async throws {
        let crm = try crm("{limits: {forms_per_minute: 1}}")
        let site = try Listener.open(crm)
        for _ in 1...5 { #expect(try await site.post("/webhooks/gone", "{}").status == 404) }
    }

    @Test func `to leave is no form that is limited`() async throws {
        let crm = try crm("{limits: {forms_per_minute: 1}}")
        let site = try Listener.open(crm)
        let signer = try crm.kernel.config.signer
        for number in 1...10 {
            let lead = try crm.capture(["email": "lead\(number)@a.example"])
            let token = signer.token(purpose: "unsubscribe", subject: String(lead))
            #expect(try await site.post("/unsubscribe/\(token)", "List-Unsubscribe=One-Click").status == 200)
        }
        #expect(try crm.value("SELECT count(*) FROM suppressions") == "10")
    }

    @Test func `whoever asks for many pages is told when to come again`() async throws {
        let site = try site("{limits: {requests_per_minute: 1}}")
        #expect(try await site.get("/offers/tool").status == 200)
        let answer = try await site.get("/offers/tool", [.accept: "application/json"])
        #expect(answer.status == 429 && answer.headers[.retryAfter] != nil)
        #expect(answer.json?["error"]?.scalarText?.hasPrefix("That was quick.") == true)
    }

    @Test func `the house may ask its API as often as it likes`() async throws {
        let admin = try Listener.admin(try crm("{limits: {requests_per_minute: 1}}"))
        for _ in 1...5 { #expect(try await admin.get("/healthz").status == 200) }
    }

    // MARK: - Other sites

    private static let origins = "{origins: [\"https://www.acme.example\"]}"
    private static let known = "https://www.acme.example"

    @Test func `a script on a page of ours elsewhere may send a form`() async throws {
        let site = try site(MiddlewareTests.origins)
        let asked = try await site.ask(
            .options, "/forms/tool",
            [.origin: MiddlewareTests.known, .accessControlRequestMethod: "POST"])
        #expect(asked.status == 204)
        #expect(asked.headers[.accessControlAllowOrigin] == MiddlewareTests.known)
        #expect(asked.headers[.accessControlAllowMethods] == "POST")
        #expect(asked.headers[.accessControlAllowHeaders] == "content-type")
        #expect(asked.headers[.accessControlAllowCredentials] == nil)
        for answer in [
            try await site.get("/forms/tool", [.origin: MiddlewareTests.known, .accept: "application/json"]),
            try await site.post("/forms/tool", "email=a", [.origin: MiddlewareTests.known]),
        ] {
            #expect(answer.headers[.accessControlAllowOrigin] == MiddlewareTests.known)
            #expect(answer.headers[.vary] == "Origin")
        }
        let wrong = try await site.post(
            "/forms/tool", "<a/>", [.origin: MiddlewareTests.known, .contentType: "text/xml"])
        #expect(wrong.status == 415 && wrong.headers[.accessControlAllowOrigin] == MiddlewareTests.known)
        let large = String(repeating: "a", count: FormBody.bytesMax + 1)
        let refused = try await site.post("/forms/tool", large, [.origin: MiddlewareTests.known])
        #expect(refused.status == 413 && refused.headers[.accessControlAllowOrigin] == MiddlewareTests.known)
    }

    @Test func `such a script may read why a form is refused, and when to come again`() async throws {
        let site = try site("{origins: [\"\(MiddlewareTests.known)\"], limits: {forms_per_minute: 1}}")
        let known: HTTPFields = [.origin: MiddlewareTests.known]
        #expect(try await site.post("/forms/tool", "email=a", known).status != 429)
        let second = try await site.post("/forms/tool", "email=a", known)
        #expect(second.status == 429 && second.headers[.retryAfter] != nil)
        #expect(second.headers[.accessControlAllowOrigin] == MiddlewareTests.known)
        #expect(second.headers[.accessControlExposeHeaders] == "Retry-After" && second.headers[.vary] == "Origin")
        let stranger = try await site.post("/forms/tool", "email=a", [.origin: "https://evil.example"])
        #expect(stranger.status == 429 && stranger.headers[.accessControlAllowOrigin] == nil)
        #expect(stranger.headers[.accessControlExposeHeaders] == nil && stranger.headers[.vary] == "Origin")
    }

    @Test func `a script on any other page may not`() async throws {
        let site = try site(MiddlewareTests.origins)
        for origin in [
            "https://evil.example", "http://www.acme.example", "https://www.acme.example:8443",
            "https://www.acme.example.evil.example", "null", "*",
        ] {
            let asked = try await site.ask(.options, "/forms/tool", [.origin: origin])
            #expect(asked.status == 403 && asked.headers[.accessControlAllowOrigin] == nil, "\(origin)")
            let answer = try await site.get("/forms/tool", [.origin: origin, .accept: "application/json"])
            #expect(answer.status == 200 && answer.headers[.accessControlAllowOrigin] == nil)
            #expect(answer.headers[.vary] == "Origin")
        }
    }

    @Test func `pages are not open to scripts of other sites`() async throws {
        let site = try site(MiddlewareTests.origins)
        for path in ["/offers/tool", "/", "/unsubscribe/abc"] {
            let answer = try await site.get(path, [.origin: MiddlewareTests.known])
            #expect(answer.headers[.accessControlAllowOrigin] == nil, "\(path)")
        }
        #expect(try await site.ask(.options, "/offers/tool", [.origin: MiddlewareTests.known]).status == 405)
    }
}
