import Foundation

/// Carries messages out of the house. A transport is a name and a `send`.
public protocol Transport: Sendable {
    /// What `outbox_messages.transport` says of the messages it carries: `mail`, `webhook`.
    var name: String { get }
    /// Whether sending a message again under the same id replaces it rather than doubling it. Then a crash in the
    /// middle is healed by sending again; otherwise the message becomes `unknown` and waits for a person.
    var isIdempotent: Bool { get }
    /// How many messages it carries at a time.
    var connectionsMax: Int { get }
    /// Sends one message, and says how it went. An expected outcome is a value, never an error.
    ///
    /// - Parameter handingOver: called once, right before the message is out of our hands, which for SMTP is the final
    ///   dot. Up to there a lost connection leaves nothing behind (``Delivery/retry(because:)``); after it nobody
    ///   knows (``Delivery/unknown(because:)``). Where it throws, the message must not be handed over.
    func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery
    /// Says goodbye to whoever it is connected to. It may be used again afterwards.
    func close() async
}

extension Transport {
    public var connectionsMax: Int { 1 }
    public func close() async {}
}

/// A message as it leaves: the same bytes at every attempt.
public struct RenderedMessage: Sendable {
    /// The row of the outbox.
    public let id: Int64
    /// Stable over attempts; names the file, the Message-ID, the webhook id.
    public let stableID: String
    /// Where it goes: one address without a name, or the URL of a webhook.
    public let recipient: String
    /// Where bounces of a mail go: the address of its envelope (RFC 5321, 2.3.1). Empty for other messages.
    public let returnPath: String
    public let bytes: [UInt8]

    public init(id: Int64, stableID: String, recipient: String, returnPath: String = "", bytes: [UInt8]) {
        self.id = id
        self.stableID = stableID
        self.recipient = recipient
        self.returnPath = returnPath
        self.bytes = bytes
    }
}

/// How a delivery went.
public enum Delivery: Sendable, Hashable {
    case sent
    /// Not now: this message is tried again later, by the schedule of ``RetrySchedule``.
    case retry(because: String)
    /// Not now, and not at this pace: the receiving side says that too much comes at once. The message is tried again
    /// later, and its domain gets less from here on.
    case slower(because: String)
    /// The way out is closed, for no fault of this message: a relay that cannot be reached or does not let us in. The
    /// message waits without losing an attempt, and so do the others.
    case stalled(because: String)
    /// Never: the message is refused for good.
    case refused(because: String)
    /// Never, by a policy of the receiving side (RFC 3463, 5.7.x): for what the mail is or for who sends it, which says
    /// nothing about the address. Too much of it pauses marketing mail: see ``MarketingPause``.
    case blocked(because: String)
    /// Never, and no other message either: nobody has this address (RFC 3463, 5.1.1 and its like). It is suppressed.
    case undeliverable(because: String)
    /// The reply was lost after the message was handed over: nobody knows.
    case unknown(because: String)
}
