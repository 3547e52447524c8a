import Foundation

/// One mail to one person, as it is handed to a transport.
///
/// The message is a value: the same one renders to the same bytes each time, so that a delivery repeated
/// after a crash is the same mail and not a second one.
///
///     let message = MailMessage(
///         from: sender, to: recipient, subject: "Your sales plan", date: now,
///         messageID: "drip.welcome.42@acme.example", text: "Hello Ann,\n…")
///     let bytes = try message.rendered()
public struct MailMessage: Sendable {
    public var from: MailAddress
    public var to: MailAddress
    public var replyTo: MailAddress?
    public var subject: String
    public var date: Date
    /// The identity of the message without its angle brackets: `left@right`.
    public var messageID: String
    /// Further headers, such as `List-Unsubscribe` or `Auto-Submitted`, written in this order.
    /// A header that the message writes itself is refused here, and so is one that names further recipients.
    public var headers: [(name: String, value: String)]
    public var text: String
    public var html: String?

    public init(
        from: MailAddress, to: MailAddress, replyTo: MailAddress? = nil, subject: String, date: Date,
        messageID: String, headers: [(name: String, value: String)] = [], text: String, html: String? = nil
    ) {
        self.from = from
        self.to = to
        self.replyTo = replyTo
        self.subject = subject
        self.date = date
        self.messageID = messageID
        self.headers = headers
        self.text = text
        self.html = html
    }

    /// The longest text and HTML together, in bytes. Quoted-printable can triple it, and Postfix, the
    /// commonest relay, takes 10,240,000 bytes by default.
    public static let bodyBytesMax = 3_000_000

    /// The message as RFC 5322 bytes with CRLF line ends, all of them ASCII.
    ///
    /// A body's lone CR or LF becomes CRLF, and a body without a final line end gets one.
    ///
    /// - Throws: ``MailProblem`` for anything that could add a header, a recipient or a second message, and
    ///   for what the standards cannot carry.
    public func rendered() throws(MailProblem) -> [UInt8] {
        let bodyBytes = text.utf8.count + (html?.utf8.count ?? 0)
        guard bodyBytes <= Self.bodyBytesMax else {
            throw .bodyTooLarge(bytes: bodyBytes, bytesMax: Self.bodyBytesMax)
        }
        var head = try headerLines()
        let textPart = MailEncoding.quotedPrintable(text)
        guard let html else {
            head.append("Content-Type: text/plain; charset=utf-8")
            head.append("Content-Transfer-Encoding: quoted-printable")
            return Self.lines(head + [""]) + textPart
        }
        let htmlPart = MailEncoding.quotedPrintable(html)
        let boundary = Self.boundary(for: messageID, absentFrom: [textPart, htmlPart])
        head.append("Content-Type: multipart/alternative; boundary=\"\(boundary)\"")
        var bytes = Self.lines(head + [""])
        // RFC 2046 §5.1.4: the plainest part comes first, the preferred one last.
        for (type, part) in [("text/plain", textPart), ("text/html", htmlPart)] {
            bytes += Self.lines([
                "--" + boundary,
                "Content-Type: \(type); charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable",
                "",
            ])
            bytes += part
        }
        return bytes + Self.lines(["--\(boundary)--"])
    }
}

extension MailMessage {
    /// What the message writes itself, what would name further recipients, and what only a receiving host may
    /// write (RFC 5322 §3.6).
    private static let ownHeaders: Set<String> = [
        "date", "from", "to", "cc", "bcc", "reply-to", "subject", "message-id", "mime-version", "return-path",
        "received", "resent-to", "resent-cc", "resent-bcc",
    ]

    private func headerLines() throws(MailProblem) -> [String] {
        var lines = [try MailEncoding.header("Date", words: [Self.dateText(date)])]
        lines.append(try from.header("From"))
        lines.append(try to.header("To"))
        if let replyTo { lines.append(try replyTo.header("Reply-To")) }
        lines.append(try MailEncoding.header("Subject", unstructured: subject))
        try MailEncoding.check(messageID, field: "Message-ID")
        let sides = messageID.split(separator: "@", omittingEmptySubsequences: false)
        guard sides.count == 2, sides.allSatisfy({ MailAddress.isDotAtom($0) }) else { throw .badMessageID }
        lines.append(try MailEncoding.header("Message-ID", words: ["<\(messageID)>"]))
        var seen: Set<String> = []
        for header in headers {
            let key = header.name.lowercased()
            guard MailEncoding.isHeaderName(header.name) else { throw .badHeaderName }
            guard !Self.ownHeaders.contains(key), !key.hasPrefix("content-") else {
                throw .reservedHeader(field: header.name)
            }
            guard seen.insert(key).inserted else { throw .repeatedHeader(field: header.name) }
            lines.append(try MailEncoding.header(header.name, value: header.value))
        }
        return lines + ["MIME-Version: 1.0"]
    }

    /// A boundary made of the message's identity alone. `=_` cannot occur in quoted-printable (RFC 2045
    /// §6.7), so the search finds nothing; it is there should the encoding of the parts ever change.
    private static func boundary(for messageID: String, absentFrom parts: [[UInt8]]) -> String {
        var seed = messageID
        while true {
            let boundary = "=_trellis_" + StableHash.hex(seed)
            if !parts.contains(where: { MailEncoding.contains($0, Array(boundary.utf8)) }) { return boundary }
            seed += "+"
        }
    }

    private static func lines(_ lines: [String]) -> [UInt8] {
        lines.flatMap { Array($0.utf8) + [0x0D, 0x0A] }
    }
}

extension MailMessage {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// RFC 5322 §3.3 in UTC: `Mon, 23 Nov 2026 20:36:19 +0000`.
    ///
    /// The civil date follows H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    static func dateText(_ date: Date) throws(MailProblem) -> String {
        let instant = date.timeIntervalSince1970
        guard instant >= -2_208_988_800, instant < 253_402_300_800 else { throw .dateOutOfRange }
        let seconds = Int(instant.rounded(.down))
        let days = (seconds - (((seconds % 86_400) + 86_400) % 86_400)) / 86_400
        let time = seconds - days * 86_400
        let shifted = days + 719_468
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 2 : monthFromMarch - 10
        let year = shifted / 146_097 * 400 + yearOfEra + (month < 2 ? 1 : 0)
        let clock = [time / 3_600, time / 60 % 60, time % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(weekdays[((days % 7) + 7) % 7]), \(day < 10 ? "0" : "")\(day) \(months[month]) \(year) "
            + clock.joined(separator: ":") + " +0000"
    }
}

/// Why a message is not rendered. The sentences name the header and never its value, which may be a person's.
public enum MailProblem: Error, Equatable, Sendable, CustomStringConvertible {
    case controlCharacter(field: String)
    case badHeaderName
    case reservedHeader(field: String)
    case repeatedHeader(field: String)
    case headerTooLong(field: String, bytesMax: Int)
    case notASCII(field: String)
    case badAddress(field: String)
    case domainNotASCII(field: String)
    /// The local part is not ASCII: only a relay that offers SMTPUTF8 could carry it (RFC 6531), and no mail is written
    /// so.
    case needsSMTPUTF8(field: String)
    case badMessageID
    case dateOutOfRange
    case bodyTooLarge(bytes: Int, bytesMax: Int)

    public var description: String {
        switch self {
        case .controlCharacter(let field):
            "\(field): it holds a line break or another control character, which could start a new header. "
                + "Remove it where the value is captured."
        case .badHeaderName:
            "A header's name holds something else than printable ASCII without colon and space, "
                + "or more than \(MailEncoding.headerNameBytesMax) characters. Rename it."
        case .reservedHeader(let field):
            "\(field): this header is not free to set. Use the message's own fields."
        case .repeatedHeader(let field):
            "\(field): the header is given twice. Give it once."
        case .headerTooLong(let field, let bytesMax):
            "\(field): it does not fit into \(bytesMax) bytes. Shorten it."
        case .notASCII(let field):
            "\(field): this header is read by programs and must be ASCII. Percent-encode its address."
        case .badAddress(let field):
            "\(field): this is not one mail address of the form name@host. Correct it."
        case .domainNotASCII(let field):
            "\(field): the address's domain is not ASCII. Write it in its xn-- form."
        case .needsSMTPUTF8(let field):
            "\(field): the part before the @ is not ASCII, and no mail is written for such an address "
                + "(SMTPUTF8, RFC 6531). Use another."
        case .badMessageID:
            "Message-ID: expected left@right without brackets or spaces. Correct what makes it."
        case .dateOutOfRange:
            "Date: it lies outside the years 1900 to 9999. Check the clock."
        case .bodyTooLarge(let bytes, let bytesMax):
            "The message's text and HTML are \(bytes) bytes, more than the \(bytesMax) that relays take. "
                + "Shorten it, or link to a page."
        }
    }
}
