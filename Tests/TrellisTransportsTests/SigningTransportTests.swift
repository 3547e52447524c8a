import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisTransports

@Suite struct SigningTransportTests {
    private func signature(_ domain: String) throws -> DKIMSignature {
        DKIMSignature(domain: domain, selector: "a", key: try DKIMKey(ed25519: Array(repeating: 7, count: 32)))
    }

    @Test func `each key signs the mail itself, and all stand in front of it`() async throws {
        let carrier = RecordingTransport()
        let clock = StoppedClock(at: "2026-03-02 09:00:00")
        let signatures = [try signature("one.example"), try signature("two.example")]
        let transport = SigningTransport(carrier, signatures: signatures, clock: clock.clock)
        let mail = Outgoing.mail()
        #expect(await transport.send(mail) == .sent)
        let sent = try #require(carrier.sent.first)
        let time = Int(clock.now.timeIntervalSince1970)
        let fields = try signatures.map { try $0.field(for: mail.bytes, at: time) }
        #expect(sent.bytes == fields[0] + fields[1] + mail.bytes)
        #expect(
            (sent.id, sent.stableID, sent.recipient, sent.returnPath) == (1, "1.abc", mail.recipient, mail.returnPath))
    }

    @Test func `lone line feeds are put right before they are signed`() async throws {
        let carrier = RecordingTransport()
        let transport = SigningTransport(carrier, signatures: [try signature("one.example")])
        #expect(await transport.send(Outgoing.mail(body: "a\nb\n")) == .sent)
        let text = String(decoding: try #require(carrier.sent.first).bytes, as: UTF8.self)
        #expect(text.hasSuffix("\r\n\r\na\r\nb\r\n"))
    }

    @Test func `whoever carries the mail is told to say goodbye`() async throws {
        let carrier = RecordingTransport()
        await SigningTransport(carrier, signatures: [try signature("one.example")]).close()
        #expect(carrier.closings == 1)
    }

    @Test func `what cannot go over the wire is refused unsigned`() async throws {
        let carrier = RecordingTransport()
        let transport = SigningTransport(carrier, signatures: [try signature("one.example")])
        #expect(Outgoing.told(await transport.send(Outgoing.mail(body: "a\rb"))).hasPrefix("refused: "))
        #expect(carrier.sent.isEmpty)
    }
}
