import Synchronization
import TrellisKernel

/// Remembers what it was given, and fails when it is told to.
public final class RecordingTransport: Transport {
    public let name = "mail"
    public let isIdempotent: Bool
    private let state = Mutex(State())

    private struct State {
        var sent: [RenderedMessage] = []
        var closings = 0
        var answer: @Sendable (RenderedMessage) -> Delivery = { _ in .sent }
    }

    public init(isIdempotent: Bool = false) {
        self.isIdempotent = isIdempotent
    }

    /// Everything that was handed over, in order, whatever was answered.
    public var sent: [RenderedMessage] { state.withLock { $0.sent } }

    /// How often it was told to say goodbye.
    public var closings: Int { state.withLock { $0.closings } }

    public func close() async { state.withLock { $0.closings += 1 } }

    /// From now on answers so.
    public func answer(_ answer: @escaping @Sendable (RenderedMessage) -> Delivery) {
        state.withLock { $0.answer = answer }
    }

    public func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        do {
            try await handingOver()
        } catch {
            return .retry(because: "\(error)")
        }
        return state.withLock { state in
            state.sent.append(message)
            return state.answer(message)
        }
    }
}
