import TrellisKernel

/// Where in the dialogue a relay said something.
enum SMTPStage: String, Sendable, CaseIterable {
    case greeting, hello, startTLS, authentication, sender, recipient, data, finalDot

    /// Before a recipient was named: what goes wrong here is between the relay and us.
    var isBetweenRelayAndUs: Bool {
        switch self {
        case .greeting, .hello, .startTLS, .authentication, .sender: true
        case .recipient, .data, .finalDot: false
        }
    }
}

/// What a reply that is no success means for the message: the one table for it.
///
/// A reply is read in this order, and the first that fits decides:
/// 1. What concerns the way out rather than the message stalls it, so that no recipient is burnt for a password that
///    expired. So does all that is said before a recipient was named, also "too much": the relay does not know the
///    domain yet, and slowing one down would punish the wrong one.
/// 2. 4xx: too much at once is `slower`, everything else, greylisting above all, is `retry`.
/// 3. 5xx: nobody has this address is `undeliverable`, a policy (RFC 3463, 5.7.x) is `blocked`, everything else is
///    `refused`, such as a full mailbox or a size. After these two the address stays.
///
/// After the final dot the relay has seen the whole message, so `554 5.7.1` speaks of its content and is final for it
/// alone. Only what names our account there stalls. The codes for an address nobody has count there too, since there
/// was but one recipient.
enum SMTPVerdict {
    /// - Parameters:
    ///   - reply: 4xx or 5xx, or a code that has no place at this stage.
    ///   - isProven: whether this relay took a recipient from us before. Then "relaying denied" is about this
    ///     recipient, and otherwise about us: one that is not let in has forgotten its password.
    ///   - recipient: masked in the reason.
    static func of(
        _ reply: SMTPReply, at stage: SMTPStage, isProven: Bool = false, recipient: String = ""
    ) -> Delivery {
        let reason = reply.shown(hiding: recipient)
        guard reply.kind == 4 || reply.kind == 5 else {
            let text = "an answer that has no place here: \(reason)"
            if stage == .finalDot { return .unknown(because: text) }
            return stage.isBetweenRelayAndUs ? .stalled(because: text) : .retry(because: text)
        }
        // A message that is too large is no fault of the relay (RFC 1870, 6.1).
        if stage == .sender, reply.code == 552 || reply.status == "5.3.4" { return .refused(because: reason) }
        if stage.isBetweenRelayAndUs || concernsAccount(reply) { return .stalled(because: reason) }
        if reply.kind == 4 { return isTooMuch(reply) ? .slower(because: reason) : .retry(because: reason) }
        if stage == .recipient, !isProven, concernsRelaying(reply) { return .stalled(because: reason) }
        if isNobody(reply, at: stage) { return .undeliverable(because: reason) }
        return isPolicy(reply) ? .blocked(because: reason) : .refused(because: reason)
    }

    // MARK: - The way out

    /// 530, 534, 535 and 538 are RFC 4954, 6: who we are, whatever the stage.
    private static let accountCodes: Set<Int> = [530, 534, 535, 538]

    /// Whole phrases: "account is disabled" alone may speak of the recipient's.
    private static let accountWords = [
        "your account", "sending paused", "sending quota", "sending limit", "address is not verified",
        "domain is not verified",
    ]

    private static func concernsAccount(_ reply: SMTPReply) -> Bool {
        accountCodes.contains(reply.code) || contains(reply, accountWords)
    }

    /// Postfix and others say only at RCPT what they hold against the sender, the client and its name.
    private static let relayingWords = [
        "relay access denied", "relaying denied", "relay not permitted", "not permitted to relay",
        "unable to relay", "relaying not allowed", "client host rejected", "helo command rejected",
        "sender address rejected", "sender verify failed", "sender rejected", "authentication required",
        "not authorized to send",
    ]

    private static func concernsRelaying(_ reply: SMTPReply) -> Bool {
        ["5.1.7", "5.1.8"].contains(reply.status) || contains(reply, relayingWords)
    }

    // MARK: - Not now

    private static let muchWords = [
        "too many", "too much", "too fast", "too quickly", "rate limit", "rate-limit", "ratelimit", "rate exceeded",
        "slow down", "throttl", "limit exceeded", "exceeded the limit", "excessive", "high volume", "sending too",
        "reduce your",
    ]
    private static let greyWords = ["greylist", "graylist", "grey-list", "gray-list"]

    private static func isTooMuch(_ reply: SMTPReply) -> Bool {
        if contains(reply, greyWords) { return false }
        // 4.7.28 is Google's for an unusual rate, 4.7.650 and its like Microsoft's for a network that sends too much.
        if let status = reply.status, status == "4.7.28" || status.hasPrefix("4.7.65") { return true }
        if reply.code == 421, reply.status?.hasPrefix("4.7.") == true { return true }
        return contains(reply, muchWords) || hasWord("rate", in: reply.wording)
    }

    /// Whether a reply to a recipient says that enough were named, not that this one is no good: 4.5.3 (RFC 3463, 3.6;
    /// RFC 5321, 4.5.3.1.10), or the words of a relay without finer codes.
    static func isFull(_ reply: SMTPReply) -> Bool {
        guard reply.kind == 4, reply.code != 421 else { return false }
        return reply.status.map { $0 == "4.5.3" } ?? contains(reply, ["too many recipients"])
    }

    // MARK: - Never

    /// RFC 3463, 3.2, and RFC 7505 for 5.1.10, a domain that takes no mail.
    private static let nobodyStatuses: Set<String> = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"]

    private static let nobodyWords = [
        "user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox", "no such address",
        "unknown recipient", "recipient unknown", "unknown mailbox", "mailbox unknown", "unknown local part",
        "unknown address", "address unknown", "user not found", "recipient not found", "mailbox not found",
        "address not found", "does not exist", "doesn't exist", "invalid recipient", "invalid mailbox",
        "invalid address", "not a valid recipient", "not a valid mailbox", "no mailbox here", "not a known user",
        "unrouteable address", "unroutable address", "domain not found", "host unknown", "unknown domain",
        "no user by that name", "nobody here by that name", "user doesn't", "recipient rejected: no such",
    ]
    /// The codes that RFC 5321, 4.2.3, has for an address; others with such words speak of something else.
    private static let nobodyCodes: Set<Int> = [550, 551, 553]

    private static func isNobody(_ reply: SMTPReply, at stage: SMTPStage) -> Bool {
        if let status = reply.status, status != "5.1.0", status != "5.0.0" { return nobodyStatuses.contains(status) }
        // Words alone count at RCPT only, where they can only speak of the recipient.
        guard stage == .recipient, nobodyCodes.contains(reply.code), !concernsRelaying(reply) else { return false }
        return contains(reply, nobodyWords)
    }

    /// RFC 3463, 3.8: what the receiving side thinks of us or of what we say.
    private static func isPolicy(_ reply: SMTPReply) -> Bool { reply.status?.hasPrefix("5.7.") == true }

    // MARK: - Words

    private static func contains(_ reply: SMTPReply, _ words: [String]) -> Bool {
        let text = reply.wording
        return words.contains { text.contains($0) }
    }

    /// A word of its own: `rate`, and not `moderate` or `accurate`.
    private static func hasWord(_ word: String, in text: String) -> Bool {
        text.split { !$0.isLetter }.contains { $0 == word }
    }
}
