import Foundation
import Logging

/// The one process that works on a file: it pumps the log, keeps the appointments and sends the messages.
///
/// A lock held for life makes it the only one; whoever comes second is told the pid of the first. The couriers work
/// beside the pump, on a thread of their own: a relay that answers slowly holds up nothing but its own mail.
public final class Worker {
    private let kernel: Kernel
    private let couriers: [Courier]
    private let pump: EventPump
    private let lock: FileLock
    private let runID: Int64
    private let chores: ChoreRunner
    private var clock: ClockGuard
    private var seenAt = Date.distantPast
    private var forgotAt = Date.distantPast
    /// Whether the worker before this one died.
    public let isAfterCrash: Bool

    /// How often the log is looked at while nothing happens: a row of another client is noticed within a second.
    static let restMilliseconds = 200
    /// A rest between two rounds while little happens at a time, so that what forms bring is handled together: each
    /// round waits for the disk, and forms wait with it.
    static let breathMilliseconds = 50
    /// A round of fewer events leaves time to rest.
    static let roundMin = 2000

    /// After a file that is held, or a disk that is full.
    static let troubleMilliseconds = 1000

    /// How long the pump goes on before the courier has its turn.
    static let slice = Duration.milliseconds(250)
    /// How often a worker gives a sign of life.
    static let seenSeconds: TimeInterval = 60
    /// How often it lets go of what it has kept long enough.
    static let forgetSeconds: TimeInterval = 86_400

    public convenience init(_ kernel: Kernel, transport: any Transport) throws {
        try self.init(kernel, transports: [transport])
    }

    /// - Parameters:
    ///   - transports: one for each kind of message that is to leave; of the others the messages wait.
    ///   - web: what chores ask sites with.
    /// - Throws: ``KernelError/secondWorker(pid:)`` while another process works on the file.
    public init(_ kernel: Kernel, transports: [any Transport], web: WebReader = .none) throws {
        let path = kernel.store.path + "-worker"
        // Who only asks whether there is a worker holds the lock for a moment too.
        guard let lock = try FileLock(path: path, waiting: 1) else {
            throw KernelError.secondWorker(pid: FileLock.signature(path: path))
        }
        try SQLHooks(kernel.config).hold(kernel)
        lock.sign(ProcessInfo.processInfo.processIdentifier)
        self.lock = lock
        self.kernel = kernel
        chores = ChoreRunner(kernel, web: web)
        clock = try ClockGuard(kernel)
        let run = try WorkerRun.begin(kernel)
        (runID, isAfterCrash) = run
        couriers = try transports.map { transport in
            let mark = try WritingMark(
                path: kernel.store.path, transport: transport.name, isAfterCrash: run.isAfterCrash)
            return Courier(kernel, transport: transport, mark: mark)
        }
        pump = EventPump(
            kernel, mark: try RunningMark(path: kernel.store.path + "-running", isAfterCrash: isAfterCrash))
        for courier in couriers { try courier.recover() }
        // By a clock that is not believed, all would have been kept long enough.
        if try !kernel.read(ClockGuard.isHeld) { try forget() }
    }

    /// Once a day: what was kept for some days only is let go of when they are over.
    private func forget() throws {
        forgotAt = kernel.clock.now()
        try Trash.empty(kernel)
        try Undo.empty(kernel)
        try Worker.emptyCalls(kernel)
        while try kernel.write(origin: "kernel", { try HitJudge.forget($0) }) {}
    }

    /// How long a call of the API under an Idempotency-Key is known, in seconds: 30 days.
    private static let callMemory: TimeInterval = 30 * 86_400

    private static func emptyCalls(_ kernel: Kernel) throws {
        let limit = Timestamp.text(kernel.clock.now() - callMemory)
        let isOld = try kernel.read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM api_calls WHERE at < ?)", arguments: [limit])
        }
        guard isOld == true else { return }
        try kernel.write(origin: "kernel") {
            try $0.db.execute(sql: "DELETE FROM api_calls WHERE at < ?", arguments: [limit])
        }
    }

    /// Works until nothing is due now.
    ///
    /// - Parameter progress: called with the events handled so far; false stops.
    /// - Returns: the events handled and the messages settled.
    @discardableResult
    public func runUntilIdle(progress: (Int) -> Bool = { _ in true }) async throws -> (events: Int, messages: Int) {
        var (events, messages) = (0, 0)
        while true {
            try look()
            // A mail does not wait until a big import has been handled: pump and couriers take turns.
            let sliceEnd = ContinuousClock.now + Worker.slice
            var (isIdle, isStopped) = (true, false)
            events += try pump.runUntilIdle { handled in
                isStopped = !progress(events + handled)
                isIdle = ContinuousClock.now < sliceEnd
                return isIdle && !isStopped
            }
            for courier in couriers {
                guard let settled = try await courier.round() else { continue }
                messages += settled
                isIdle = false
            }
            guard isStopped || isIdle else { continue }
            for courier in couriers { await courier.transport.close() }
            return (events, messages)
        }
    }

    /// Works until `shouldStop` says so, resting a little whenever nothing is due. A database that is locked by
    /// somebody else is waited for; any other trouble with the file ends the work.
    public func run(until shouldStop: @escaping @Sendable () -> Bool) async throws {
        // Whichever of them fails ends the work of all.
        let end = StopFlag()
        let thread = WorkThread("trellis.courier")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for courier in couriers {
                group.addTask(executorPreference: thread) {
                    defer { end.raise() }
                    try await courier.run { shouldStop() || end.isRaised }
                    await courier.transport.close()
                }
            }
            defer { end.raise() }
            try await pump { shouldStop() || end.isRaised }
            end.raise()
            try await group.waitForAll()
        }
    }

    private func pump(until shouldStop: () -> Bool) async throws {
        while !shouldStop() {
            do {
                try look()
                while !shouldStop(), let handled = try pumpSlice() {
                    try look()
                    if handled < Worker.roundMin {
                        try? await Task.sleep(for: .milliseconds(Worker.breathMilliseconds))
                    }
                }
            } catch let error as KernelError where error.passes {
                kernel.logger.warning("\(error)")
                try? await Task.sleep(for: .milliseconds(Worker.troubleMilliseconds))
            }
            chores.startDue()
            if !shouldStop() { try? await Task.sleep(for: .milliseconds(Worker.restMilliseconds)) }
        }
    }

    /// A slice of events; nil when nothing is due. Returns the events handled.
    private func pumpSlice() throws -> Int? {
        let sliceEnd = ContinuousClock.now + Worker.slice
        var didWork = false
        let handled = try pump.runUntilIdle { handled in
            didWork = true
            return handled >= Worker.roundMin && ContinuousClock.now < sliceEnd
        }
        return didWork ? handled : nil
    }

    /// Whether the clock is right, and a sign of life for the next start.
    private func look() throws {
        try lookAtClock()
        let now = kernel.clock.now()
        guard abs(now.timeIntervalSince(seenAt)) >= Worker.seenSeconds else { return }
        seenAt = now
        let isTrusted = try kernel.write(origin: "kernel") { tx in
            // What a clock that jumped says is no sign of when anybody lived.
            guard try tx.isClockTrusted else { return false }
            try tx.db.execute(sql: "UPDATE worker_runs SET seen_at = ? WHERE id = ?", arguments: [tx.stamp, runID])
            return true
        }
        if isTrusted, now.timeIntervalSince(forgotAt) >= Worker.forgetSeconds { try forget() }
    }

    private func lookAtClock() throws {
        try clock.look { try WorkerRun.goOn(runID, kernel, $0) }
    }

    /// Notes that the work ended well. Without it the next worker takes this one for crashed.
    public func finish() throws {
        try lookAtClock()
        try kernel.write(origin: "kernel") { tx in
            let seen = try tx.isClockTrusted ? tx.stamp : nil
            try tx.db.execute(
                sql: "UPDATE worker_runs SET ended_at = :now, seen_at = coalesce(:seen, seen_at) WHERE id = :run",
                arguments: ["now": tx.stamp, "seen": seen, "run": runID])
        }
    }

    /// The pid of the worker on a file, if one is there now.
    public static func current(_ kernel: Kernel) throws -> Int32? {
        try Store.worker(on: kernel.store.path)
    }
}

extension Courier {
    /// Sends what comes due until `shouldStop` says so.
    fileprivate func run(until shouldStop: @escaping @Sendable () -> Bool) async throws {
        while !shouldStop() {
            do {
                while !shouldStop(), try await round(until: shouldStop) != nil {}
            } catch let error as KernelError where error.passes {
                log(error)
                try? await Task.sleep(for: .milliseconds(Worker.troubleMilliseconds))
            }
            if !shouldStop() { try? await Task.sleep(for: .milliseconds(Worker.restMilliseconds)) }
        }
    }
}
