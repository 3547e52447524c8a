import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1
import TrellisKernel

/// Counts and times every request, and logs it by its route: never by its address, which may hold a token.
struct RequestRecorder: RouterMiddleware {
    let metrics: ServerMetrics
    let name: String

    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        metrics.requestBegan()
        defer { metrics.requestEnded() }
        let response = try await next(request, context)
        let elapsed = ContinuousClock.now - start
        let route = context.endpointPath ?? "none"
        metrics.answered(name: name, route: route, status: response.status.code, elapsed: elapsed)
        context.logger.info(
            "request",
            metadata: [
                "listener": "\(name)", "method": "\(request.method)", "route": "\(route)",
                "status": "\(response.status.code)", "ms": "\(elapsed.milliseconds)",
            ])
        return response
    }
}

extension Request {
    /// Whether a program asks, which reads JSON rather than a page.
    var wantsJSON: Bool {
        headers[.accept]?.hasPrefix("application/json") == true
            || headers[.contentType]?.hasPrefix("application/json") == true
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// What every response says to a browser: nothing is loaded from elsewhere, nothing runs, nothing is framed, nothing is
/// guessed, and no page after this one learns its address.
struct ResponseHeaders: RouterMiddleware {
    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for (name, value) in ResponseHeaders.all where response.headers[name] == nil { response.headers[name] = value }
        return response
    }

    private static let all: [(HTTPField.Name, String)] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        ("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin"), ("cache-control", "no-store"),
    ].compactMap { name, value in HTTPField.Name(name).map { ($0, value) } }
}

extension HTTPFields {
    /// The values of a header by its name in lower case, in their order.
    func all(_ name: String) -> [String] {
        filter { $0.name.canonicalName == name }.map(\.value)
    }
}

/// Says what went wrong as the asker can read it. What the inside said stays in the log.
struct ProblemWriter: RouterMiddleware {
    let writer: ReplyWriter

    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        let wantsJSON = request.wantsJSON
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            // What is no HTTP is answered 400 by the library, which then closes the connection.
            throw error
        } catch let problem as WebProblem {
            return writer.problem(problem, wantsJSON: wantsJSON)
        } catch let error as HTTPError {
            guard error.status == .notFound else {
                return writer.problem(WebProblem(error.status.code, error.body ?? ""), wantsJSON: wantsJSON)
            }
            let isOfAPI = writer.isJSON && request.uri.path.hasPrefix("/api/")
            return writer.problem(isOfAPI ? ProblemWriter.noPath : .notFound, wantsJSON: wantsJSON)
        } catch let error as KernelError where error.passes {
            context.logger.error("the file takes no writes", metadata: ["error": "\(error)"])
            return writer.problem(ProblemWriter.later, wantsJSON: wantsJSON)
        } catch is CancellationError {
            return writer.problem(ProblemWriter.later, wantsJSON: wantsJSON)
        } catch {
            context.logger.error(
                "a request failed", metadata: ["error": "\(error)", "route": "\(context.endpointPath ?? "")"])
            return writer.problem(WebProblem(500, Phrase("problem_failed")), wantsJSON: wantsJSON)
        }
    }

    private static let noPath = WebProblem(
        404, "The API has no such path. GET /api/openapi.json describes each path there is.")
    static let later = WebProblem(503, Phrase("problem_later"), headers: [("retry-after", "30")])
}

/// Refuses requests that call the site by a name it does not have (RFC 9110, 15.5.20): a page of somebody else whose
/// name points here reads nothing.
struct HostCheck: RouterMiddleware {
    private let names: Set<String>

    init(config: Config, door: Site.Door) {
        let settings = config.site.server
        let listen = door == .open ? settings.listen : settings.admin.listen
        var names = Set((settings.hosts + [config.site.site.baseHost, listen.host]).map { $0.lowercased() })
        if listen.isLoopback || listen.host == "0.0.0.0" || listen.host == "::" {
            names.formUnion(["localhost", "127.0.0.1", "::1"])
        }
        self.names = names
    }

    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        // The first Host is the authority. Of several names nobody knows which counts, and a whole address in place of
        // the path brings one more (RFC 9112, 3.2).
        guard request.headers.all("host").isEmpty, request.head.path?.hasPrefix("/") == true,
            let authority = request.head.authority, let host = HostCheck.host(of: authority)
        else {
            throw WebProblem(400, Phrase("problem_no_site"))
        }
        guard names.contains(host) else {
            throw WebProblem(421, Phrase("problem_other_site"))
        }
        return try await next(request, context)
    }

    /// The name without the port, in lower case; nil for what is no name (RFC 3986, 3.2.2).
    static func host(of authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]"), isPort(authority[authority.index(after: end)...]) else {
                return nil
            }
            let name = String(authority[authority.index(after: authority.startIndex)..<end])
            return ClientAddress(name) == nil ? nil : name.lowercased()
        }
        let name = authority.prefix { $0 != ":" }
        let isName = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46
                || $0 == 95
        }
        guard !name.isEmpty, isName, isPort(authority[name.endIndex...]) else { return nil }
        return name.lowercased()
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.hasPrefix(":") && text.utf8.dropFirst().allSatisfy { (48...57).contains($0) })
    }
}

/// Limits how often one visitor comes: 429 says when to come again (RFC 6585).
struct RequestLimit: RouterMiddleware {
    private let limits: VisitorLimits
    private let clients: ForwardedClient
    private let metrics: ServerMetrics

    init(_ limits: VisitorLimits, config: Config, metrics: ServerMetrics) {
        self.limits = limits
        clients = ForwardedClient(trusted: config.site.server.trustedProxies)
        self.metrics = metrics
    }

    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        let client = clients.address(peer: context.peer, forwardedFor: request.headers.all("x-forwarded-for"))
        // A mail provider presses the unsubscribe button for many people from few addresses, and an ad platform brings
        // the leads of all its forms from some.
        let isOfMany = ["/unsubscribe/", "/webhooks/"].contains { request.uri.path.hasPrefix($0) }
        let wait = limits.wait(
            for: client.visitor, isForm: request.method == .post && !isOfMany, network: client.network)
        if let seconds = wait {
            metrics.refused("rate")
            throw WebProblem(
                429, Phrase("problem_too_fast", ["seconds": String(seconds)]),
                headers: [("retry-after", String(seconds))])
        }
        return try await next(request, context)
    }
}

/// Lets in who says the token of `server.admin.token`: a program as `Bearer`, and a person with a browser, who only
/// reads queries, as the password of `Basic`. A browser says that again by itself wherever a page of somebody else
/// sends it, so that it opens nothing that changes anything. Who says the token of a reader is let in to ask alone.
/// From an address that said too many wrong ones none is compared for a while (``TokenTries``), but for programs of
/// this machine: whatever else runs here, a page of somebody else in a browser too, says wrong tokens from the same
/// address, and could keep the house out.
struct TokenCheck: RouterMiddleware {
    private let admin: ServerSettings.Admin
    private let server: ServerSettings
    private let tries: TokenTries
    private let clients: ForwardedClient
    private let metrics: ServerMetrics

    init(config: Config, metrics: ServerMetrics) {
        server = config.site.server
        admin = server.admin
        tries = TokenTries(freeTries: admin.wrongTokens)
        clients = ForwardedClient(trusted: config.site.server.trustedProxies)
        self.metrics = metrics
    }

    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        let isForPeople = TokenCheck.isForPeople(request)
        let said = request.headers[.authorization] ?? ""
        guard !said.isEmpty else { throw TokenCheck.unknown(isForPeople) }
        let client = clients.address(peer: context.peer, forwardedFor: request.headers.all("x-forwarded-for"))
        // A right password in the wrong place is no guess: a page of somebody else could lock the house out by it.
        if !TokenCheck.isOfThisMachine(client, request.headers, server) {
            switch tries.verdict(of: said, from: client.visitor, find: { Caller(said, admin, takesPasswords: true) }) {
            case .wait(let seconds, let isAddress):
                metrics.refused("tokens")
                throw WebProblem(
                    429,
                    isAddress
                        ? "Too many wrong tokens came from your address. Try again in \(seconds) seconds."
                        : "This token was wrong too often, and is not looked at for \(seconds) seconds. The right one is.",
                    headers: [("retry-after", String(seconds))])
            case .wrong(let isLast):
                if isLast {
                    context.logger.warning(
                        "wrong tokens came from one address, which has to wait now",
                        metadata: ["network": "\(client.network)"])
                }
                throw TokenCheck.unknown(isForPeople)
            case .known: break
            }
        }
        switch Caller(said, admin, takesPasswords: isForPeople) {
        case .house: break
        case .reader where isForPeople || TokenCheck.isQuestion(request): break
        case .reader:
            throw WebProblem(
                403,
                "A reader may ask: POST /api/sql, GET /api/queries and GET /queries. This needs the token of server.admin.token."
            )
        case nil: throw TokenCheck.unknown(isForPeople)
        }
        return try await next(request, context)
    }

    /// Headers that proxies write: `Forwarded` (RFC 7239), `Via` (RFC 9110, 7.6.3), and those of custom.
    private static let ofProxies = [
        "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip",
    ]

    /// Whether somebody on this machine asks, and not a proxy on it for somebody elsewhere. What a proxy sends says so,
    /// as long as it writes any of ``ofProxies``; where the config speaks of a proxy and names none, any address may be
    /// its.
    static func isOfThisMachine(_ client: ClientAddress, _ headers: HTTPFields, _ server: ServerSettings) -> Bool {
        client.isLoopback && ofProxies.allSatisfy { headers.all($0).isEmpty }
            && !(server.admin.isBehindTLS && server.trustedProxies.isEmpty)
    }

    private static func unknown(_ isForPeople: Bool) -> WebProblem {
        WebProblem(
            401, Caller.unknown,
            headers: [("www-authenticate", isForPeople ? "Basic realm=\"Trellis\", charset=\"UTF-8\"" : "Bearer")])
    }

    private static func isForPeople(_ request: Request) -> Bool {
        guard request.method == .get || request.method == .head else { return false }
        let path = request.uri.path.split(separator: "/").map(String.init)
        return path.first == "queries" || path.starts(with: ["api", "queries"])
    }

    private static func isQuestion(_ request: Request) -> Bool {
        request.method == .post && request.uri.path == "/api/sql"
    }
}

/// Which pages of other sites may call an endpoint by script (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).
/// Such a script may read every answer: also why it has to wait, and how long.
struct CrossOrigin: RouterMiddleware {
    private let origins: [String]
    /// The open endpoints, as `POST /forms/{magnet}`.
    private let open: Set<String>

    init(config: Config, endpoints: [Endpoint]) {
        origins = config.site.server.origins
        open = Set(
            endpoints.filter(\.isOpenToOrigins).map {
                "\($0.method.rawValue) \(RouterPath($0.path).description)"
            })
    }

    func handle(
        _ request: Request, context: SiteContext, next: (Request, SiteContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard let path = context.endpointPath, open.contains("\(request.method.rawValue) \(path)") else {
            return response
        }
        response.headers[.vary] = "Origin"
        guard let origin = request.headers[.origin], origins.contains(origin) else { return response }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = "Retry-After"
        return response
    }

    func preflight(_ request: Request) -> Response {
        var headers: HTTPFields = [.vary: "Origin"]
        guard let origin = request.headers[.origin], origins.contains(origin) else {
            return Response(status: .forbidden, headers: headers)
        }
        headers[.accessControlAllowOrigin] = origin
        headers[.accessControlAllowMethods] = "POST"
        headers[.accessControlAllowHeaders] = "content-type"
        headers[.accessControlMaxAge] = "600"
        return Response(status: .noContent, headers: headers)
    }
}
