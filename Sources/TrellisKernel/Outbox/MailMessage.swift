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
            let boundary = "=_trellis_" + MailEncoding.fingerprint(seed)
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

/// A mailbox with the name a reader sees: `Acme Analytics <hello@acme.example>`.
///
/// Nothing is checked when it is made from its two parts; ``MailMessage/rendered()`` checks it.
public struct MailAddress: Sendable, Hashable {
    /// The display name as people write it, unquoted; empty when there is none.
    public var name: String
    /// The bare address: `hello@acme.example`.
    public var address: String

    public init(name: String = "", address: String) {
        self.name = name
        self.address = address
    }

    /// Reads `Name <address>`, `"Name, with a comma" <address>` or a bare address.
    ///
    /// Nil when it is not exactly one mailbox that a message can carry.
    public init?(parsing text: String) {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        guard let open = trimmed.lastIndex(of: "<") else {
            self.init(address: trimmed)
            if (try? header("From")) == nil { return nil }
            return
        }
        guard trimmed.hasSuffix(">") else { return nil }
        let address = trimmed[trimmed.index(after: open)...].dropLast()
        let phrase = trimmed[..<open].trimmingCharacters(in: .whitespaces)
        guard let name = Self.unquoted(phrase) else { return nil }
        self.init(name: name, address: String(address))
        if (try? header("From")) == nil { return nil }
    }

    /// The name inside a quoted string, or the phrase itself where it holds nothing that would need the
    /// quotes to be one name (RFC 5322 §3.2.4, §3.2.5).
    private static func unquoted(_ phrase: String) -> String? {
        guard phrase.hasPrefix("\"") else {
            return phrase.contains(where: { "<>@,;:\"\\".contains($0) }) ? nil : phrase
        }
        var name = ""
        var escaped = false
        var rest = Substring(phrase.dropFirst())
        while let character = rest.popFirst() {
            if escaped || (character != "\\" && character != "\"") {
                name.append(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else {
                return rest.isEmpty ? name : nil
            }
        }
        return nil
    }
}

extension MailAddress {
    /// The header that holds this mailbox, without its line end.
    func header(_ field: String) throws(MailProblem) -> String {
        try MailEncoding.check(name, field: field)
        try checkAddress(field: field)
        guard !name.isEmpty else { return try MailEncoding.header(field, words: [address]) }
        return try MailEncoding.header(
            field, words: MailEncoding.phrase(name, column: field.utf8.count + 2) + ["<\(address)>"])
    }

    /// One plain mailbox within the lengths of RFC 5321 §4.5.3.1: no quoted local part, no comment, no
    /// address literal, since each of these has been used to smuggle a second recipient.
    private func checkAddress(field: String) throws(MailProblem) {
        try MailEncoding.check(address, field: field)
        let sides = address.split(separator: "@", omittingEmptySubsequences: false)
        guard sides.count == 2 else { throw .badAddress(field: field) }
        guard sides[0].utf8.allSatisfy({ $0 < 0x80 }) else { throw .needsSMTPUTF8(field: field) }
        guard sides[1].utf8.allSatisfy({ $0 < 0x80 }) else { throw .domainNotASCII(field: field) }
        guard sides[0].utf8.count <= 64, Self.isDotAtom(sides[0]), Self.isDomain(sides[1]) else {
            throw .badAddress(field: field)
        }
    }

    /// RFC 5322 §3.2.3: words of atext with single dots between them.
    static func isDotAtom(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
            !word.isEmpty && word.utf8.allSatisfy(MailEncoding.isAtomByte)
        }
    }

    /// RFC 1035 §2.3.1 with the leading digits of RFC 1123 §2.1.
    private static func isDomain(_ text: Substring) -> Bool {
        guard text.utf8.count <= 255 else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { MailEncoding.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
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
    /// The local part is not ASCII, which only a relay that offers SMTPUTF8 can carry (RFC 6531).
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
            "\(field): the part before the @ is not ASCII, and mail to it needs a relay with SMTPUTF8. "
                + "Use another address."
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

/// What is wrong with a template, or with the values for one mail. It never shows a value.
public struct MailTemplateProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        case sourceTooLarge(bytes: Int)
        case controlCharacter
        case frontMatterMissing, frontMatterOpen
        case notKeyAndValue
        case unknownKey(String)
        case repeatedKey(String)
        case missingSubject
        case badPurpose(String)
        case badSender(String)
        case emptyBody
        case openPlaceholder
        case badPlaceholder(String)
        case badTarget(String)
        case targetTooLong
        /// A variable without fallback has no value, or an empty one.
        case missingValue(String)
        case outputTooLarge(bytes: Int)
    }

    public let template: String
    /// Counted from 1 in the template's file.
    public let line: Int
    public let kind: Kind

    /// `mails/welcome.md:3: there is no value for 'first_name'. …`
    public var description: String { "\(template):\(line): \(sentence)" }

    private var sentence: String {
        switch kind {
        case .sourceTooLarge(let bytes):
            "the file has \(bytes) bytes; a mail has at most \(MailTemplate.sourceBytesMax). "
                + "Is it the right file?"
        case .controlCharacter:
            "the line holds a control character. Delete it; it may have come with pasted text."
        case .frontMatterMissing:
            "expected '---' in the first line, then 'subject: …', then '---'. Put them before the text."
        case .frontMatterOpen:
            "the '---' here is never closed. Put a line '---' after the last key."
        case .notKeyAndValue:
            "expected 'key: value'. The keys are \(Self.knownKeys)."
        case .unknownKey(let key):
            "'\(key)' is not a key of a mail.\(NearMiss.hint(key, among: MailTemplate.FrontMatter.keys)) "
                + "The keys are \(Self.knownKeys)."
        case .repeatedKey(let key):
            "'\(key)' is given twice. Keep one."
        case .missingSubject:
            "the mail has no subject. Write one after 'subject:'."
        case .badPurpose(let purpose):
            "purpose: expected marketing or transactional, got '\(purpose)'."
                + NearMiss.hint(purpose, among: MailTemplate.Purpose.allCases.map(\.rawValue))
        case .badSender(let sender):
            "from: expected a sender like 'Acme Analytics <hello@acme.example>', got '\(sender)'."
        case .emptyBody:
            "the mail has no text. Write it below the second '---'."
        case .openPlaceholder:
            "'{{' is not closed by '}}' on the same line. "
                + "Close it, or write '\\{{' for the braces themselves."
        case .badPlaceholder(let text):
            "expected '{{name}}' or '{{name|fallback}}' with a name of a-z, 0-9, _ and ., got '{{\(text)}}'."
        case .badTarget(let target):
            "a link in a mail begins with https://, http:// or mailto:, got '\(target)'. "
                + "Write the whole address."
        case .targetTooLong:
            "a link's target is longer than \(MailTemplate.targetBytesMax) bytes. "
                + "Some mail programs cut it: shorten it."
        case .missingValue(let name):
            "there is no value for '\(name)'. Give it one, or write a fallback: {{\(name)|…}}."
        case .outputTooLarge(let bytes):
            "with its values the mail has \(bytes) bytes or more, "
                + "and at most \(MailTemplate.outputBytesMax) are sent. Look for a value that is too long."
        }
    }

    private static let knownKeys = MailTemplate.FrontMatter.keys.joined(separator: ", ")
}
