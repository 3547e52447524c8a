import TrellisKernel

/// How long a relay may take for each step.
public struct SMTPTimeouts: Sendable {
    public var connect = Duration.seconds(30)
    public var greeting = Duration.seconds(300)
    /// EHLO, STARTTLS with its handshake, AUTH, MAIL, RCPT, RSET.
    public var command = Duration.seconds(300)
    public var data = Duration.seconds(120)
    /// Each block of the message.
    public var block = Duration.seconds(180)
    /// After the final dot: the longest, since giving up here leaves a message of which nobody knows.
    public var finalDot = Duration.seconds(600)
    /// How long a connection is kept without a message.
    public var idle = Duration.seconds(60)

    /// The times of RFC 5321, 4.5.3.2; the connection itself gets 30 seconds.
    public init() {}

    /// The same, and no step longer than this.
    public func capped(at most: Duration) -> SMTPTimeouts {
        var capped = self
        for step in [\Self.connect, \.greeting, \.command, \.data, \.block, \.finalDot] {
            capped[keyPath: step] = min(self[keyPath: step], most)
        }
        return capped
    }
}
