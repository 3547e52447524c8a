import Foundation
import NIOPosix
import Synchronization
import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite struct SMTPSessionTests {
    private struct Stop: Error {}

    /// Sends one mail to a relay that says one thing in place of the usual.
    private func told(
        _ verb: String, _ action: ScriptedRelay.Action, timeouts: SMTPTimeouts = SMTPTimeouts()
    ) async throws -> String {
        let relay = try await ScriptedRelay { $0.verb == verb ? action : nil }
        return Outgoing.told(await (try Outgoing.transport(relay, timeouts: timeouts)).send(Outgoing.mail()))
    }

    // MARK: - The good way

    @Test func `a mail goes with its envelope, and arrives as it was`() async throws {
        let relay = try await ScriptedRelay()
        let mail = Outgoing.mail(body: "one\r\n.\r\n..two\r\n\r\nthree\r\n")
        #expect(await (try Outgoing.transport(relay)).send(mail) == .sent)
        #expect(
            relay.heard.lines == [
                "EHLO acme.example", "MAIL FROM:<bounce@acme.example> SIZE=\(mail.bytes.count)",
                "RCPT TO:<ann@lee.example>", "DATA",
            ])
        #expect(relay.heard.messages == [mail.bytes])
    }

    @Test(arguments: ScriptedRelay.Strictness.allCases)
    func `whatever a server takes for a line, it gets one mail`(_ strictness: ScriptedRelay.Strictness) async throws {
        var script = ScriptedRelay.Script()
        script.strictness = strictness
        let relay = try await ScriptedRelay(script)
        let transport = try Outgoing.transport(relay)
        let bodies = [
            "a\r\n.\r\nMAIL FROM:<evil@b.example>\r\n", "a\n.\nMAIL FROM:<evil@b.example>\n", ".", ".\n.\n",
            "a\n.\r\nb",
            "a\r\n.\nb", "\r\n\r\n.\r\n\r\n", "..\r\n", "",
        ]
        for body in bodies { #expect(await transport.send(Outgoing.mail(body: body)) == .sent) }
        #expect(relay.heard.messages.count == bodies.count)
        for (message, body) in zip(relay.heard.messages, bodies) {
            #expect(message == (try MailWire.normalised(Outgoing.mail(body: body).bytes)))
        }
        #expect(relay.verbs.count { $0 == "MAIL" } == bodies.count)
        for body in ["a\r.\rb", "a\n.\rb", "a\r\n.\r", "a\r.\r\nb"] {
            #expect(Outgoing.told(await transport.send(Outgoing.mail(body: body))).hasPrefix("refused: "))
        }
        #expect(relay.heard.messages.count == bodies.count)
    }

    @Test func `a large mail goes in blocks`() async throws {
        let relay = try await ScriptedRelay()
        let mail = Outgoing.mail(body: String(repeating: "a line of some length, said often\r\n", count: 60_000))
        #expect(await (try Outgoing.transport(relay)).send(mail) == .sent)
        #expect(relay.heard.messages == [mail.bytes])
    }

    @Test func `replies may come byte by byte and in many lines`() async throws {
        let relay = try await ScriptedRelay { cue in
            switch cue.verb {
            case "greeting": .trickle("220-relay.example\r\n220-is slow\r\n220 today")
            case "EHLO": .trickle("250-relay.example\r\n250 SIZE")
            case "DATA": .trickle("354 go")
            default: .trickle("250-2.0.0 good\r\n250 2.0.0 so far")
            }
        }
        #expect(await (try Outgoing.transport(relay)).send(Outgoing.mail()) == .sent)
    }

    // MARK: - A reply at each stage

    @Test(arguments: [
        ("greeting", "554 5.3.2 no service", "stalled: 554 5.3.2 no service"),
        ("greeting", "421 too many connections", "stalled: 421 too many connections"),
        ("greeting", "250 what", "stalled: an answer that has no place here: 250 what"),
        ("EHLO", "550 no", "stalled: 550 no"), ("EHLO", "421 no", "stalled: 421 no"),
        ("MAIL", "550 5.7.1 not you", "stalled: 550 5.7.1 not you"), ("MAIL", "451 later", "stalled: 451 later"),
        ("MAIL", "421 4.3.0 going", "stalled: 421 4.3.0 going"),
        ("MAIL", "552 5.3.4 large", "refused: 552 5.3.4 large"),
        ("RCPT", "550 5.1.1 nobody", "undeliverable: 550 5.1.1 nobody"),
        ("RCPT", "550 5.2.1 off", "refused: 550 5.2.1 off"),
        ("RCPT", "450 greylisted", "retry: 450 greylisted"),
        ("RCPT", "450 4.7.1 too many", "slower: 450 4.7.1 too many"),
        ("RCPT", "421 4.3.2 going", "retry: 421 4.3.2 going"), ("RCPT", "251 will forward", "sent"),
        ("RCPT", "554 5.7.1 Relay access denied", "stalled: 554 5.7.1 Relay access denied"),
        ("DATA", "554 no", "refused: 554 no"), ("DATA", "451 later", "retry: 451 later"),
        ("DATA", "421 x", "retry: 421 x"),
        ("DATA", "250 what", "retry: an answer that has no place here: 250 what"),
        ("dot", "554 5.7.1 spam", "blocked: 554 5.7.1 spam"), ("dot", "451 4.3.0 later", "retry: 451 4.3.0 later"),
        ("dot", "421 4.3.0 going", "retry: 421 4.3.0 going"), ("dot", "552 large", "refused: 552 large"),
        ("dot", "354 what", "unknown: an answer that has no place here: 354 what"),
    ])
    func `what the relay says decides`(_ verb: String, _ reply: String, _ expected: String) async throws {
        #expect(try await told(verb, .say(reply)) == expected)
        #expect(try await told(verb, .sayAndDrop(reply)) == expected || !"45".contains(reply.prefix(1)))
    }

    // MARK: - A connection lost at each stage

    private static let before = [
        ("greeting", "stalled"), ("EHLO", "stalled"), ("MAIL", "stalled"), ("RCPT", "retry"), ("DATA", "retry"),
        ("dot", "unknown"),
    ]

    @Test(arguments: before) func `a connection that is lost before the dot leaves nothing behind`(
        _ verb: String, _ kind: String
    ) async throws {
        let after = kind == "unknown" ? " after the message was handed over" : ""
        #expect(try await told(verb, .drop) == "\(kind): it closed the connection\(after)")
    }

    @Test(arguments: before) func `and so does silence`(_ verb: String, _ kind: String) async throws {
        var timeouts = SMTPTimeouts()
        switch verb {
        case "greeting": timeouts.greeting = .seconds(1)
        case "DATA": timeouts.data = .seconds(1)
        case "dot": timeouts.finalDot = .seconds(1)
        // It is the time of EHLO too, which a busy machine has to answer within it.
        default: timeouts.command = .seconds(5)
        }
        let told = try await told(verb, .silence, timeouts: timeouts)
        #expect(told.hasPrefix("\(kind): it did not answer in time ("), "\(told)")
    }

    @Test(arguments: before) func `and so does noise`(_ verb: String, _ kind: String) async throws {
        for noise in ["HTTP/1.1 400 Bad", String(repeating: "y", count: 100_000), "2"] {
            let told = try await told(verb, .say(noise))
            #expect(told.hasPrefix("\(kind): its answer is not that of a mail server"), "\(told)")
        }
    }

    @Test func `a relay that says no while the message still comes is heard`() async throws {
        let relay = try await ScriptedRelay { $0.verb == "DATA" ? .say("354 go\r\n552 5.3.4 enough") : nil }
        let told = Outgoing.told(await (try Outgoing.transport(relay)).send(Outgoing.mail()))
        #expect(told == "refused: 552 5.3.4 enough")
        #expect(relay.heard.messages.isEmpty)
    }

    // MARK: - Handing over

    @Test func `the caller is told once, when all but the dot is there`() async throws {
        let relay = try await ScriptedRelay()
        let seen = Counter()
        let delivery = await (try Outgoing.transport(relay)).send(Outgoing.mail()) {
            #expect(relay.heard.messages.isEmpty && relay.heard.counts["dot"] == nil)
            seen.add()
        }
        #expect(delivery == .sent && seen.count == 1 && relay.heard.messages.count == 1)
    }

    @Test func `where the caller says no, the dot is not sent`() async throws {
        let relay = try await ScriptedRelay()
        let transport = try Outgoing.transport(relay)
        let told = Outgoing.told(await transport.send(Outgoing.mail()) { throw Stop() })
        #expect(told == "retry: the message was held back before it was handed over: Stop()")
        #expect(await transport.send(Outgoing.mail(2)) == .sent)
        #expect(relay.heard.messages == [Outgoing.mail(2).bytes])
        #expect(relay.heard.connections == 2)
    }

    @Test func `a relay that leaves while the caller is told gets no dot, and nothing is unknown`() async throws {
        let relay = try await ScriptedRelay()
        let access = try RelayAccess(
            relay.settings, hello: "acme.example", timeouts: SMTPTimeouts(), authorities: [],
            on: MultiThreadedEventLoopGroup.singleton)
        var session = try await SMTPSession.open(access)
        let line = session.line
        let outcome = await session.send(try SMTPEnvelope(Outgoing.mail()), isProven: true) {
            try await relay.hangUp()
            while await line.isIdle { await Task.yield() }
        }
        guard case .settled(let delivery) = outcome else {
            Issue.record("the connection counts as stale")
            return
        }
        #expect(delivery == .retry(because: "it closed the connection before the final dot"))
        #expect(relay.heard.messages.isEmpty)
    }

    @Test func `a message refused before the dot is never handed over`() async throws {
        let relay = try await ScriptedRelay { $0.verb == "RCPT" ? .say("550 5.1.1 nobody") : nil }
        let seen = Counter()
        _ = await (try Outgoing.transport(relay)).send(Outgoing.mail()) { seen.add() }
        #expect(seen.count == 0)
    }

    // MARK: - What the relay offers

    @Test(arguments: [
        (
            ["SIZE 50"], "refused: the message has \(Outgoing.mail().bytes.count) bytes, and the relay takes 50.",
            "a@b.example", "x"
        ),
        (["SIZE 0"], "sent", "a@b.example", "x"), (["SIZE"], "sent", "a@b.example", "x"),
        ([], "sent", "a@b.example", "x"),
        (
            [], "refused: the address is not ASCII, and the relay takes no such addresses (SMTPUTF8).",
            "jörg@b.example", "x"
        ),
        (["8BITMIME", "SMTPUTF8"], "sent", "jörg@b.example", "x"),
        (
            [], "refused: the message holds bytes beyond ASCII, and the relay takes none (8BITMIME). Encode it.",
            "a@b.example", "ü"
        ),
        (["8bitmime"], "sent", "a@b.example", "ü"),
    ])
    func `nothing is sent that the relay does not take`(
        _ offers: [String], _ expected: String, _ recipient: String, _ body: String
    ) async throws {
        var script = ScriptedRelay.Script()
        script.offers = offers
        let relay = try await ScriptedRelay(script)
        let mail =
            offers == ["SIZE 50"] ? Outgoing.mail() : Outgoing.mail(to: recipient, body: body + "\r\n")
        #expect(Outgoing.told(await (try Outgoing.transport(relay)).send(mail)) == expected)
        let command = relay.heard.lines.first { $0.hasPrefix("MAIL") } ?? ""
        #expect(command.contains("SMTPUTF8") == (expected == "sent" && recipient.contains("ö")))
        #expect(command.contains("BODY=8BITMIME") == (expected == "sent" && offers.first?.uppercased() == "8BITMIME"))
    }
}

/// Counts what happened on whatever thread.
final class Counter: Sendable {
    private let value = Mutex(0)
    func add() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
}
