import Foundation
public import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
public import TrellisKernel
import UnixSignals

/// The whole CRM in one process: the public listener, the one for the house, and the worker, until SIGTERM.
///
/// A stop is graceful: no new connection is taken, requests under way are answered, the batch under way commits, and
/// plugins write what they kept in memory.
public struct WebServer: Sendable {
    private let kernel: Kernel
    private let metrics: ServerMetrics
    private let pages: Pages
    private let limits: VisitorLimits
    private let queries: QueryPool
    /// Told of each listener once it is open, with the address it got.
    private let started: @Sendable (String) -> Void

    /// How long requests under way may still take after the signal to stop, and how long the process then waits for
    /// what was cancelled.
    public static let shutdownSeconds = (graceful: 7, cancelled: 2)
    private let secondsToCancel: Int

    /// - Parameters:
    ///   - program: what answers a ``GuardedQuery``, with its arguments: by default this program itself.
    ///   - secondsToCancel: how long what was cancelled may take before the process ends itself: longer where it has
    ///     other work than to serve.
    ///   - limitClock: what the limits per visitor fill again by.
    /// - Throws: ``ConfigProblems`` for a page of the site that cannot be read.
    public init(
        _ kernel: Kernel, program: [String] = ["/proc/self/exe", GuardedQuery.command],
        secondsToCancel: Int = shutdownSeconds.cancelled,
        started: @escaping @Sendable (String) -> Void = { _ in },
        limitClock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws {
        self.kernel = kernel
        self.started = started
        self.secondsToCancel = secondsToCancel
        queries = QueryPool(program: program, childrenMax: kernel.config.site.server.admin.sql.atOnce)
        metrics = ServerMetrics(counts: kernel.counts)
        limits = VisitorLimits(config: kernel.config, clock: limitClock)
        pages = try Pages(config: kernel.config, plugins: kernel.pluginTypes)
    }

    /// Serves and works until the process is told to stop.
    ///
    /// - Parameters:
    ///   - worker: the one worker on the file, already holding its lock.
    ///   - shouldEnd: asked five times a second; true ends it in order, as SIGTERM does.
    public func run(with worker: sending Worker, until shouldEnd: @escaping @Sendable () -> Bool = { false })
        async throws
    {
        ConnectionLimit.raiseFileLimit()
        let settings = kernel.config.site.server
        limits.resume(isAfterCrash: worker.isAfterCrash, now: kernel.clock.now())
        let work = WorkerService(worker)
        var services: [any Service] = [
            work,
            BoundListener(
                door: publicListener(isReady: { work.isWorking }), address: settings.listen, setting: "server.listen"),
        ]
        if settings.admin.token != nil {
            services.append(
                BoundListener(
                    door: adminListener(isReady: { work.isWorking }), address: settings.admin.listen,
                    setting: "server.admin.listen"))
        }
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: kernel.logger)
        configuration.services.append(
            .init(
                service: EndWatch(shouldEnd: shouldEnd), successTerminationBehavior: .gracefullyShutdownGroup,
                failureTerminationBehavior: .gracefullyShutdownGroup))
        configuration.maximumGracefulShutdownDuration = .seconds(WebServer.shutdownSeconds.graceful)
        configuration.maximumCancellationDuration = .seconds(secondsToCancel)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            await endPlugins()
            throw error
        }
        await endPlugins()
        limits.keep(now: kernel.clock.now())
    }

    private func endPlugins() async {
        for plugin in kernel.plugins { await plugin.end(kernel) }
    }

    /// Pages, forms and links: what everybody may reach.
    public func publicListener(isReady: @escaping @Sendable () -> Bool = { true }) -> some ApplicationProtocol {
        let endpoints =
            Leaving.endpoints + MailHits.endpoints + [PublicFolder.endpoint] + kernel.plugins.flatMap { $0.endpoints }
        return listener(
            on: kernel.config.site.server.listen, name: "public",
            router: Site(kernel: kernel, pages: pages, metrics: metrics, limits: limits, door: .open, isReady: isReady)
                .router(for: endpoints))
    }

    /// The API and the figures: what the house alone may reach.
    public func adminListener(isReady: @escaping @Sendable () -> Bool = { true }) -> some ApplicationProtocol {
        let questions = QueryAPI(pool: queries)
        let own = LeadAPI.endpoints + questions.endpoints + QueryPages(api: questions).endpoints
        let endpoints = own + kernel.plugins.flatMap { $0.apiEndpoints } + [metrics.endpoint]
        return listener(
            on: kernel.config.site.server.admin.listen, name: "admin",
            router: Site(kernel: kernel, pages: pages, metrics: metrics, limits: limits, door: .admin, isReady: isReady)
                .router(for: endpoints))
    }

    private func listener(on address: ListenAddress, name: String, router: Router<SiteContext>)
        -> some ApplicationProtocol
    {
        let limit = ConnectionLimit(kernel.config.site.server, metrics: metrics)
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(limit)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16_384, maxHeaderListSize: 32_768, maxHeaderFieldCount: 100))
        let started = self.started
        return Application(
            router: router, server: .http1(configuration: channel),
            configuration: .init(address: .hostname(address.host, port: address.port), backlog: 512),
            onServerRunning: { channel in
                started(
                    "\(name) http://\(ListenAddress(host: address.host, port: channel.localAddress?.port ?? address.port))"
                )
            },
            logger: kernel.logger)
    }
}
