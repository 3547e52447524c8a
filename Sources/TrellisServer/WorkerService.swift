import ServiceLifecycle
import Synchronization
import TrellisKernel

/// The worker as a service: on a thread of its own, because a batch of the pump blocks it while it lasts, and there may
/// be no more threads for requests than the machine has cores.
final class WorkerService: Service {
    private let worker: Mutex<Worker?>
    private let thread = WorkThread("trellis.worker")
    private let isStopping = Atomic(false)
    private let isRunning = Atomic(false)

    init(_ worker: sending Worker) {
        self.worker = Mutex(worker)
    }

    /// Whether it does its work now.
    var isWorking: Bool { isRunning.load(ordering: .relaxed) }

    func run() async throws {
        isRunning.store(true, ordering: .relaxed)
        defer { isRunning.store(false, ordering: .relaxed) }
        try await withGracefulShutdownHandler {
            try await withTaskExecutorPreference(thread) { try await work() }
        } onGracefulShutdown: {
            self.isStopping.store(true, ordering: .relaxed)
        }
    }

    private func work() async throws {
        guard let worker = worker.withLock({ $0.take() }) else { return }
        try await worker.run { self.isStopping.load(ordering: .relaxed) || Task.isCancelled }
        try worker.finish()
    }
}
