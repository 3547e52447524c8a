import NIOPosix
import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite struct SMTPTimeoutsTests {
    @Test func `they are those of RFC 5321`() {
        let timeouts = SMTPTimeouts()
        #expect((timeouts.greeting, timeouts.command) == (.seconds(300), .seconds(300)))
        #expect((timeouts.data, timeouts.block, timeouts.finalDot) == (.seconds(120), .seconds(180), .seconds(600)))
    }

    @Test func `a cap shortens each step, and not how long a connection is kept`() {
        let capped = SMTPTimeouts().capped(at: .seconds(150))
        #expect((capped.connect, capped.greeting, capped.command) == (.seconds(30), .seconds(150), .seconds(150)))
        #expect((capped.data, capped.block, capped.finalDot) == (.seconds(120), .seconds(150), .seconds(150)))
        #expect(capped.idle == .seconds(60))
    }

    @Test func `the timeout of a relay is a cap`() throws {
        var relay = MailRelay()
        relay.host = "smtp.acme.example"
        relay.timeout = Span("45s")
        let access = try RelayAccess(
            relay, hello: "acme.example", timeouts: SMTPTimeouts(), authorities: [],
            on: MultiThreadedEventLoopGroup.singleton)
        #expect(access.timeouts.finalDot == .seconds(45))
    }
}
