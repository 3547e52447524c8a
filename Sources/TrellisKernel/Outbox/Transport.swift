import Foundation

/// Carries messages out of the house. A transport is a name and a `send`.
public protocol Transport: Sendable {
    var name: String { get }
    /// Whether sending a message again under the same id replaces it rather than doubling it. Then a crash in the
    /// middle is healed by sending again; otherwise the message becomes `unknown` and waits for a person.
    var isIdempotent: Bool { get }
    /// Sends one message, and says how it went. An expected outcome is a value, never an error.
    func send(_ message: RenderedMessage) async -> Delivery
}

/// A message as it leaves: the same bytes at every attempt.
public struct RenderedMessage: Sendable {
    /// The row of the outbox.
    public let id: Int64
    /// Stable over attempts; names the file, the Message-ID, the webhook id.
    public let stableID: String
    /// One address, without a name.
    public let recipient: String
    public let bytes: [UInt8]
}

/// How a delivery went.
public enum Delivery: Sendable, Hashable {
    case sent
    /// Not now: try again later.
    case retry(because: String)
    /// Never: the message is refused for good.
    case refused(because: String)
    /// The reply was lost after the message was handed over: nobody knows.
    case unknown(because: String)
}
