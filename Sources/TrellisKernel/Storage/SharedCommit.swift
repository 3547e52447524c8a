import Dispatch
import Synchronization

/// Writes of many callers that share a commit: while one commit waits for the disk, those who come meanwhile gather for
/// the next. So sixteen forms at once cost far fewer than sixteen waits for the disk, and each is answered only after
/// the commit that holds it.
///
/// Each write stands in a savepoint of its own: one that fails is undone alone, and the others commit.
final class SharedCommit: Sendable {
    /// One caller's write. `begin` is called once its commit is the next, and says whether there is anything to write;
    /// `run` does it and returns who is told of the commit; `fail` tells why there was none.
    struct Write: Sendable {
        let origin: String
        var begin: @Sendable () -> Bool = { true }
        let run: @Sendable (Transaction) throws -> Told
        let fail: @Sendable (any Error) -> Void
    }

    struct Told: Sendable {
        let committed: @Sendable () -> Void
    }

    private struct State {
        var waiting: [Write] = []
        var isRunning = false
        var last: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "trellis.shared-commit")

    /// Together they hold the one writer for a moment only.
    static let writesMax = 64

    /// How long after a write others are expected.
    static let useTime = Duration.seconds(1)

    /// Whether anybody wrote lately.
    var isInUse: Bool {
        state.withLock { state in state.last.map { ContinuousClock.now - $0 < SharedCommit.useTime } ?? false }
    }

    func add(_ write: Write, to kernel: Kernel) {
        let starts = state.withLock { state in
            state.waiting.append(write)
            state.last = .now
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { queue.async { self.drain(kernel) } }
    }

    private func drain(_ kernel: Kernel) {
        while let writes = next() {
            let begun = writes.filter { $0.begin() }
            if !begun.isEmpty { SharedCommit.commit(begun, kernel) }
        }
    }

    /// The writes of the next commit; nil when nobody waits.
    private func next() -> [Write]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isRunning = false
                return nil
            }
            let writes = Array(state.waiting.prefix(SharedCommit.writesMax))
            state.waiting.removeFirst(writes.count)
            return writes
        }
    }

    /// Whether an error is about the file: then nothing of the transaction stands any more.
    static func endsAll(_ error: any Error) -> Bool {
        (error as? DatabaseError).map { KernelError.from($0, path: "") != nil } ?? false
    }

    private static func commit(_ writes: [Write], _ kernel: Kernel) {
        var open = writes.map(Optional.some)
        do {
            var told: [Told] = []
            try kernel.write(origin: "kernel") { tx in
                for (index, write) in writes.enumerated() {
                    do {
                        var done: Told?
                        try tx.db.inSavepoint {
                            done = try write.run(try tx.acting(as: write.origin))
                            return .commit
                        }
                        // Only now, so that a savepoint that cannot be released tells its caller once.
                        if let done { told.append(done) }
                    } catch let error where !SharedCommit.endsAll(error) {
                        open[index] = nil
                        write.fail(error)
                    }
                }
            }
            told.forEach { $0.committed() }
        } catch {
            for case let write? in open { write.fail(error) }
        }
    }
}

extension Kernel {
    /// A transaction for one of many callers at a time, such as the sender of a form: it commits as a whole or not at
    /// all, and shares its wait for the disk with the others. Returns after the commit.
    ///
    /// - Parameter origin: what the log calls whoever writes: `form:sales-plan`.
    public func writeTogether<T: Sendable>(
        origin: String, _ body: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T {
        try await writeTogether(origin: origin, through: sharedCommit, body)
    }

    /// A transaction that nobody need wait for, such as a count: returns after the commit, or after a second where the
    /// file is held or full. What cannot be written then is lost, which the log of the program says.
    public func writeAside(origin: String, _ body: @escaping @Sendable (Transaction) throws -> Void) async {
        let ended = Ended()
        let write = Task { [logger] in
            do {
                try await writeTogether(origin: origin, body)
            } catch {
                logger.warning("a count was lost", metadata: ["error": "\(error)", "origin": "\(origin)"])
            }
            ended.note()
        }
        let limit = Task {
            try? await Task.sleep(for: .seconds(1))
            ended.note()
        }
        await ended.wait()
        limit.cancel()
        _ = write
    }

    func writeTogether<T: Sendable>(
        origin: String, through commit: SharedCommit, _ body: @escaping @Sendable (Transaction) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let write = SharedCommit.Write(
                origin: origin,
                run: { tx in
                    let result = try body(tx)
                    return SharedCommit.Told { continuation.resume(returning: result) }
                },
                fail: { continuation.resume(throwing: $0) })
            commit.add(write, to: self)
        }
    }
}

/// Something of which the first end counts.
private final class Ended: Sendable {
    private let state = Mutex<(isOver: Bool, waiter: CheckedContinuation<Void, Never>?)>((false, nil))

    func note() {
        let waiter = state.withLock { state in
            defer { state = (true, nil) }
            return state.waiter
        }
        waiter?.resume()
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiter = continuation }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }
}
