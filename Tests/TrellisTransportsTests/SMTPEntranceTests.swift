import Foundation
import NIOSSL
import Testing
import TrellisKernel

@testable import TrellisTransports

/// Encryption and passwords: how a session begins.
@Suite final class SMTPEntranceTests {
    private let file = NSTemporaryDirectory() + "authority-\(UUID().uuidString).pem"
    private let authority: TestAuthority

    init() throws {
        authority = try TestAuthority()
        try Data(authority.pem.utf8).write(to: URL(filePath: file))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: file)
    }

    private func told(
        _ names: [String] = ["localhost"], implicit: Bool = false, host: String = "localhost", trusts: Bool = true,
        offers: [String] = ["STARTTLS"], offersEncrypted: [String] = ["AUTH LOGIN PLAIN"], login: String? = nil,
        answer: @escaping @Sendable (ScriptedRelay.Cue) -> ScriptedRelay.Action? = { _ in nil }
    ) async throws -> (told: String, relay: ScriptedRelay) {
        var script = ScriptedRelay.Script()
        script.offers = offers
        script.offersEncrypted = offersEncrypted
        script.encryption = (try authority.context(for: names), implicit)
        script.answer = answer
        let relay = try await ScriptedRelay(script)
        var timeouts = SMTPTimeouts()
        timeouts.command = .seconds(20)
        let transport = try Outgoing.transport(relay, timeouts: timeouts) { settings in
            settings.host = host
            settings.encryption = implicit ? .implicit : .starttls
            settings.authority = trusts ? self.file : nil
            if let login {
                settings.username = "acme"
                settings.password = login
            }
        }
        return (Outgoing.told(await transport.send(Outgoing.mail())), relay)
    }

    // MARK: - Encryption

    @Test func `STARTTLS encrypts before anything is said`() async throws {
        let (told, relay) = try await told()
        #expect(told == "sent")
        #expect(relay.verbs == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA"])
    }

    @Test func `implicit TLS is encrypted from the first byte`() async throws {
        let (told, relay) = try await told(implicit: true)
        #expect(told == "sent")
        #expect(relay.verbs == ["EHLO", "MAIL", "RCPT", "DATA"])
    }

    @Test(arguments: [false, true])
    func `a certificate of another name is refused`(_ implicit: Bool) async throws {
        let (told, relay) = try await told(["other.example"], implicit: implicit)
        #expect(told.hasPrefix("stalled: the encrypted connection failed ("), "\(told)")
        #expect(!relay.verbs.contains("MAIL"))
    }

    @Test(arguments: [false, true])
    func `an authority nobody knows is refused`(_ implicit: Bool) async throws {
        let (told, relay) = try await told(implicit: implicit, trusts: false)
        #expect(told.hasPrefix("stalled: the encrypted connection failed ("), "\(told)")
        #expect(!relay.verbs.contains("MAIL"))
    }

    @Test func `a name does not stand for an address`() async throws {
        let (told, _) = try await told(["localhost"], host: "127.0.0.1")
        #expect(told.hasPrefix("stalled: the encrypted connection failed ("), "\(told)")
    }

    @Test func `without STARTTLS nothing is said in the clear`() async throws {
        let (told, relay) = try await told(offers: ["SIZE"], login: "secret")
        #expect(
            told == "stalled: it offers no STARTTLS. Say tls: implicit where it is encrypted from the start.")
        #expect(relay.verbs == ["EHLO"])
    }

    @Test func `what was said behind the 220 in the clear is not believed`() async throws {
        let (told, relay) = try await told(answer: {
            $0.verb == "STARTTLS" ? .say("220 go\r\n250-relay\r\n250 AUTH PLAIN") : nil
        })
        #expect(told.hasPrefix("stalled: "))
        #expect(!relay.verbs.contains("MAIL"))
    }

    @Test func `a relay that cannot encrypt after all is not entered`() async throws {
        let (told, _) = try await told(answer: { $0.verb == "STARTTLS" ? .say("454 4.7.0 not now") : nil })
        #expect(told == "stalled: 454 4.7.0 not now")
    }

    // MARK: - Passwords

    @Test func `PLAIN goes before LOGIN`() async throws {
        let (told, relay) = try await told(login: "secret")
        #expect(told == "sent")
        #expect(relay.heard.lines.contains("AUTH PLAIN " + Data("\0acme\0secret".utf8).base64EncodedString()))
    }

    @Test func `LOGIN will do`() async throws {
        let (told, relay) = try await told(offersEncrypted: ["AUTH LOGIN"], login: "sécret")
        #expect(told == "sent")
        let lines = relay.heard.lines
        let index = try #require(lines.firstIndex(of: "AUTH LOGIN"))
        #expect(lines[(index + 1)...(index + 2)] == ["YWNtZQ==", Data("sécret".utf8).base64EncodedString()][...])
    }

    @Test func `a password nobody asks for stays here`() async throws {
        let (told, relay) = try await told(offersEncrypted: ["AUTH XOAUTH2"], login: "secret")
        #expect(told == "stalled: it offers no way to give a password that is known here (AUTH PLAIN or LOGIN).")
        #expect(!relay.verbs.contains("AUTH"))
    }

    @Test(arguments: ["AUTH PLAIN", "AUTH LOGIN"])
    func `a wrong password closes the way, and no reason tells it`(_ offer: String) async throws {
        let plain = Data("\0acme\0hunter22".utf8).base64EncodedString()
        let (told, _) = try await told(offersEncrypted: [offer], login: "hunter22") { cue in
            guard cue.verb == "AUTH" && cue.line.contains("PLAIN") || cue.verb == "secret" && cue.before == 1 else {
                return nil
            }
            return .say("535 5.7.8 \(cue.line) hunter22 \(plain) is wrong")
        }
        #expect(told.hasPrefix("stalled: 535 5.7.8 ") && told.hasSuffix(" is wrong"), "\(told)")
        #expect(!told.contains("hunter22") && !told.contains(plain))
        #expect(!told.contains(Data("hunter22".utf8).base64EncodedString()))
    }
}
