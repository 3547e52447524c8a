import Foundation
import Testing

@testable import TrellisKernel

@Suite struct ReceivedMailTests {
    private func mail(_ text: String) -> MailPart { ReceivedMail(Array(text.utf8)).root }

    private func types(_ part: MailPart) -> String {
        part.parts.isEmpty ? part.type : "\(part.type)(\(part.parts.map(types).joined(separator: " ")))"
    }

    @Test func `parts within parts are found, and what stands around them is not`() {
        let mail = mail(
            """
            Content-Type: multipart/mixed; boundary="outer"

            preamble
            --outer
            Content-Type: multipart/alternative; boundary=inner

            --inner

            plain
            --inner
            Content-Type: text/html

            <p>
            --inner--
            epilogue
            --outer  \t
            Content-Type: message/rfc822

            Subject: attached

            text
            --outer--
            --outer
            Content-Type: text/after
            """)
        #expect(
            types(mail) == "multipart/mixed(multipart/alternative(text/plain text/html) message/rfc822(text/plain))")
        #expect(mail.parts[0].parts[0].content.elementsEqual("plain".utf8))
        #expect(mail.parts[1].parts[0].headers["subject"] == "attached")
    }

    @Test func `a part that never ends ends with the mail, and one that ends at once is empty`() {
        let open = mail("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>")
        #expect(types(open) == "multipart/mixed(text/html)")
        #expect(open.parts[0].content.elementsEqual("<p>".utf8))
        let empty = mail("Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n--b--\n")
        #expect(types(empty) == "multipart/mixed(text/plain text/plain)")
        #expect(types(mail("Content-Type: multipart/mixed; boundary=b\n\n--bc\n--b-\n")) == "multipart/mixed")
        #expect(types(mail("Content-Type: multipart/mixed\n\n--b\n")) == "multipart/mixed")
        #expect(types(mail("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n--\n")) == "multipart/mixed")
    }

    @Test func `a report within an attached mail was said by somebody else`() {
        let mail = mail(
            """
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: message/rfc822

            Content-Type: message/delivery-status

            Action: failed
            --b--
            """)
        #expect(types(mail) == "multipart/mixed(message/rfc822(message/delivery-status))")
        #expect(mail.first { $0.type == "message/delivery-status" } == nil)
    }

    @Test func `depth and number of parts are limited`() {
        var deep = "end"
        for level in 0..<100 {
            deep = "Content-Type: multipart/mixed; boundary=b\(level)\n\n--b\(level)\n\(deep)\n--b\(level)--\n"
        }
        var (depth, part) = (0, mail(deep))
        while let inner = part.parts.first { (depth, part) = (depth + 1, inner) }
        #expect(depth == ReceivedMail.depthMax)
        let wide = mail(
            "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\nx\n", count: 10_000))
        #expect(wide.parts.count < ReceivedMail.partsMax)
    }

    @Test func `the same mail by two ways has one digest, and another mail another`() {
        let mail = "From: a@x.example\nDate: Mon, 2 Mar 2026 09:00:00 +0000\nSubject: s\n\nbody\n"
        let digest = ReceivedMail(Array(mail.utf8)).digest
        #expect(
            ReceivedMail(
                Array("Received: by another way\nDelivered-To: b@x.example\n\(mail)".replacing("\n", with: "\r\n").utf8)
            ).digest == digest)
        #expect(ReceivedMail(Array(mail.replacing("body", with: "Body").utf8)).digest != digest)
        #expect(ReceivedMail(Array(mail.replacing("09:", with: "10:").utf8)).digest != digest)
    }

    @Test func `what has no header and no text is told apart by its bytes`() {
        let digests = ["rubbish", "other rubbish", "rubbish", "X-Way: one\n", "X-Way: two\n"].map {
            ReceivedMail(Array($0.utf8)).digest
        }
        #expect(Set(digests).count == 4 && digests[0] == digests[2])
    }

    @Test func `what exceeds a megabyte is not looked at`() {
        let mail = ReceivedMail(Array("Subject: s\n\n".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000))
        #expect(mail.root.content.count == ReceivedMail.bytesMax - 12)
    }

    // MARK: - Whatever comes

    /// Mails that would take long if any byte were read more often than a bounded number of times.
    private static let heavy: [(String, String)] = [
        ("boundaries", "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n", count: 200_000)),
        (
            "near boundaries",
            "Content-Type: multipart/mixed; boundary=\(String(repeating: "b", count: 60))\n\n"
                + String(repeating: "--\(String(repeating: "b", count: 59))\n", count: 15_000)
        ),
        ("open words", "Subject: " + String(repeating: "=?", count: 4_900) + "\n\n"),
        (
            "open words in many headers",
            String(repeating: "Subject: \(String(repeating: "=?utf-8?Q?", count: 900))\n", count: 100) + "\n"
        ),
        ("headers", String(repeating: "a: b\n", count: 200_000)),
        ("folds", "a: b\n" + String(repeating: " c\n", count: 300_000)),
        ("digits", "X-Failed-Recipients: a@x.example\n\na@x.example\n" + String(repeating: "5.1.", count: 250_000)),
        ("brackets", "X-Failed-Recipients: a@x.example\n\n" + String(repeating: "<", count: 900_000)),
        (
            "entries",
            "Hi\n\nHi. This is the qmail-send program\n" + String(repeating: "<a@x.example>:\nb\n\n", count: 50_000)
        ),
        ("at signs", "To: " + String(repeating: "@,", count: 4_900) + "\n\n"),
        ("line feeds", String(repeating: "\n", count: 1_000_000)),
        ("returns", String(repeating: "\r", count: 1_000_000) + "\n"),
        (
            "blocks",
            "Content-Type: message/delivery-status\n\n" + String(repeating: "Action: failed\n\n", count: 50_000)
        ),
        (
            "nested base 64",
            String(repeating: "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n", count: 10_000)
        ),
    ]

    @Test(arguments: heavy.map(\.0))
    func `a mail made to take long does not`(name: String) throws {
        let text = try #require(Self.heavy.first { $0.0 == name }?.1)
        let took = ContinuousClock().measure { _ = ReturnVerdict(ReceivedMail(Array(text.utf8))) }
        // Unoptimised code reads a megabyte in about a second; a quadratic reader would need hours.
        #expect(took < .seconds(20))
    }

    @Test func `no change to a mail stops the reader`() {
        var random = SplitMix(state: 20_260_302)
        let seeds = CorpusMail.all.map {
            $0.bytes(returnAddress: "bounces+1-0123456789abcdef@acme.example", messageID: "1.0@x")
        }
        let isLong = ProcessInfo.processInfo.environment["LONG"] != nil
        let end = ContinuousClock.now + .seconds(isLong ? 240 : 600)
        var rounds = 0
        while rounds < (isLong ? Int.max : 4_000), ContinuousClock.now < end {
            let bytes = random.mutated(seeds[rounds % seeds.count], with: seeds)
            let mail = ReceivedMail(bytes)
            let verdict = ReturnVerdict(mail)
            #expect(verdict.diagnostic?.contains("@") != true)
            #expect(mail.digest.count == 64)
            rounds += 1
        }
        #expect(rounds >= 4_000)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same numbers in every run.
private struct SplitMix {
    var state: UInt64

    mutating func next(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(max(limit, 1)))
    }

    private static let tokens = [
        "\n", "\r\n", "\r", "\n\n", "--", "=", "=?", "?=", "=?utf-8?B?", ":", ";", "\"", "\\", "<", ">", "@",
        "boundary=", "\0",
        "Content-Type: message/rfc822\n\n", "Content-Type: multipart/report; boundary=b\n\n--b\n",
        "Content-Transfer-Encoding: base64\n",
        "Action: failed\n", "Status: 5.1.1\n", "Final-Recipient: rfc822; @\n", "X-Failed-Recipients: \n", "5.1.1",
        "\u{FFFD}", "é",
    ]

    /// A few changes: bytes turned, cut, doubled, moved, or taken from another mail.
    mutating func mutated(_ seed: [UInt8], with others: [[UInt8]]) -> [UInt8] {
        var bytes = seed
        for _ in 0...next(8) {
            let at = next(bytes.count + 1)
            let end = min(bytes.count, at + next(200))
            switch next(7) {
            case 0 where at < bytes.count: bytes[at] = UInt8(next(256))
            case 1: bytes.removeSubrange(at..<end)
            case 2: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 3: bytes.insert(contentsOf: Self.tokens[next(Self.tokens.count)].utf8, at: at)
            case 4: bytes = Array(bytes[..<at])
            case 5:
                let other = others[next(others.count)]
                let from = next(other.count + 1)
                bytes.insert(contentsOf: other[from..<min(other.count, from + next(400))], at: at)
            default:
                let piece = Array(bytes[at..<end])
                bytes.removeSubrange(at..<end)
                bytes.insert(contentsOf: piece, at: next(bytes.count + 1))
            }
        }
        return bytes
    }
}
