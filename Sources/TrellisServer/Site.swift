import HTTPTypes
import Hummingbird
import NIOCore
import TrellisKernel

/// Endpoints as routes of one listener.
struct Site: Sendable {
    /// Who may come in.
    enum Door: Sendable {
        /// Everybody.
        case open
        /// Whoever says the token.
        case admin
    }

    let kernel: Kernel
    let pages: Pages
    let metrics: ServerMetrics
    let limits: VisitorLimits
    let door: Door
    /// Whether the work behind the pages is being done.
    let isReady: @Sendable () -> Bool

    func router(for endpoints: [Endpoint]) -> Router<SiteContext> {
        let router = Router(context: SiteContext.self, options: .autoGenerateHeadEndpoints)
        let writer = ReplyWriter(pages: pages, isJSON: door == .admin)
        router.add(middleware: RequestRecorder(metrics: metrics, name: door == .open ? "public" : "admin"))
        router.add(middleware: ResponseHeaders())
        let origins = CrossOrigin(config: kernel.config, endpoints: endpoints)
        router.add(middleware: origins)
        router.add(middleware: ProblemWriter(writer: writer))
        router.add(middleware: HostCheck(config: kernel.config, door: door))
        if door == .open {
            router.add(middleware: RequestLimit(limits, config: kernel.config, metrics: metrics))
        }
        addStyle(to: router)
        addIcon(to: router)
        addHealth(to: router)
        let guarded =
            door == .admin
            ? router.group().add(middleware: TokenCheck(config: kernel.config, metrics: metrics)) : router.group()
        for endpoint in endpoints { add(endpoint, to: guarded, writer, origins) }
        refuseOtherMethods(endpoints, on: guarded)
        return router
    }

    private func add(
        _ endpoint: Endpoint, to router: RouterGroup<SiteContext>, _ writer: ReplyWriter, _ origins: CrossOrigin
    ) {
        let reader = RequestReader(kernel: kernel)
        let path = RouterPath(endpoint.path)
        let method = HTTPRequest.Method(rawValue: endpoint.method.rawValue) ?? .get
        router.on(path, method: method) { request, context in
            let read = try await reader.read(request, context, as: endpoint.body)
            return try await writer.response(to: read, try await endpoint(read), context)
        }
        if endpoint.isOpenToOrigins, endpoint.method == .post {
            router.on(path, method: .options) { request, _ in origins.preflight(request) }
        }
    }

    private static let methods = ["CONNECT", "DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"]

    /// A path that is there, asked by a method it does not know (RFC 9110, 15.5.6).
    private func refuseOtherMethods(_ endpoints: [Endpoint], on router: RouterGroup<SiteContext>) {
        let health = ["/healthz", "/readyz"].map { Endpoint(.get, $0) { _ in WebReply() } }
        for (path, known) in Dictionary(grouping: endpoints + health, by: \.path) {
            var methods = Set(known.map(\.method.rawValue))
            if methods.contains("GET") { methods.insert("HEAD") }
            if known.contains(where: { $0.isOpenToOrigins && $0.method == .post }) { methods.insert("OPTIONS") }
            let problem = wrongMethod(at: path, allowed: methods.sorted().joined(separator: ", "))
            for method in Site.methods where !methods.contains(method) {
                guard let method = HTTPRequest.Method(rawValue: method) else { continue }
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw problem
                }
            }
        }
    }

    /// Programs of the house are told what the path knows, people that it is not this.
    private func wrongMethod(at path: String, allowed: String) -> WebProblem {
        let headers = [(name: "allow", value: allowed)]
        guard door == .admin, path.hasPrefix("/api/") else {
            return WebProblem(405, Phrase("problem_method"), headers: headers)
        }
        return WebProblem(
            405, "The methods of this path are \(allowed). GET /api/openapi.json describes each path.", headers: headers
        )
    }

    private func addStyle(to router: Router<SiteContext>) {
        let style = ByteBuffer(string: pages.style)
        router.get("trellis.css") { request, _ in
            let isTagged = request.uri.query == pages.styleTag
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/css; charset=utf-8",
                    .cacheControl: isTagged ? "public, max-age=31536000, immutable" : "no-cache",
                ],
                body: .init(byteBuffer: style))
        }
    }

    /// Browsers ask for it on every first visit.
    private func addIcon(to router: Router<SiteContext>) {
        router.get("favicon.ico") { _, _ in
            Response(status: .noContent, headers: [.cacheControl: "public, max-age=86400"])
        }
    }

    /// `/healthz`: the process answers. `/readyz`: the file can be read and the worker works.
    private func addHealth(to router: Router<SiteContext>) {
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ -> Response in
            let canRead = (try? kernel.read { try Int.fetchOne($0, sql: "SELECT 1 FROM stages LIMIT 1") }) == 1
            let sentence =
                !canRead ? "the database cannot be read\n" : isReady() ? "ready\n" : "the worker has stopped\n"
            return Response(
                status: canRead && isReady() ? .ok : .serviceUnavailable,
                headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: sentence)))
        }
    }
}

/// What is known of a request besides itself.
struct SiteContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The address of the other end of the connection: the visitor's, or that of a proxy.
    let peer: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress?.ipAddress
    }
}
