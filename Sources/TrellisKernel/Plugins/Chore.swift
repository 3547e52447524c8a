import Synchronization

/// Something the kernel or a plugin does beside the log, now and then, while a worker runs: asking a name server,
/// looking into a mailbox. It may wait for the network, because nothing waits for it. What must happen once is no
/// chore but a hook.
public struct Chore: Sendable {
    /// Its name within its plugin, for the log.
    public let name: String
    /// From one end to the next begin.
    public let pause: Duration
    private let work: @Sendable (Kernel, WebReader) async throws -> Void

    /// - Parameter work: is given what asks sites on the web.
    public init(
        _ name: String, every pause: Duration, _ work: @escaping @Sendable (Kernel, WebReader) async throws -> Void
    ) {
        self.name = name
        self.pause = pause
        self.work = work
    }

    public init(_ name: String, every pause: Duration, _ work: @escaping @Sendable (Kernel) async throws -> Void) {
        self.init(name, every: pause) { kernel, _ in try await work(kernel) }
    }

    /// Does it once.
    public func run(on kernel: Kernel, web: WebReader = .none) async throws { try await work(kernel, web) }
}

/// Runs the chores of the kernel and of the plugins, each beside the worker and never twice at once.
final class ChoreRunner: Sendable {
    private let kernel: Kernel
    private let chores: [Chore]
    private let web: WebReader
    /// Of the machine rather than of the kernel: a pause is no rule of the site.
    private let now: @Sendable () -> ContinuousClock.Instant
    /// When each is due; nil while it runs.
    private let due: Mutex<[ContinuousClock.Instant?]>

    init(
        _ kernel: Kernel, chores: [Chore]? = nil, web: WebReader = .none,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.kernel = kernel
        self.web = web
        self.chores = chores ?? kernel.ownChores + kernel.plugins.flatMap { $0.chores }
        self.now = now
        due = Mutex(self.chores.map { _ in now() })
    }

    /// Starts those that are due, and returns at once: with what was started, which ends when it ends.
    @discardableResult
    func startDue() -> [Task<Void, Never>] {
        let now = self.now()
        return chores.enumerated().compactMap { index, chore in
            let isDue = due.withLock { due in
                guard let at = due[index], at <= now else { return false }
                due[index] = nil
                return true
            }
            guard isDue else { return nil }
            return Task.detached { [self] in
                do {
                    try await chore.run(on: kernel, web: web)
                } catch {
                    kernel.logger.warning("a chore failed", metadata: ["chore": "\(chore.name)", "error": "\(error)"])
                }
                let end = self.now()
                due.withLock { $0[index] = end + chore.pause }
            }
        }
    }
}
