import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite struct SMTPVerdictTests {
    /// A reply as it was seen, where it was said, and what follows.
    private func verdict(_ text: String, _ stage: SMTPStage, isProven: Bool = true) -> String {
        let code = Int(text.prefix(3)) ?? 0
        let reply = SMTPReply(code: code, lines: [String(text.dropFirst(4))])
        return SMTPVerdictTests.name(SMTPVerdict.of(reply, at: stage, isProven: isProven))
    }

    private static func name(_ delivery: Delivery) -> String {
        switch delivery {
        case .sent: "sent"
        case .retry: "retry"
        case .slower: "slower"
        case .stalled: "stalled"
        case .refused: "refused"
        case .blocked: "blocked"
        case .undeliverable: "undeliverable"
        case .unknown: "unknown"
        }
    }

    @Test(arguments: [
        "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table",
        "550-5.1.1 The email account that you tried to reach does not exist.",
        "550 5.1.2 bad destination system: no such domain", "553 5.1.3 The recipient address is not a valid address",
        "550 5.1.6 recipient no longer on server", "556 5.1.10 Domain does not accept mail (nullMX)",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "550 No such user here", "550 User unknown", "550 Unknown user", "550 Unrouteable address",
        "550 Mailbox not found", "551 User not found; please try another", "553 Invalid recipient a@b.example",
        "550 <a@b.example>: no mailbox here by that name", "550 5.1.0 Address rejected: does not exist",
        "550 Requested action not taken: no such mailbox", "550 unknown local part in a@b.example",
        "550 sorry, that domain host unknown",
    ])
    func `nobody has the address`(_ text: String) {
        #expect(verdict(text.replacing("550-", with: "550 "), .recipient) == "undeliverable")
    }

    @Test(arguments: [
        "550 5.2.1 The email account that you tried to reach is disabled", "552 5.2.2 Mailbox full",
        "550 5.2.2 over quota", "552 5.2.3 Message too large for this mailbox",
        "550 5.4.1 Recipient address rejected: Access denied",
        "550 Requested action not taken: mailbox unavailable", "554 Transaction failed", "501 5.5.4 Syntax error",
        "503 5.5.1 Bad sequence of commands", "550 5.1.4 Ambiguous address", "554 user unknown but by another code",
        "571 Delivery not authorized", "550 5.2.1 This account is disabled", "550 account suspended",
        "550 5.5.0 Requested action not taken: mailbox unavailable",
    ])
    func `the address stays, and the message is refused`(_ text: String) {
        #expect(verdict(text, .recipient) == "refused")
    }

    @Test(arguments: [
        "554 5.7.1 Service unavailable; client blocked", "550 5.7.1 Message rejected by policy",
        "550 5.7.26 This mail has been blocked because the sender is unauthenticated",
        "550 5.7.1 <a@b.example>: no such user, says a policy", "554 5.7.1 Message rejected as spam",
        "550 5.7.1 content",
    ])
    func `a policy blocks the message, and the address stays`(_ text: String) {
        for stage in [SMTPStage.recipient, .data, .finalDot] { #expect(verdict(text, stage) == "blocked", "\(stage)") }
    }

    @Test(arguments: [
        "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.example",
        "451 4.7.1 Greylisting in action, please come back later", "450 4.7.1 Graylisted, too many new senders",
        "451 Temporary local problem - please try later", "452 4.2.2 Mailbox full",
        "452 4.3.1 Insufficient system storage",
        "450 4.1.1 unverified address", "421 4.3.2 Service shutting down", "421 Service not available",
        "451 4.4.1 please moderate, corporate accurate operations", "454 4.7.0 Temporary lookup failure",
        "450 4.2.1 mailbox busy",
    ])
    func `another time`(_ text: String) {
        for stage in [SMTPStage.recipient, .data, .finalDot] { #expect(verdict(text, stage) == "retry", "\(stage)") }
    }

    @Test(arguments: [
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred",
        "421 4.7.28 Our system has detected an unusual rate",
        "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents",
        "451 4.7.650 The mail server has been temporarily rate limited", "452 4.5.3 Too many recipients",
        "450 too many connections from your host", "421 4.7.1 too much mail",
        "450 4.7.1 Error: too much mail from 192.0.2.1",
        "451 Slow down", "454 Throttling failure: Maximum sending rate exceeded", "450 4.3.2 limit exceeded",
    ])
    func `slower`(_ text: String) {
        for stage in [SMTPStage.recipient, .data, .finalDot] { #expect(verdict(text, stage) == "slower", "\(stage)") }
    }

    @Test(arguments: [
        "554 5.3.2 no mail service here", "421 too many connections", "550 5.1.1 unknown", "450 4.7.1 rate limit",
        "535 5.7.8 Authentication credentials invalid", "454 4.7.0 TLS not available",
        "501 5.1.7 Bad sender address syntax",
        "550 5.7.1 sender not allowed", "500 what",
    ])
    func `before a recipient is named, it is the way that is closed`(_ text: String) {
        for stage in SMTPStage.allCases where stage.isBetweenRelayAndUs { #expect(verdict(text, stage) == "stalled") }
    }

    @Test(arguments: [
        "530 5.7.0 Authentication required", "535 5.7.8 bad credentials",
        "554 Message rejected: Email address is not verified",
        "550 5.4.5 Daily user sending limit exceeded", "454 4.7.0 your account is suspended",
        "538 5.7.11 Encryption required",
    ])
    func `what speaks of our account burns no recipient, wherever it is said`(_ text: String) {
        for stage in SMTPStage.allCases { #expect(verdict(text, stage) == "stalled", "\(stage)") }
    }

    @Test(arguments: [
        "554 5.7.1 <a@b.example>: Relay access denied", "550 relaying denied", "550 5.7.1 Unable to relay",
        "550 5.1.8 <hello@acme.example>: Sender address rejected: Domain not found",
        "554 5.7.1 <client>: Client host rejected: Access denied", "504 5.5.2 <x>: Helo command rejected: need name",
        "550 Sender verify failed", "550 5.7.1 Authentication required",
        "550 5.7.23 SPF: not authorized to send for b.example",
    ])
    func `a relay that never took anything and denies relaying denies us, and later the recipient`(_ text: String) {
        #expect(verdict(text, .recipient, isProven: false) == "stalled")
        #expect(verdict(text, .recipient, isProven: true) == (text.contains(" 5.7.") ? "blocked" : "refused"))
    }

    @Test(arguments: [
        ("552 5.3.4 Message size exceeds fixed limit", SMTPStage.sender), ("552 too large", .sender),
        ("552 5.3.4 Message too big", .data), ("552 Message size exceeds limit", .finalDot),
        ("554 no", .data),
        ("550 No such user", .finalDot), ("550 user unknown", .data),
    ])
    func `the content is refused`(_ text: String, _ stage: SMTPStage) {
        #expect(verdict(text, stage) == "refused")
    }

    @Test(arguments: [SMTPStage.recipient, .data, .finalDot])
    func `the code for an address nobody has counts at every stage that knows the recipient`(_ stage: SMTPStage) {
        #expect(verdict("550 5.1.1 nobody", stage) == "undeliverable")
    }

    @Test func `a reply that has no place leaves the outcome open after the dot alone`() {
        #expect(verdict("354 go on", .finalDot) == "unknown")
        #expect(verdict("250 what", .data) == "retry")
        #expect(verdict("334 what", .recipient) == "retry")
        #expect(verdict("250 what", .greeting) == "stalled")
    }

    @Test func `the reason is what the relay said, and names no address`() {
        let reply = SMTPReply(code: 550, lines: ["5.1.1 <ann@acme.example> is not here"])
        #expect(
            SMTPVerdict.of(reply, at: .recipient, recipient: "ann@acme.example")
                == .undeliverable(because: "550 5.1.1 <a•••@acme.example> is not here"))
    }
}
