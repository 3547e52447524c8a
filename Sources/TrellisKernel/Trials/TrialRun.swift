import Foundation

/// The work on a copy, as a worker does it, from one moment at which something is due to the next.
/// ```swift
/// let clock = TrialClock(at: now)
/// let trial = try TrialCopy(of: path, config: config, plugins: types, clock: clock.clock)
/// let run = try TrialRun(trial.kernel, clock: clock)
/// try await run.run(until: now + 30 * 86_400)
/// ```
/// Begun like a worker, it lets every plugin take up the config of the copy. A jump of the machine's clock that nobody
/// accepted yet holds the original and not the trial. Chores, which ask name servers and mailboxes, are not run.
public final class TrialRun {
    public let kernel: Kernel
    private let clock: TrialClock
    private let transports: [String]
    private let worker: Worker

    /// - Parameters:
    ///   - clock: the one the kernel was opened with.
    ///   - transports: one for each kind of message that is to be taken; a trial sends none.
    /// - Throws: ``KernelError`` where another process works on the copy.
    public init(_ kernel: Kernel, clock: TrialClock, transports: [any Transport] = MuteTransport.all) throws {
        self.kernel = kernel
        self.clock = clock
        self.transports = transports.map(\.name)
        try kernel.write(origin: "kernel") { try $0.settleClockJumps(by: "trial") }
        worker = try Worker(kernel, transports: transports)
    }

    /// Pumps, and takes the messages, until nothing is due at this moment.
    ///
    /// - Parameter goesOn: asked between two rounds; false stops.
    /// - Returns: the events handled and the messages settled.
    @discardableResult
    public func runUntilIdle(while goesOn: () -> Bool = { true }) async throws -> (events: Int, messages: Int) {
        try await worker.runUntilIdle { _ in goesOn() }
    }

    /// Lets time pass up to `end`, and does everything when it is due; at `end` the clock stands there, and nothing
    /// is due.
    ///
    /// - Parameters:
    ///   - step: seconds; what comes due within a step, counted from midnight UTC, is done together at its end. With
    ///     0, each at its own moment.
    ///   - goesOn: asked between two moments and two rounds; false stops.
    /// - Returns: whether it came to the end.
    @discardableResult
    public func run(until end: Date, step: TimeInterval = 0, while goesOn: () -> Bool = { true }) async throws -> Bool {
        try await runUntilIdle(while: goesOn)
        while goesOn(), clock.now < end {
            let due = try nextDue()
            clock.advance(to: min(due.map { TrialRun.stepped($0, step) } ?? end, end))
            try await runUntilIdle(while: goesOn)
        }
        return goesOn()
    }

    /// When the next work becomes due, after this moment; nil where none ever does.
    public func nextDue() throws -> Date? {
        try kernel.read { try DueMoment.next(after: clock.now, transports: transports, $0) }
    }

    /// Notes that the work ended well, as a worker does.
    public func finish() throws {
        try worker.finish()
    }

    /// The end of the step in which a moment lies.
    static func stepped(_ moment: Date, _ step: TimeInterval) -> Date {
        guard step > 0 else { return moment }
        return Date(timeIntervalSince1970: (moment.timeIntervalSince1970 / step).rounded(.up) * step)
    }
}
