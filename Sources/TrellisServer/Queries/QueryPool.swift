import Dispatch
import Foundation
import Synchronization
import TrellisKernel

/// Answers questions in SQL, a few at once: each in a process of its own. Who comes while all are busy waits a moment,
/// and is then told to come again.
final class QueryPool: Sendable {
    private struct Waiting {
        let number: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var running = 0
        var waiting: [Waiting] = []
        var lastNumber = 0
    }

    private let child: QueryChild
    private let childrenMax: Int
    private let state = Mutex(State())
    /// Threads that may block: as many as processes.
    private let queue = DispatchQueue(label: "trellis.queries", attributes: .concurrent)

    /// How long somebody waits for a place. With the time a question may take it stays below what a person waits for.
    static let patienceMilliseconds = 400
    /// How many wait for each place.
    static let waitingPerPlaceMax = 4

    /// - Parameters:
    ///   - program: the program that answers, and its arguments.
    ///   - childrenMax: how many processes there are at once.
    init(program: [String], childrenMax: Int) {
        child = QueryChild(program: program)
        self.childrenMax = childrenMax
        // To write to a process that has ended is an error like any other.
        signal(SIGPIPE, SIG_IGN)
    }

    /// - Throws: ``QueryProblem`` where too many ask, or nothing can be asked.
    func answer(_ query: GuardedQuery) async throws(QueryProblem) -> QueryAnswer {
        guard await enter() else { throw QueryPool.busy }
        defer { leave() }
        let child = self.child
        let result: Result<QueryAnswer, QueryProblem> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(returning: Result { () throws(QueryProblem) in try child.answer(query) })
            }
        }
        return try result.get()
    }

    private func enter() async -> Bool {
        await withCheckedContinuation { continuation in
            let verdict: Bool? = state.withLock { state in
                if state.running < childrenMax {
                    state.running += 1
                    return true
                }
                guard state.waiting.count < childrenMax * QueryPool.waitingPerPlaceMax else { return false }
                state.lastNumber += 1
                let number = state.lastNumber
                state.waiting.append(Waiting(number: number, continuation: continuation))
                queue.asyncAfter(deadline: .now() + .milliseconds(QueryPool.patienceMilliseconds)) { [weak self] in
                    self?.giveUp(number)
                }
                return nil
            }
            if let verdict { continuation.resume(returning: verdict) }
        }
    }

    private func giveUp(_ number: Int) {
        let waiting = state.withLock { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        waiting?.continuation.resume(returning: false)
    }

    /// Gives the place to whoever has waited longest.
    private func leave() {
        let next = state.withLock { state -> Waiting? in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }

    private static let busy = QueryProblem(.busy, "Too many questions are being answered. Try again in 2 seconds.")
}
