/// What a receiving server says about a delivery in three numbers: `5.1.1`.
///
/// Source: RFC 3463, and the IANA registry "SMTP Enhanced Status Codes".
struct StatusCode: Hashable, CustomStringConvertible {
    /// 2 succeeded, 4 failed for now, 5 failed for good.
    let severity: Int
    let subject: Int
    let detail: Int

    var description: String { "\(severity).\(subject).\(detail)" }

    /// Whether it says no more than its first number does.
    var isVague: Bool { subject == 0 || (subject == 5 && detail == 0) || (subject == 1 && detail == 0) }

    /// The first code within a text. What has further numbers before or after it is an address of a host or a version.
    init?(in text: String) {
        let bytes = Array(text.utf8)
        for begin in bytes.indices where (begin == 0 || !StatusCode.isOfNumber(bytes[begin - 1])) {
            guard let code = StatusCode(in: bytes, at: begin) else { continue }
            self = code
            return
        }
        return nil
    }

    /// At most 12 bytes are looked at.
    private init?(in bytes: [UInt8], at begin: Int) {
        var numbers: [Int] = []
        var index = begin
        for digitsMax in [1, 3, 3] {
            if index > begin {
                guard index < bytes.count, bytes[index] == UInt8(ascii: ".") else { return nil }
                index += 1
            }
            var (number, digits) = (0, 0)
            while index < bytes.count, digits < digitsMax, let digit = StatusCode.digit(bytes[index]) {
                number = number * 10 + digit
                digits += 1
                index += 1
            }
            guard digits > 0 else { return nil }
            numbers.append(number)
        }
        // A full stop may end the sentence.
        if index < bytes.count, StatusCode.isOfNumber(bytes[index]) {
            let goesOn =
                bytes[index] != UInt8(ascii: ".")
                || (index + 1 < bytes.count && StatusCode.digit(bytes[index + 1]) != nil)
            if goesOn { return nil }
        }
        guard [2, 4, 5].contains(numbers[0]) else { return nil }
        (severity, subject, detail) = (numbers[0], numbers[1], numbers[2])
    }

    private static func digit(_ byte: UInt8) -> Int? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || digit(byte) != nil }
}

/// What a failed delivery means for the address.
enum BounceClass: Int, Comparable {
    /// It was refused for what was sent or for who sent it: nothing is said about the address.
    case blocked
    /// It may work another day.
    case soft
    /// There is no such address.
    case hard

    static func < (left: BounceClass, right: BounceClass) -> Bool { left.rawValue < right.rawValue }

    /// - Parameters:
    ///   - status: the code of the report, if it has one.
    ///   - answer: what the receiving server said, as the report quotes it: `smtp; 550 5.1.1 User unknown`. It is asked
    ///     where the report's own code is vague, which it is where the server gave none.
    init(status: StatusCode?, answer: String) {
        let said = StatusCode(in: answer)
        let code = status.map { $0.isVague ? said ?? $0 : $0 } ?? said
        guard let code else {
            self = BounceClass.deniesAddress(answer) ? .hard : .soft
            return
        }
        self =
            code.isVague && BounceClass.deniesAddress(answer) && code.severity == 5 ? .hard : BounceClass(code, answer)
    }

    private init(_ code: StatusCode, _ answer: String) {
        switch (code.severity, code.subject, code.detail) {
        case (_, 7, _), (5, 6, _), (5, 1, 7), (5, 1, 8), (5, 2, 3), (5, 3, 4): self = .blocked
        case (5, 1, 1), (5, 1, 2), (5, 1, 3), (5, 1, 6), (5, 1, 10), (5, 2, 1): self = .hard
        // No route, and no such domain: what Postfix and Exchange Online say of a domain that is not there.
        case (5, 4, 4), (5, 4, 310): self = .hard
        // Exchange Online says so of an address that its directory does not hold.
        case (5, 4, 1): self = BounceClass.deniesAddress(answer) ? .hard : .soft
        default: self = .soft
        }
    }

    /// What servers say of an address that does not exist, where they give no code for it.
    private static let denials = [
        "user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox", "no mailbox",
        "does not exist", "doesn't exist", "user not found",
        "mailbox not found", "recipient not found", "account not found", "address not found", "doesn't have a",
        "unknown recipient", "recipient unknown",
        "unknown address", "address unknown", "invalid recipient", "invalid mailbox", "mailbox unavailable",
        "mailbox is disabled", "account disabled", "account is disabled", "not a known user", "unrouteable address",
        "recipient address rejected: access denied", "not listed in", "no longer valid", "couldn't find any host named",
    ]

    /// Only ever asked of a short quotation in a report, never of the text of a mail.
    private static func deniesAddress(_ answer: String) -> Bool {
        // A report folds its lines where it likes.
        let answer = answer.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        // Servers say the same of a sender, and then it is about us.
        return !answer.contains("sender") && denials.contains { answer.contains($0) }
    }
}
