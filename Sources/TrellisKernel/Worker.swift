import Foundation
import Logging

/// The one process that works on a file: it pumps the log, keeps the appointments and sends the messages.
///
/// A lock held for life makes it the only one; whoever comes second is told the pid of the first.
public final class Worker {
    private let kernel: Kernel
    private let courier: Courier
    private let pump: EventPump
    private let lock: FileLock
    private let runID: Int64
    private let chores: ChoreRunner
    /// Whether the worker before this one died.
    public let isAfterCrash: Bool

    /// How often the log is looked at while nothing happens: a row of another client is noticed within a second.
    static let restMilliseconds = 200
    /// A rest between two rounds while little happens at a time, so that what forms bring is handled together: each
    /// round waits for the disk, and forms wait with it.
    static let breathMilliseconds = 50
    /// A round of fewer events leaves time to rest.
    static let roundMin = 2000

    /// How long the pump goes on before the courier has its turn.
    static let slice = Duration.milliseconds(250)

    /// - Throws: ``KernelError/secondWorker(pid:)`` while another process works on the file.
    public init(_ kernel: Kernel, transport: any Transport) throws {
        let path = kernel.store.path + "-worker"
        // Who only asks whether there is a worker holds the lock for a moment too.
        guard let lock = try FileLock(path: path, waiting: 1) else {
            throw KernelError.secondWorker(pid: FileLock.signature(path: path))
        }
        lock.sign(ProcessInfo.processInfo.processIdentifier)
        self.lock = lock
        self.kernel = kernel
        chores = ChoreRunner(kernel)
        courier = Courier(kernel, transport: transport)
        let (runID, crashed) = try kernel.write(origin: "kernel") { tx in
            let crashed =
                try Bool.fetchOne(tx.db, sql: "SELECT EXISTS (SELECT 1 FROM worker_runs WHERE ended_at IS NULL)")
                ?? false
            try tx.db.execute(sql: "UPDATE worker_runs SET ended_at = 'crashed' WHERE ended_at IS NULL")
            try tx.db.execute(
                sql: "INSERT INTO worker_runs (pid, started_at) VALUES (?, ?)",
                arguments: [ProcessInfo.processInfo.processIdentifier, tx.stamp])
            return (tx.db.lastInsertedRowID, crashed)
        }
        self.runID = runID
        isAfterCrash = crashed
        pump = EventPump(kernel, mark: try RunningMark(path: kernel.store.path + "-running", isAfterCrash: crashed))
        try courier.recover()
        try Trash.empty(kernel)
    }

    /// Works until nothing is due now.
    ///
    /// - Parameter progress: called with the events handled so far; false stops.
    /// - Returns: the events handled and the messages settled.
    @discardableResult
    public func runUntilIdle(progress: (Int) -> Bool = { _ in true }) async throws -> (events: Int, messages: Int) {
        var (events, messages) = (0, 0)
        while true {
            // A mail does not wait until a big import has been handled: pump and courier take turns.
            let sliceEnd = ContinuousClock.now + Worker.slice
            var (isIdle, isStopped) = (true, false)
            events += try pump.runUntilIdle { handled in
                isStopped = !progress(events + handled)
                isIdle = ContinuousClock.now < sliceEnd
                return isIdle && !isStopped
            }
            let settled = try await courier.round()
            messages += settled ?? 0
            if isStopped || (isIdle && settled == nil) { return (events, messages) }
        }
    }

    /// A slice of events and a claim of messages; nil when nothing is due. Returns the events handled.
    private func round() async throws -> Int? {
        let sliceEnd = ContinuousClock.now + Worker.slice
        let handled = try pump.runUntilIdle { $0 >= Worker.roundMin && ContinuousClock.now < sliceEnd }
        let settled = try await courier.round()
        return handled == 0 && settled == nil ? nil : handled
    }

    /// Works until `shouldStop` says so, resting a little whenever nothing is due. A database that is locked by
    /// somebody else is waited for; any other trouble with the file ends the work.
    public func run(until shouldStop: @Sendable () -> Bool) async throws {
        while !shouldStop() {
            do {
                while !shouldStop(), let handled = try await round() {
                    if handled < Worker.roundMin {
                        try? await Task.sleep(for: .milliseconds(Worker.breathMilliseconds))
                    }
                }
            } catch KernelError.busy {
                kernel.logger.warning("\(KernelError.busy)")
            }
            chores.startDue()
            if !shouldStop() { try? await Task.sleep(for: .milliseconds(Worker.restMilliseconds)) }
        }
    }

    /// Notes that the work ended well. Without it the next worker takes this one for crashed.
    public func finish() throws {
        try kernel.write(origin: "kernel") { tx in
            try tx.db.execute(sql: "UPDATE worker_runs SET ended_at = ? WHERE id = ?", arguments: [tx.stamp, runID])
        }
    }

    /// The pid of the worker on a file, if one is there now.
    public static func current(_ kernel: Kernel) throws -> Int32? {
        try Store.worker(on: kernel.store.path)
    }
}
