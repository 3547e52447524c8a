import Foundation
import Testing

@testable import TrellisKernel

@Suite struct MailMessageTests {
    private static let sender = MailAddress(name: "Acme Analytics", address: "hello@acme.example")
    private static let recipient = MailAddress(name: "Ann Lee", address: "ann@lee.example")

    private func message(subject: String = "Hello", text: String = "Hi", html: String? = nil) -> MailMessage {
        MailMessage(
            from: Self.sender, to: Self.recipient, subject: subject,
            date: Date(timeIntervalSince1970: 1_795_466_179),
            messageID: "drip.welcome.42@acme.example", text: text, html: html)
    }

    private func problem(_ change: (inout MailMessage) -> Void) -> MailProblem? {
        var changed = message()
        change(&changed)
        do {
            _ = try changed.rendered()
            return nil
        } catch { return error }
    }

    @Test func `a text mail is exactly these lines`() throws {
        let lines = [
            "Date: Mon, 23 Nov 2026 20:36:19 +0000",
            "From: Acme Analytics <hello@acme.example>",
            "To: Ann Lee <ann@lee.example>",
            "Subject: Hello",
            "Message-ID: <drip.welcome.42@acme.example>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "",
            "Gr=C3=BC=C3=9Fe",
            "",
        ]
        var mail = message(text: "Grüße")
        mail.headers = [("Auto-Submitted", "auto-generated")]
        #expect(String(decoding: try mail.rendered(), as: UTF8.self) == lines.joined(separator: "\r\n"))
    }

    @Test func `with HTML the text comes first and both read back`() throws {
        let mail = message(text: "Hello\nthere", html: "<p>Hello = 1</p>")
        let read = try ReadMail(mail.rendered())
        let boundary = try #require(read["Content-Type"]?.split(separator: "\"").last.map(String.init))
        let parts = read.body.components(separatedBy: "--" + boundary)
        #expect(parts.count == 4 && parts[3] == "--\r\n")
        #expect(parts[1].contains("text/plain") && parts[2].contains("text/html"))
        #expect(
            try ReadMail.unquoted(#require(parts[1].components(separatedBy: "\r\n\r\n").last))
                == "Hello\r\nthere\r\n")
        #expect(
            try ReadMail.unquoted(#require(parts[2].components(separatedBy: "\r\n\r\n").last))
                == "<p>Hello = 1</p>\r\n")
    }

    @Test func `the same message renders to the same bytes`() throws {
        let mail = message(text: "a", html: "b")
        #expect(try mail.rendered() == mail.rendered())
        var other = mail
        other.messageID = "other@acme.example"
        #expect(try ReadMail(other.rendered())["Content-Type"] != ReadMail(mail.rendered())["Content-Type"])
        #expect(StableHash.hex("a") == "af63dc4c8601ec8c")
    }

    static let breaks = [
        "\r\nBcc: x@y.example", "\n", "\r", "\0", "\u{B}", "\t", "\u{7F}", "\u{85}", "\u{2028}",
    ]

    @Test(arguments: breaks) func `a line break in a subject is refused`(_ text: String) {
        #expect(problem { $0.subject = "Hi" + text } == .controlCharacter(field: "Subject"))
    }

    @Test(arguments: breaks) func `a line break in a name, an address or a header is refused`(_ text: String) {
        #expect(problem { $0.from.name += text } == .controlCharacter(field: "From"))
        #expect(problem { $0.to.address += text } == .controlCharacter(field: "To"))
        #expect(problem { $0.replyTo = MailAddress(name: text, address: "a@b.example") } != nil)
        #expect(problem { $0.messageID += text } == .controlCharacter(field: "Message-ID"))
        #expect(problem { $0.headers = [("X-Note", text)] } == .controlCharacter(field: "X-Note"))
        #expect(problem { $0.headers = [("X-Note" + text, "1")] } == .badHeaderName)
    }

    @Test(arguments: [
        "Bcc", "cc", "TO", "Subject", "Content-Type", "content-x", "Resent-Bcc", "MIME-Version",
    ])
    func `a header of the message's own, or of further recipients, is refused`(_ name: String) {
        #expect(problem { $0.headers = [(name, "x@y.example")] } == .reservedHeader(field: name))
    }

    @Test func `a header given twice is refused`() {
        #expect(problem { $0.headers = [("X-A", "1"), ("x-a", "2")] } == .repeatedHeader(field: "x-a"))
    }

    @Test(arguments: [
        "", "ann", "@b.example", "a@", "a@b@c.example", "a b@c.example", "a@b>,<c@d.example",
        "\"a b\"@c.example",
        "a..b@c.example", ".a@c.example", "a@[127.0.0.1]", "a@-b.example", "a@b..example", "a(x)@b.example",
        "\(String(repeating: "a", count: 65))@b.example",
    ])
    func `what is not one plain address is refused`(_ address: String) {
        #expect(problem { $0.to.address = address } == .badAddress(field: "To"))
        #expect(MailAddress(parsing: address) == nil)
    }

    @Test func `an address beyond ASCII says what it would need`() {
        #expect(problem { $0.to.address = "jörg@b.example" } == .needsSMTPUTF8(field: "To"))
        #expect(problem { $0.to.address = "ann@bücher.example" } == .domainNotASCII(field: "To"))
    }

    @Test func `the wording of a refusal names the header and no value`() {
        #expect(
            MailProblem.controlCharacter(field: "Subject").description
                == "Subject: it holds a line break or another control character, "
                + "which could start a new header. Remove it where the value is captured.")
    }

    @Test(arguments: [
        ("Acme Analytics <hello@acme.example>", "Acme Analytics", "hello@acme.example"),
        ("hello@acme.example", "", "hello@acme.example"),
        ("<hello@acme.example>", "", "hello@acme.example"),
        (#""Acme, \"Inc.\"" <hello@acme.example>"#, "Acme, \"Inc.\"", "hello@acme.example"),
        ("Müller <hello@acme.example>", "Müller", "hello@acme.example"),
    ])
    func `a sender is read as people write it`(_ text: String, _ name: String, _ address: String) {
        #expect(MailAddress(parsing: text) == MailAddress(name: name, address: address))
    }

    @Test(arguments: [
        "Acme, Inc. <a@b.example>", "a@b.example, <c@d.example>", "\"open <a@b.example>", "A <a@b.example> x",
    ])
    func `what could be two mailboxes is not a sender`(_ text: String) {
        #expect(MailAddress(parsing: text) == nil)
    }

    @Test(arguments: [
        ("Ann Lee", "From: Ann Lee <a@b.example>"),
        ("Lee, Ann \"A\\B\"", #"From: "Lee, Ann \"A\\B\"" <a@b.example>"#),
        ("Jürgen", "From: =?utf-8?Q?J=C3=BCrgen?= <a@b.example>"),
        ("=?utf-8?Q?x?=", "From: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <a@b.example>"),
        ("北京市", "From: =?utf-8?B?5YyX5Lqs5biC?= <a@b.example>"),
    ])
    func `a display name is quoted or encoded where it must be`(_ name: String, _ header: String) throws {
        #expect(try MailAddress(name: name, address: "a@b.example").header("From") == header)
    }

    @Test func `a body cannot end the message or start another`() throws {
        let text =
            ".\r\nFrom me\n.\nMAIL FROM:<x>\r\rtrailing \n\ttab\t\n" + String(repeating: "é. ", count: 90)
        let read = try ReadMail(message(text: text).rendered())
        let lines = read.body.components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 76 && !$0.hasPrefix(".") && !$0.hasPrefix("From ") })
        #expect(ReadMail.unquoted(read.body) == ReadMail.withCRLF(text))
    }

    @Test func `a long header folds at white space and a long unsubscribe address stays whole`() throws {
        let url = "<https://acme.example/u/\(String(repeating: "x", count: 300))>"
        var mail = message(subject: String(repeating: "word ", count: 60) + "end")
        mail.headers = [("List-Unsubscribe", "\(url), <mailto:leave@acme.example>")]
        let read = try ReadMail(mail.rendered())
        #expect(read["Subject"] == mail.subject)
        #expect(read["List-Unsubscribe"] == mail.headers[0].value)
        #expect(read.lines.allSatisfy { $0.utf8.count <= 78 || $0.contains(url) })
        mail.headers = [("List-Unsubscribe", String(repeating: "x", count: 990))]
        #expect(throws: MailProblem.headerTooLong(field: "List-Unsubscribe", bytesMax: 998)) {
            try mail.rendered()
        }
        mail.headers = [("List-Id", "Grüße <a.b>")]
        #expect(throws: MailProblem.notASCII(field: "List-Id")) { try mail.rendered() }
    }

    @Test(arguments: [
        (0.0, "Thu, 01 Jan 1970 00:00:00 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (-1.0, "Wed, 31 Dec 1969 23:59:59 +0000"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
        (-2_208_988_800, "Mon, 01 Jan 1900 00:00:00 +0000"),
        (1_709_164_799.9, "Wed, 28 Feb 2024 23:59:59 +0000"),
    ])
    func `a date is written in UTC`(_ seconds: Double, _ text: String) throws {
        #expect(try MailMessage.dateText(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `a date without a year, and a body without end, are refused`() {
        #expect(problem { $0.date = Date(timeIntervalSince1970: .nan) } == .dateOutOfRange)
        #expect(problem { $0.date = .distantPast } == .dateOutOfRange)
        #expect(problem { $0.text = String(repeating: "x", count: 3_000_001) } != nil)
        #expect(problem { $0.subject = String(repeating: "x", count: 10_001) } != nil)
    }

    @Test func `10,000 random mails hold their own headers and no other, and read back`() throws {
        var random = SplitMix64(state: 20_261_123)
        for _ in 0..<10_000 {
            var mail = message(subject: random.text(), text: random.text(), html: nil)
            mail.to.name = random.text()
            mail.headers = [("X-Note", random.text())]
            let mayRender = [mail.subject, mail.to.name, mail.headers[0].value].allSatisfy { value in
                !value.unicodeScalars.contains(where: MailEncoding.isControl)
            }
            guard mayRender else {
                #expect(throws: MailProblem.self) { try mail.rendered() }
                continue
            }
            let read = try ReadMail(mail.rendered())
            #expect(read.names == ReadMail.expectedNames)
            #expect(read["Subject"].map(ReadMail.decoded) == mail.subject)
            #expect(read["X-Note"].map(ReadMail.decoded) == mail.headers[0].value)
            let phrase = mail.to.name.isEmpty ? "ann@lee.example" : " <ann@lee.example>"
            #expect(read["To"]?.hasSuffix(phrase) == true)
            let wrong = read.lines.first {
                $0.utf8.count > 78 || !$0.utf8.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x09 }
            }
            #expect(wrong == nil)
            #expect(Data(ReadMail.unquoted(read.body).utf8) == Data(ReadMail.withCRLF(mail.text).utf8))
        }
    }
}

/// Reads a mail the way a receiver does, by rules written down apart from those under test.
private struct ReadMail {
    static let expectedNames = [
        "Date", "From", "To", "Subject", "Message-ID", "X-Note", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    ]

    let lines: [String]
    let body: String
    private let headers: [(name: String, value: String)]
    var names: [String] { headers.map(\.name) }

    init(_ bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        let end = try #require(text.range(of: "\r\n\r\n"))
        lines = text.components(separatedBy: "\r\n")
        body = String(text[end.upperBound...])
        let unfolded = text[..<end.lowerBound].replacingOccurrences(of: "\r\n ", with: " ")
        headers = unfolded.components(separatedBy: "\r\n").map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1].dropFirst()) : "")
        }
    }

    subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    static func withCRLF(_ text: String) -> String {
        var lines: [[UInt8]] = [[]]
        var before: UInt8 = 0
        for byte in text.utf8 {
            defer { before = byte }
            if byte == 0x0A && before == 0x0D { continue }
            if byte == 0x0D || byte == 0x0A { lines.append([]) } else { lines[lines.count - 1].append(byte) }
        }
        if lines.last == [] { lines.removeLast() }
        return String(decoding: lines.flatMap { $0 + [0x0D, 0x0A] }, as: UTF8.self)
    }

    static func unquoted(_ text: String) -> String {
        hexDecoded(Array(text.utf8), mark: UInt8(ascii: "=")) { $0 }
    }

    private static func hexDecoded(_ bytes: [UInt8], mark: UInt8, other: (UInt8) -> UInt8) -> String {
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == mark, index + 2 < bytes.count {
                let digits = String(decoding: bytes[index + 1...index + 2], as: UTF8.self)
                if let byte = UInt8(digits, radix: 16) { decoded.append(byte) }
                index += 3
            } else {
                decoded.append(other(bytes[index]))
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Encoded-words decoded, and the space between two of them dropped (RFC 2047 §6.2).
    static func decoded(_ value: String) -> String {
        guard value.hasPrefix("=?") else { return value }
        return value.components(separatedBy: " ").map { word in
            #expect(word.utf8.count <= 75)
            let parts = word.components(separatedBy: "?")
            guard parts.count == 5, parts[1] == "utf-8" else { return "(not an encoded-word)" }
            let bytes = parts[2] == "B" ? Data(base64Encoded: parts[3]) : nil
            // A word that split a character would not be UTF-8 on its own.
            if let bytes { return String(data: bytes, encoding: .utf8) ?? "(half a character)" }
            return hexDecoded(Array(parts[3].utf8), mark: UInt8(ascii: "=")) { $0 == 0x5F ? 0x20 : $0 }
        }.joined()
    }
}

/// A small seeded generator, so that a failure comes again (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", 2014).
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Mostly harmless, rich in what breaks encoders, and in one of eight with control characters.
    mutating func text() -> String {
        let pieces = [
            "a", "Word", " ", "  ", ".", "=", "?", "=?utf-8?Q?", "?=", "\"", "\\", "<", ">", ",", "@", "_",
            "ü", "é", "e\u{301}",
            "北", "👩‍👩‍👧", "\u{10FFFF}", "\u{202E}", ":", ";", "(", "From ", "Bcc: x@y.example", "0",
            "longlonglonglong",
        ]
        let breaks = [
            "\r", "\n", "\r\n", "\0", "\t", "\u{85}", "\r\n.\r\n", "\r\nBcc: x@y.example\r\n", "\n.\n",
        ]
        let choice = Int.random(in: 0..<8, using: &self) == 0 ? pieces + breaks + breaks : pieces
        let count = Int.random(in: 0..<60, using: &self)
        return (0..<count).map { _ in choice.randomElement(using: &self) ?? "" }.joined()
    }
}
