import Foundation

/// The one source of time. Whoever needs to know what time it is asks a ``Transaction`` or a kernel, and both ask this.
public struct KernelClock: Sendable {
    /// The instant it is now.
    public let now: @Sendable () -> Date
    /// Seconds since some fixed moment, by a clock that nobody sets: what a jump of ``now`` is noticed by. Nil where
    /// time is not real, and nothing is a jump.
    public let steadySeconds: (@Sendable () -> TimeInterval)?

    /// Whether it is the time of SQL too: see ``UnrealTime``.
    let rulesSQL: Bool

    /// A clock of your own: a stopped one for a test, a fast one for a simulation.
    ///
    /// - Parameter rulesSQL: whether `'now'` in SQL is its moment and not that of the machine, which makes each call of
    ///   a function of time about a microsecond slower.
    public init(
        steadySeconds: (@Sendable () -> TimeInterval)? = nil, rulesSQL: Bool = false,
        now: @escaping @Sendable () -> Date
    ) {
        self.now = now
        self.steadySeconds = steadySeconds
        self.rulesSQL = rulesSQL
    }

    /// The clock of the machine. Its steady seconds go on while the machine sleeps (CLOCK_BOOTTIME, clock_gettime(2)).
    public static let system: KernelClock = {
        let start = ContinuousClock.now
        return KernelClock(steadySeconds: { (ContinuousClock.now - start) / .seconds(1) }) { Date() }
    }()
}
