import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MuteTransportTests {
    private struct Lost: Error, CustomStringConvertible { let description = "somebody else has it" }

    private let message = RenderedMessage(id: 1, stableID: "m1", recipient: "ann@acme.example", bytes: [])

    @Test func `every message is taken`() async {
        #expect(await MuteTransport("mail").send(message) {} == .sent)
    }

    @Test func `one that must not leave is not taken`() async {
        let delivery = await MuteTransport("mail").send(message) { throw Lost() }
        #expect(delivery == .retry(because: "somebody else has it"))
    }

    @Test func `there is one for each kind of message`() {
        let all = MuteTransport.all.map { "\($0.name) \($0.isIdempotent)" }
        #expect(all == ["mail true", "webhook true"])
    }
}
