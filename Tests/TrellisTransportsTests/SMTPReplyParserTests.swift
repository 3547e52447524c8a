import Testing

@testable import TrellisTransports

@Suite struct SMTPReplyParserTests {
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
}
