import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisTransports

/// Connections that are kept, and relays that rest.
@Suite struct SMTPRelayTests {
    // MARK: - Connections

    @Test func `a connection carries a hundred mails and then goes`() async throws {
        let relay = try await ScriptedRelay()
        let transport = try Outgoing.transport(relay)
        for number in 1...101 { #expect(await transport.send(Outgoing.mail(Int64(number))) == .sent) }
        #expect(relay.heard.connections == 2 && relay.heard.messages.count == 101)
        #expect(relay.verbs.count { $0 == "EHLO" } == 2)
    }

    @Test func `a mail that was refused does not cost the connection`() async throws {
        let relay = try await ScriptedRelay { $0.verb == "RCPT" && $0.before == 0 ? .say("550 5.1.1 nobody") : nil }
        let transport = try Outgoing.transport(relay)
        #expect(Outgoing.told(await transport.send(Outgoing.mail(1))) == "undeliverable: 550 5.1.1 nobody")
        #expect(await transport.send(Outgoing.mail(2)) == .sent)
        #expect(relay.verbs == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"])
        #expect(relay.heard.connections == 1)
    }

    @Test func `a connection that died while it was kept is replaced without a word`() async throws {
        let relay = try await ScriptedRelay()
        let transport = try Outgoing.transport(relay)
        #expect(await transport.send(Outgoing.mail(1)) == .sent)
        try await relay.hangUp()
        #expect(await transport.send(Outgoing.mail(2)) == .sent)
        #expect(relay.heard.connections == 2 && relay.heard.messages.count == 2)
    }

    @Test(arguments: ["421 4.4.2 timeout", nil])
    func `so is one that dies at the first word`(_ farewell: String?) async throws {
        let relay = try await ScriptedRelay { cue in
            guard cue.verb == "MAIL", cue.before == 1 else { return nil }
            return farewell.map { .sayAndDrop($0) } ?? .drop
        }
        let transport = try Outgoing.transport(relay)
        #expect(await transport.send(Outgoing.mail(1)) == .sent)
        #expect(await transport.send(Outgoing.mail(2)) == .sent)
        #expect(relay.heard.connections == 2 && relay.heard.messages.count == 2)
    }

    /// A relay that takes two recipients on a connection: 450 and 452 are the codes that relays say it with.
    @Test(arguments: [
        "452 4.5.3 Too many recipients", "450 4.5.3 Error: too many recipients", "452 Too many recipients",
    ])
    func `one on which the relay takes no more recipients is replaced, and no mail fails for it`(_ reply: String)
        async throws
    {
        // The third on each connection is one too many, and comes again on the next.
        let relay = try await ScriptedRelay { $0.verb == "RCPT" && $0.before % 3 == 2 ? .say(reply) : nil }
        let transport = try Outgoing.transport(relay)
        for number in 1...5 { #expect(await transport.send(Outgoing.mail(Int64(number))) == .sent) }
        #expect(relay.heard.connections == 3 && relay.heard.messages.count == 5)
    }

    @Test func `a relay that takes none on a new one either puts the mail off, after one try`() async throws {
        let relay = try await ScriptedRelay { cue in
            cue.verb == "RCPT" && cue.before > 0 ? .say("452 4.5.3 Too many recipients") : nil
        }
        let transport = try Outgoing.transport(relay)
        #expect(await transport.send(Outgoing.mail(1)) == .sent)
        #expect(Outgoing.told(await transport.send(Outgoing.mail(2))) == "slower: 452 4.5.3 Too many recipients")
        #expect(relay.heard.connections == 2 && relay.verbs.count { $0 == "RCPT" } == 3)
    }

    @Test func `a rate that is too high is no reason for another connection`() async throws {
        let relay = try await ScriptedRelay { cue in
            cue.verb == "RCPT" && cue.before > 0 ? .say("450 4.7.1 Error: too many recipients from 192.0.2.1") : nil
        }
        let transport = try Outgoing.transport(relay)
        #expect(await transport.send(Outgoing.mail(1)) == .sent)
        let told = Outgoing.told(await transport.send(Outgoing.mail(2)))
        #expect(told == "slower: 450 4.7.1 Error: too many recipients from 192.0.2.1")
        #expect(relay.heard.connections == 1)
    }

    @Test func `one that dies later is a failure of that mail`() async throws {
        let relay = try await ScriptedRelay { $0.verb == "RCPT" && $0.before == 1 ? .drop : nil }
        let transport = try Outgoing.transport(relay)
        #expect(await transport.send(Outgoing.mail(1)) == .sent)
        #expect(Outgoing.told(await transport.send(Outgoing.mail(2))) == "retry: it closed the connection")
        #expect(relay.heard.messages.count == 1)
    }

    @Test func `a farewell that came unasked is not taken for a reply`() async throws {
        let relay = try await ScriptedRelay { $0.verb == "dot" ? .say("250 taken\r\n421 4.4.2 bye") : nil }
        let transport = try Outgoing.transport(relay)
        #expect(await transport.send(Outgoing.mail(1)) == .sent)
        #expect(await transport.send(Outgoing.mail(2)) == .sent)
        #expect(relay.heard.connections == 2)
    }

    @Test func `a connection kept too long is not used again`() async throws {
        let relay = try await ScriptedRelay()
        var timeouts = SMTPTimeouts()
        timeouts.idle = .zero
        let transport = try Outgoing.transport(relay, timeouts: timeouts)
        for number in 1...3 { #expect(await transport.send(Outgoing.mail(Int64(number))) == .sent) }
        #expect(relay.heard.connections == 3)
    }

    @Test func `many mails at once share so many connections and no more`() async throws {
        let relay = try await ScriptedRelay()
        let transport = try Outgoing.transport(relay) { $0.connections = 3 }
        #expect(transport.connectionsMax == 3)
        await withTaskGroup(of: Delivery.self) { group in
            for number in 1...60 { group.addTask { await transport.send(Outgoing.mail(Int64(number))) } }
            for await delivery in group { #expect(delivery == .sent) }
        }
        #expect((1...3).contains(relay.heard.connections))
        #expect(relay.heard.messages.count == 60)
        #expect(Set(relay.heard.messages).count == 1)
        await transport.close()
    }

    // MARK: - Rest

    @Test func `where one relay is of no use the next is asked, and the first rests`() async throws {
        let clock = StoppedClock(at: "2026-03-02 09:00:00")
        let first = try await ScriptedRelay { $0.verb == "greeting" ? .say("554 closed") : nil }
        let second = try await ScriptedRelay()
        let transport = try Outgoing.transport(first, second, clock: clock.clock)
        for number in 1...3 { #expect(await transport.send(Outgoing.mail(Int64(number))) == .sent) }
        #expect(first.heard.connections == 1 && second.heard.messages.count == 3)
    }

    @Test func `a relay rests for a minute, then two, and at most a quarter of an hour`() async throws {
        let clock = StoppedClock(at: "2026-03-02 09:00:00")
        let relay = try await ScriptedRelay { $0.verb == "greeting" && $0.before < 7 ? .say("554 closed") : nil }
        let transport = try Outgoing.transport(relay, clock: clock.clock)
        for (index, minutes) in [1, 2, 4, 8, 15, 15, 15].enumerated() {
            #expect(Outgoing.told(await transport.send(Outgoing.mail())) == "stalled: 554 closed")
            clock.advance(by: "\(minutes * 60 - 1)s")
            #expect(Outgoing.told(await transport.send(Outgoing.mail())) == "stalled: 554 closed")
            #expect(relay.heard.connections == index + 1)
            clock.advance(by: "1s")
        }
        #expect(await transport.send(Outgoing.mail()) == .sent)
        #expect(await transport.send(Outgoing.mail()) == .sent)
    }

    @Test func `where all are of no use, all reasons are told`() async throws {
        let first = try await ScriptedRelay { $0.verb == "greeting" ? .say("554 closed") : nil }
        let second = try await ScriptedRelay { $0.verb == "MAIL" ? .say("550 not you") : nil }
        let transport = try Outgoing.transport(first, second)
        #expect(Outgoing.told(await transport.send(Outgoing.mail())) == "stalled: 554 closed; 550 not you")
    }

    @Test func `a relay that does not listen stalls`() async throws {
        // A port that was given up may be another test's by now; nobody is given this one.
        let transport = try Outgoing.transport(try await ScriptedRelay()) { $0.port = 1 }
        let told = Outgoing.told(await transport.send(Outgoing.mail()))
        #expect(told == "stalled: it cannot be reached (Connection refused)")
    }

    @Test func `what one relay has seen whole is not shown to another`() async throws {
        let first = try await ScriptedRelay { $0.verb == "dot" ? .say("554 Email address is not verified") : nil }
        let second = try await ScriptedRelay()
        let seen = Counter()
        let told = await (try Outgoing.transport(first, second)).send(Outgoing.mail()) { seen.add() }
        #expect(Outgoing.told(told) == "stalled: 554 Email address is not verified")
        #expect(seen.count == 1 && second.heard.connections == 0)
    }

    @Test func `relaying denied closes the way until the relay has taken a recipient`() async throws {
        let relay = try await ScriptedRelay { cue in
            cue.line.contains("b.example") ? .say("554 5.7.1 Relay access denied") : nil
        }
        let clock = StoppedClock(at: "2026-03-02 09:00:00")
        let transport = try Outgoing.transport(relay, clock: clock.clock)
        let mail = Outgoing.mail(to: "bob@b.example")
        #expect(Outgoing.told(await transport.send(mail)) == "stalled: 554 5.7.1 Relay access denied")
        clock.advance(by: "60s")
        #expect(await transport.send(Outgoing.mail()) == .sent)
        #expect(Outgoing.told(await transport.send(mail)) == "blocked: 554 5.7.1 Relay access denied")
    }
}
