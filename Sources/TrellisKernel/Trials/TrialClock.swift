import Foundation
import Synchronization

/// Time that stands still until it is set forward, for a trial: a month passes in as long as its work takes.
public final class TrialClock: Sendable {
    private let instant: Mutex<Date>

    /// - Parameter start: what it says until it is set forward.
    public init(at start: Date) {
        instant = Mutex(start)
    }

    /// What it says.
    public var now: Date { instant.withLock { $0 } }

    /// Sets it forward. It never goes back: what is earlier changes nothing.
    public func advance(to moment: Date) {
        instant.withLock { $0 = max($0, moment) }
    }

    /// The clock for a kernel. It has no steady seconds, so that a week in a moment is no jump.
    public var clock: KernelClock {
        KernelClock { [self] in now }
    }
}
