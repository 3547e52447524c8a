import Foundation
import Synchronization
import TrellisKernel

/// Time that moves when it is told to.
public final class StoppedClock: Sendable {
    private let instant: Mutex<Date>
    /// By how much it was set, in seconds: the time that did not pass.
    private let jumped = Mutex<TimeInterval>(0)
    private let showsJumps: Bool

    /// - Parameters:
    ///   - text: UTC, as the database writes it: `2026-03-02 09:00:00`.
    ///   - showsJumps: whether a worker can tell ``jump(by:)`` from time that passes.
    public init(at text: String, showsJumps: Bool = false) {
        instant = Mutex(Timestamp.date(text) ?? Date(timeIntervalSince1970: 0))
        self.showsJumps = showsJumps
    }

    public var now: Date { instant.withLock { $0 } }

    /// Moves on by a span as the config writes it: `3 days`.
    public func advance(by span: String) {
        instant.withLock { $0 += Double(Span(span)?.seconds ?? 0) }
    }

    /// Somebody sets it by so many seconds, and no time passes.
    public func jump(by seconds: TimeInterval) {
        instant.withLock { $0 += seconds }
        jumped.withLock { $0 += seconds }
    }

    public func set(_ text: String) {
        instant.withLock { $0 = Timestamp.date(text) ?? $0 }
    }

    public var clock: KernelClock {
        guard showsJumps else { return KernelClock(rulesSQL: true) { [self] in now } }
        let steady: @Sendable () -> TimeInterval = { [self] in now.timeIntervalSince1970 - jumped.withLock { $0 } }
        return KernelClock(steadySeconds: steady, rulesSQL: true) { [self] in now }
    }
}
