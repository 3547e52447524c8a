import Foundation
import Synchronization
import TrellisKernel

/// Time that moves when it is told to.
public final class StoppedClock: Sendable {
    private let instant: Mutex<Date>

    /// - Parameter text: UTC, as the database writes it: `2026-03-02 09:00:00`.
    public init(at text: String) {
        instant = Mutex(Timestamp.date(text) ?? Date(timeIntervalSince1970: 0))
    }

    public var now: Date { instant.withLock { $0 } }

    /// Moves on by a span as the config writes it: `3 days`.
    public func advance(by span: String) {
        instant.withLock { $0 += Double(Span(span)?.seconds ?? 0) }
    }

    public func set(_ text: String) {
        instant.withLock { $0 = Timestamp.date(text) ?? $0 }
    }

    public var clock: KernelClock {
        KernelClock(rulesSQL: true) { [self] in now }
    }
}
