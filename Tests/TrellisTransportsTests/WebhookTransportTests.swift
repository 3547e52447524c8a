import Crypto
import Foundation
import NIOHTTP1
import Synchronization
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisTransports

@Suite struct WebhookTransportTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private func endpoint(_ url: String, secrets: [String] = [secret], allowsPrivate: Bool = true) -> Named<
        WebhookSettings
    > {
        var settings = WebhookSettings()
        settings.url = url
        settings.secrets = secrets
        settings.allowsPrivate = allowsPrivate
        return Named("crm", settings)
    }

    private func message(to name: String = "crm") -> RenderedMessage {
        RenderedMessage(id: 7, stableID: "7.abc", recipient: name, bytes: Array(#"{"a":1}"#.utf8))
    }

    private func told(
        _ answer: ScriptedReceiver.Answer
    ) async throws -> String {
        let receiver = try await ScriptedReceiver { _ in answer }
        let transport = WebhookTransport(endpoints: [endpoint("http://127.0.0.1:\(receiver.port)/hook")])
        return Outgoing.told(await transport.send(message()))
    }

    // MARK: - What is sent

    @Test func `the receiver gets the bytes, and headers that it can check`() async throws {
        let receiver = try await ScriptedReceiver()
        let clock = StoppedClock(at: "2026-03-02 09:00:00")
        let other = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        let url = "http://127.0.0.1:\(receiver.port)/hook?a=b"
        let transport = WebhookTransport(
            endpoints: [endpoint(url, secrets: [WebhookTransportTests.secret, other])], clock: clock.clock)
        let seen = Counter()
        #expect(await transport.send(message()) { seen.add() } == .sent)
        #expect(seen.count == 1)
        let request = try #require(receiver.requests.first)
        #expect(request.head.method == .POST && request.head.uri == "/hook?a=b")
        #expect(request.body == Array(#"{"a":1}"#.utf8))
        #expect(request.head.headers["content-type"] == ["application/json"])
        #expect(request.head.headers["webhook-id"] == ["7.abc"])
        let time = Int(clock.now.timeIntervalSince1970)
        #expect(request.head.headers["webhook-timestamp"] == [String(time)])
        let signatures = try #require(request.head.headers["webhook-signature"].first).split(separator: " ")
        #expect(signatures.count == 2)
        for (signature, key) in zip(signatures, [WebhookTransportTests.secret, other]) {
            let bytes = try #require(WebhookSettings.key(key))
            let code = HMAC<SHA256>.authenticationCode(
                for: Data("7.abc.\(time).{\"a\":1}".utf8), using: SymmetricKey(data: bytes))
            #expect(signature == "v1," + Data(code).base64EncodedString())
        }
    }

    @Test func `where the caller says no, nobody is told`() async throws {
        struct Stop: Error {}
        let receiver = try await ScriptedReceiver()
        let transport = WebhookTransport(endpoints: [endpoint("http://127.0.0.1:\(receiver.port)/")])
        let told = Outgoing.told(await transport.send(message()) { throw Stop() })
        #expect(told == "retry: the message was held back before it was handed over: Stop()")
        #expect(receiver.requests.isEmpty)
    }

    // MARK: - What is answered

    @Test(arguments: [
        (200, "sent"), (204, "sent"), (299, "sent"), (410, "refused: the receiver answered 410"),
        (400, "refused: the receiver answered 400"), (404, "refused: the receiver answered 404"),
        (408, "retry: the receiver answered 408"), (429, "retry: the receiver answered 429"),
        (500, "retry: the receiver answered 500"), (503, "retry: the receiver answered 503"),
        (302, "refused: the receiver answered 302, and redirects are not followed. Give the final URL."),
    ])
    func `the status decides`(_ status: Int, _ expected: String) async throws {
        let answer = ScriptedReceiver.Answer(status: status, headers: [("location", "http://127.0.0.1:1/")])
        #expect(try await told(answer) == expected)
    }

    @Test func `a wish to wait is told`() async throws {
        let told = try await told(ScriptedReceiver.Answer(status: 429, headers: [("retry-after", "120")]))
        #expect(told == "retry: the receiver answered 429 (Retry-After: 120)")
    }

    @Test func `a long reply is not read to its end`() async throws {
        #expect(try await told(ScriptedReceiver.Answer(status: 200, bodyBytes: 5_000_000)) == "sent")
    }

    @Test func `a receiver that does not listen is asked again`() async throws {
        let transport = WebhookTransport(endpoints: [endpoint("http://127.0.0.1:1/")])
        #expect(Outgoing.told(await transport.send(message())).hasPrefix("retry: "))
    }

    @Test func `a name that the config does not have is refused`() async {
        let told = Outgoing.told(await WebhookTransport(endpoints: []).send(message(to: "gone")))
        #expect(told == "refused: there is no webhook 'gone' in the config. Add it.")
    }

    // MARK: - Where it goes

    @Test(arguments: [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:10.0.0.1"], ["169.254.169.254"]])
    func `a name that points into the house is refused`(_ addresses: [String]) async throws {
        let receiver = try await ScriptedReceiver()
        let lookup = AddressLookup { _ in addresses.compactMap { ClientAddress($0) } }
        let transport = WebhookTransport(
            endpoints: [endpoint("https://hooks.acme.example:\(receiver.port)/", allowsPrivate: false)], lookup: lookup)
        let seen = Counter()
        let told = Outgoing.told(await transport.send(message()) { seen.add() })
        #expect(told.hasPrefix("refused: the URL of the webhook: its host lies inside a network"))
        #expect(receiver.requests.isEmpty && seen.count == 0)
    }

    @Test func `a name without an address is asked again`() async {
        let transport = WebhookTransport(
            endpoints: [endpoint("https://hooks.acme.example/", allowsPrivate: false)],
            lookup: AddressLookup { _ in [] })
        #expect(
            Outgoing.told(await transport.send(message())) == "retry: the URL of the webhook: its host has no address.")
    }

    @Test func `the connection goes to the address that was checked, under the name`() async throws {
        let authority = try TestAuthority()
        let receiver = try await ScriptedReceiver(encryption: try authority.context(for: ["hooks.acme.example"]))
        let asked = Counter()
        let lookup = AddressLookup { _ in
            asked.add()
            return ["127.0.0.1"].compactMap { ClientAddress($0) }
        }
        let url = "https://hooks.acme.example:\(receiver.port)/"
        let transport = WebhookTransport(
            endpoints: [endpoint(url)], clock: .system, lookup: lookup, authorities: [authority.certificate])
        #expect(await transport.send(message()) == .sent)
        #expect(asked.count == 1)
        #expect(receiver.requests.first?.head.headers["host"] == ["hooks.acme.example:\(receiver.port)"])
        let stranger = try await ScriptedReceiver(encryption: try authority.context(for: ["other.example"]))
        let wrong = WebhookTransport(
            endpoints: [endpoint("https://hooks.acme.example:\(stranger.port)/")], clock: .system, lookup: lookup,
            authorities: [authority.certificate])
        #expect(Outgoing.told(await wrong.send(message())).hasPrefix("retry: "))
        #expect(stranger.requests.isEmpty)
    }
}
