import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite struct SMTPEnvelopeTests {
    private func envelope(
        to recipient: String = "ann@lee.example", returnPath: String = "",
        _ text: String = "From: A <a@b.example>\r\n\r\nHi\r\n"
    ) throws(SMTPEnvelope.Refusal) -> SMTPEnvelope {
        try SMTPEnvelope(
            RenderedMessage(
                id: 1, stableID: "1.a", recipient: recipient, returnPath: returnPath, bytes: Array(text.utf8)))
    }

    @Test(arguments: [
        ("From: a@b.example\r\n\r\n", "a@b.example"), ("Subject: x\r\nfrom: Acme <a@b.example>\r\n\r\n", "a@b.example"),
        ("From: \"x <y@z.example>\"\r\n <a@b.example>\r\n\r\n", "a@b.example"),
    ])
    func `without a return path bounces go to the sender`(_ text: String, _ sender: String) throws {
        #expect(try envelope(text).sender == sender)
    }

    @Test func `the return path goes before the sender`() throws {
        #expect(try envelope(returnPath: "bounce+1@acme.example").sender == "bounce+1@acme.example")
    }

    @Test(arguments: [
        "", "ann", "@b.example", "a@", "a@b.example\r\nDATA", "a b@c.example", "a@b.example>", "<a@b.example",
        "a@b.example\0", "a@b.example> SIZE=1", "\"a\"@b.example", "a\u{85}@b.example", "a\u{2028}@b.example",
        String(repeating: "a", count: 250) + "@b.example",
    ])
    func `what could be more than an address is refused`(_ address: String) {
        #expect(throws: SMTPEnvelope.Refusal.self) { try envelope(to: address) }
        if !address.isEmpty { #expect(throws: SMTPEnvelope.Refusal.self) { try envelope(returnPath: address) } }
    }

    @Test func `a message without a sender is refused, with what to do`() {
        let refusal = #expect(throws: SMTPEnvelope.Refusal.self) {
            try envelope("Subject: x\r\n\r\nFrom: a@b.example\r\n")
        }
        #expect(refusal?.reason == "the message has no address to return to. Give mail.from in the config.")
    }

    @Test func `it knows what it needs of the relay`() throws {
        #expect(try !envelope().needsUTF8 && !envelope().isEightBit)
        #expect(try envelope(to: "jörg@b.example").needsUTF8)
        #expect(try envelope("From: a@b.example\r\n\r\nGrüße").isEightBit)
    }
}
