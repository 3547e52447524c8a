import Synchronization

/// A write that many callers ask for at a time, each for an item of their own, as for a form: all items that wait are
/// written by the statements of one, in one commit.
///
/// Where one of them is wrong, each is written alone in their order, so that it fails its own caller and nobody else.
/// An error of the file is told to all whose turn it was. Each kernel has one of its own.
public final class SharedWrite<Item: Sendable, Outcome: Sendable>: Sendable {
    private struct Caller: Sendable {
        let item: Item
        let continuation: CheckedContinuation<Outcome, any Error>
    }

    /// Those whose turn it is, and since when.
    private final class Turn: Sendable {
        let state = Mutex<(callers: [Caller], begin: ContinuousClock.Instant)>(([], .now))

        var callers: [Caller] { state.withLock { $0.callers } }
    }

    /// While the writer is busy for a moment, as with a batch of the pump, whoever comes joins the turn that waits for
    /// it; who comes while another program holds the file has a turn of their own, and the whole time to wait.
    private let joinTime: Duration

    /// By origin, of which a transaction has one.
    private let waiting = Mutex<[String: [Caller]]>([:])
    private let write: @Sendable ([Item], Transaction) throws -> [Outcome]

    /// - Parameter write: writes all items of one origin and returns what became of each, in their order. Where it
    ///   throws for several, nothing of it stands, and it is called for each of them again.
    public convenience init(_ write: @escaping @Sendable ([Item], Transaction) throws -> [Outcome]) {
        self.init(joinTime: .milliseconds(100), write)
    }

    init(joinTime: Duration, _ write: @escaping @Sendable ([Item], Transaction) throws -> [Outcome]) {
        self.joinTime = joinTime
        self.write = write
    }

    /// How many wait for their turn.
    var waitingCount: Int { waiting.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    /// Returns after the commit.
    ///
    /// - Parameter origin: what the log calls whoever writes: `form:sales-plan`.
    public func callAsFunction(_ item: Item, origin: String, in kernel: Kernel) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = waiting.withLock { waiting in
                waiting[origin, default: []].append(Caller(item: item, continuation: continuation))
                return waiting[origin]?.count == 1
            }
            if isFirst { kernel.sharedCommit.add(turn(of: origin, kernel), to: kernel) }
        }
    }

    /// The write of all who wait when its commit is the next.
    private func turn(of origin: String, _ kernel: Kernel) -> SharedCommit.Write {
        let turn = Turn()
        return SharedCommit.Write(
            origin: origin,
            begin: {
                let (callers, hasRest) = self.take(origin, most: SharedCommit.writesMax)
                if hasRest { kernel.sharedCommit.add(self.turn(of: origin, kernel), to: kernel) }
                turn.state.withLock { $0 = (callers, .now) }
                return !callers.isEmpty
            },
            run: { tx in
                let callers = turn.state.withLock { state in
                    if ContinuousClock.now - state.begin < self.joinTime {
                        state.callers += self.take(origin, most: SharedCommit.writesMax - state.callers.count).callers
                    }
                    return state.callers
                }
                let outcomes = try self.outcomes(of: callers.map(\.item), tx)
                return SharedCommit.Told {
                    for (caller, outcome) in zip(callers, outcomes) { caller.continuation.resume(with: outcome) }
                }
            },
            fail: { error in
                for caller in turn.callers { caller.continuation.resume(throwing: error) }
            })
    }

    /// Those who wait, but not more than so many; and whether others are left, whose turn is another.
    private func take(_ origin: String, most: Int) -> (callers: [Caller], hasRest: Bool) {
        waiting.withLock { waiting in
            let all = waiting.removeValue(forKey: origin) ?? []
            guard all.count > most else { return (all, false) }
            waiting[origin] = Array(all.dropFirst(most))
            return (Array(all.prefix(most)), true)
        }
    }

    private func outcomes(of items: [Item], _ tx: Transaction) throws -> [Result<Outcome, any Error>] {
        // One alone has the savepoint of its turn.
        guard items.count > 1 else { return try written(items, tx).map(Result.success) }
        do {
            return try inSavepoint(tx) { try written(items, tx).map(Result.success) }
        } catch let error where !SharedCommit.endsAll(error) {
            return try items.map { item in
                do {
                    return .success(try inSavepoint(tx) { try written([item], tx)[0] })
                } catch let error where !SharedCommit.endsAll(error) {
                    return .failure(error)
                }
            }
        }
    }

    /// An outcome for each item.
    private func written(_ items: [Item], _ tx: Transaction) throws -> [Outcome] {
        let outcomes = try write(items, tx)
        guard outcomes.count == items.count else {
            throw KernelError.data("\(items.count) were to be written, and \(outcomes.count) were.")
        }
        return outcomes
    }

    private func inSavepoint<T>(_ tx: Transaction, _ body: () throws -> T) throws -> T {
        var result: T?
        try tx.db.inSavepoint {
            result = try body()
            return .commit
        }
        guard let result else { throw KernelError.data("A savepoint was not kept.") }
        return result
    }
}
