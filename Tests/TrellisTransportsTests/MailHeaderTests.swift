import Testing

@testable import TrellisTransports

@Suite struct MailHeaderTests {
    private func header(_ text: String) -> MailHeader { MailHeader(Array(text.utf8)) }

    @Test func `fields keep their folds, and the body begins behind the empty line`() {
        let text = "From: a\r\nSubject: one\r\n two\r\n\tthree\r\n\r\nBody: no\r\n"
        let read = header(text)
        #expect(read.fields.map(\.name) == ["From", "Subject"])
        #expect(String(decoding: read.fields[1].value, as: UTF8.self) == " one\r\n two\r\n\tthree")
        #expect(String(decoding: Array(text.utf8)[read.bodyStart...], as: UTF8.self) == "Body: no\r\n")
    }

    @Test(arguments: ["", "\r\n", "no colon\r\n", " folded first\r\n", "From", ":"])
    func `what is no header has no fields that matter`(_ text: String) {
        #expect(header(text).address(of: "from") == nil)
        #expect(header(text).bodyStart <= text.utf8.count)
    }

    @Test func `an address without its end is none`() {
        #expect(header("From: A <a@b.example\r\n\r\n").address(of: "from") == nil)
    }
}
