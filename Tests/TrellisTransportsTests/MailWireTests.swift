import Testing

@testable import TrellisTransports

@Suite struct MailWireTests {
    private func wire(_ text: String) throws -> String {
        String(decoding: MailWire.stuffed(try MailWire.normalised(Array(text.utf8))), as: UTF8.self)
    }

    @Test(arguments: [
        ("a\r\nb\r\n", "a\r\nb\r\n"), ("a\nb\n", "a\r\nb\r\n"), ("a", "a\r\n"), ("", ""), (".", "..\r\n"),
        ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n"), ("a\n.\nb", "a\r\n..\r\nb\r\n"), ("a\n.\r\nb", "a\r\n..\r\nb\r\n"),
        ("a\r\n.\nb", "a\r\n..\r\nb\r\n"), ("..", "...\r\n"), ("a.b\r\n.c\r\n", "a.b\r\n..c\r\n"),
        ("x\r\n.\r\nMAIL FROM:<a@b.example>\r\n", "x\r\n..\r\nMAIL FROM:<a@b.example>\r\n"), ("a\r\n\r\n", "a\r\n\r\n"),
    ])
    func `lines end with CRLF, and a dot in front of one is doubled`(_ text: String, _ expected: String) throws {
        #expect(try wire(text) == expected)
    }

    @Test(arguments: [
        ("a\rb\r\n", MailWireProblem.loneReturn), ("a\r\r\nb", .loneReturn), ("a\r", .loneReturn),
        ("a\n\r.\r\nb", .loneReturn),
        ("a\r.\rb", .loneReturn), ("a\0b", .nul), (String(repeating: "x", count: 999), .longLine),
    ])
    func `what a server could take for an end is refused`(_ text: String, _ problem: MailWireProblem) {
        #expect(throws: problem) { try wire(text) }
    }

    @Test func `a line of 998 bytes may be`() throws {
        let line = String(repeating: "x", count: 998)
        #expect(try wire(line + "\r\n" + line) == line + "\r\n" + line + "\r\n")
    }

    @Test func `the wording says what to do`() {
        #expect("\(MailWireProblem.longLine)" == "a line of the message is longer than 998 bytes. Encode it.")
    }
}
