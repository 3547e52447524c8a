/// Takes every message and sends none: the way out of a trial. A courier that has it asks the same questions as any
/// other and writes no mail, so that the content of its messages stays empty.
public struct MuteTransport: Transport {
    public let name: String
    /// Nothing leaves, so that nothing can leave twice.
    public let isIdempotent = true
    /// As many as share a commit.
    public let connectionsMax = SharedCommit.writesMax

    /// - Parameter name: the kind of message it takes: `mail`, `webhook`.
    public init(_ name: String) {
        self.name = name
    }

    /// One for each kind of message that can stand in an outbox.
    public static let all: [any Transport] = [MuteTransport("mail"), MuteTransport("webhook")]

    public func send(_: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        do {
            try await handingOver()
        } catch {
            return .retry(because: "\(error)")
        }
        return .sent
    }
}
