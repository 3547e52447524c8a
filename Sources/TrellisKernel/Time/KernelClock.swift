import Foundation

/// The one source of time. Whoever needs to know what time it is asks a ``Transaction`` or a kernel, and both ask this.
public struct KernelClock: Sendable {
    /// The instant it is now.
    public let now: @Sendable () -> Date

    /// A clock of your own: a stopped one for a test, a fast one for a simulation.
    public init(now: @escaping @Sendable () -> Date) {
        self.now = now
    }

    /// The clock of the machine.
    public static let system = KernelClock { Date() }
}
