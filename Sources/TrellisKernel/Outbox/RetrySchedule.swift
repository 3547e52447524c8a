import Foundation

/// When a message is tried again: 1, 5, 25, 125 minutes and then every 4 hours, each a little earlier or later so that
/// messages do not march in step, for 5 days (RFC 5321 section 4.5.4.1).
enum RetrySchedule {
    /// Attempts after which a message has failed: the last comes after about 5 days.
    static let attemptsMax = 32

    /// Seconds after which mail that somebody waits for is sent once more where nobody knows whether it arrived: longer
    /// than a relay may take for its last reply (10 minutes, RFC 5321 section 4.5.3.2.6).
    static let resendAfter: TimeInterval = 15 * 60

    /// A condition over `outbox_messages`: whether a message whose outcome is unknown is sent once more by itself.
    static let isSentOnceMore = "purpose = 'transactional' AND transport = 'mail' AND resends = 0"

    /// Seconds to wait after so many attempts. The jitter of up to 20 % either way follows from the id of the message,
    /// so that it needs no chance.
    static func wait(after attempts: Int, messageID: Int64) -> TimeInterval {
        let base = min(60 * pow(5, Double(min(attempts, 5) - 1)), 4 * 3600)
        let mixed = UInt64(bitPattern: messageID &* 0x9E37_79B9 &+ Int64(attempts)) % 401
        return base * (0.8 + Double(mixed) / 1000)
    }

    /// Seconds a transport rests whose way out was found closed so many times in a row: 1, 2, 4, 8 and then every 15
    /// minutes.
    static func rest(afterStalls tries: Int) -> TimeInterval {
        min(60 * pow(2, Double(min(max(tries, 1), 10) - 1)), 900)
    }
}
