import Dispatch
import Synchronization

/// One thread that runs tasks in turn: for work that blocks while it lasts, since there may be no more threads for
/// everybody else than the machine has cores.
public final class WorkThread: TaskExecutor {
    private let queue: DispatchQueue

    /// - Parameter name: what a debugger calls it.
    public init(_ name: String) {
        queue = DispatchQueue(label: name)
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Raised once, by whoever wants several tasks to end.
final class StopFlag: Sendable {
    private let raised = Atomic(false)

    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
}
