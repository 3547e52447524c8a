import Testing

@testable import TrellisTransports

@Suite struct SMTPReplyTests {
    private func replies(_ text: String) throws -> [SMTPReply] {
        var parser = SMTPReplyParser()
        return try parser.take(Array(text.utf8))
    }

    @Test func `a reply of several lines is one`() throws {
        #expect(
            try replies("250-relay.example\r\n250-SIZE 100\r\n250 8BITMIME\r\n")
                == [SMTPReply(code: 250, lines: ["relay.example", "SIZE 100", "8BITMIME"])])
    }

    @Test func `bytes that come one by one make the same replies`() throws {
        var parser = SMTPReplyParser()
        var found: [SMTPReply] = []
        for byte in "220 hi\r\n250-a\r\n250 b\r\n".utf8 { found += try parser.take([byte]) }
        #expect(found == [SMTPReply(code: 220, lines: ["hi"]), SMTPReply(code: 250, lines: ["a", "b"])])
        #expect(!parser.isInside)
    }

    @Test func `half a reply is none yet`() throws {
        var parser = SMTPReplyParser()
        #expect(try parser.take(Array("250-a\r\n25".utf8)).isEmpty)
        #expect(parser.isInside)
    }

    @Test func `a bare code and a lone line feed are read`() throws {
        #expect(try replies("250\n") == [SMTPReply(code: 250, lines: [""])])
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "25 short\r\n", "250_x\r\n", "150 low\r\n", "650 high\r\n", "\r\n",
        "250-a\r\n251 b\r\n", "2é0 x\r\n", String(repeating: "x", count: 3000),
        String(repeating: "250-x\r\n", count: 200),
    ])
    func `what is no reply is refused, and so is one without end`(_ text: String) {
        #expect(throws: SMTPFault.malformed) { try replies(text) }
    }

    @Test(arguments: [
        ("5.1.1 nobody", 550, "5.1.1"), ("5.1.10", 556, "5.1.10"), ("4.7.1 x", 450, "4.7.1"),
        ("2.0.0 ok", 250, "2.0.0"),
        ("4.1.1 class differs", 550, nil), ("5.1 short", 550, nil), ("5.1.1.1 long", 550, nil), ("5.a.1 x", 550, nil),
        ("5.1.1111 x", 550, nil), ("", 550, nil), ("<5.1.1> x", 550, nil),
    ])
    func `the enhanced status is read where it fits the code`(_ text: String, _ code: Int, _ status: String?) {
        #expect(SMTPReply(code: code, lines: [text]).status == status)
    }

    @Test(arguments: [
        ("5.1.1 <ann.lee@acme.example>: unknown", "550 5.1.1 <a•••@acme.example>: unknown"),
        ("no ann.lee here", "550 no ••• here"),
        ("Ann.Lee is not known.", "550 ••• is not known."),
        ("mail for (bob@b.example) or carl@c.example.", "550 mail for (b•••@b.example) or c•••@c.example."),
        ("tab\tand\u{1B}[31m bell\u{7}", "550 tab and [31m bell"), ("a\u{202E}b", "550 a b"),
    ])
    func `a reply is shown without addresses and control characters`(_ text: String, _ shown: String) {
        #expect(SMTPReply(code: 550, lines: [text]).shown(hiding: "ann.lee@acme.example") == shown)
    }

    @Test func `a long reply is cut`() {
        let shown = SMTPReply(code: 550, lines: Array(repeating: String(repeating: "é", count: 100), count: 50)).shown()
        #expect(shown.count == 300 && shown.hasSuffix("…"))
    }
}
