import Testing

@testable import TrellisTransports

@Suite struct SMTPReplyTests {
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
