import Foundation
import NIOHTTP1
import Testing
import TrellisKernel

@testable import TrellisTransports

/// What every transport promises, whatever it carries.
@Suite final class TransportConformanceTests {
    /// A transport, and how many messages arrived behind it.
    struct Way: Sendable {
        let transport: any Transport
        let arrived: @Sendable () -> Int
        let recipient: String
    }

    enum Kind: CaseIterable, Sendable {
        case file, signedFile, smtp, signedSMTP, webhook
    }

    private let folder = NSTemporaryDirectory() + "transports-\(UUID().uuidString)"

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func way(_ kind: Kind) async throws -> Way {
        let signature = DKIMSignature(
            domain: "acme.example", selector: "a", key: try DKIMKey(ed25519: Array(repeating: 7, count: 32)))
        switch kind {
        case .file, .signedFile:
            let folder = folder
            let plain = FileTransport(folder: folder)
            return Way(
                transport: kind == .file ? plain : SigningTransport(plain, signatures: [signature]),
                arrived: { (try? FileManager.default.contentsOfDirectory(atPath: folder + "/new").count) ?? 0 },
                recipient: "ann@lee.example")
        case .smtp, .signedSMTP:
            let relay = try await ScriptedRelay()
            let plain = try Outgoing.transport(relay)
            return Way(
                transport: kind == .smtp ? plain : SigningTransport(plain, signatures: [signature]),
                arrived: { relay.heard.messages.count }, recipient: "ann@lee.example")
        case .webhook:
            let receiver = try await ScriptedReceiver()
            var settings = WebhookSettings()
            settings.url = "http://127.0.0.1:\(receiver.port)/"
            settings.secrets = [String(repeating: "s", count: 32)]
            settings.allowsPrivate = true
            return Way(
                transport: WebhookTransport(endpoints: [Named("crm", settings)]),
                arrived: { Set(receiver.requests.map { $0.head.headers["webhook-id"] }).count }, recipient: "crm")
        }
    }

    @Test(arguments: Kind.allCases) func `a message arrives, and the caller is told once before`(_ kind: Kind)
        async throws
    {
        let way = try await way(kind)
        let seen = Counter()
        let delivery = await way.transport.send(Outgoing.mail(to: way.recipient)) {
            #expect(way.arrived() == 0)
            seen.add()
        }
        #expect(delivery == .sent)
        #expect(seen.count == 1)
        #expect(way.arrived() == 1)
    }

    @Test(arguments: Kind.allCases) func `a message that may not be handed over does not arrive`(_ kind: Kind)
        async throws
    {
        struct Stop: Error {}
        let way = try await way(kind)
        let delivery = await way.transport.send(Outgoing.mail(to: way.recipient)) { throw Stop() }
        #expect(Outgoing.told(delivery) == "retry: the message was held back before it was handed over: Stop()")
        #expect(way.arrived() == 0)
    }

    @Test(arguments: Kind.allCases) func `a message sent again is one where that is promised`(_ kind: Kind) async throws
    {
        let way = try await way(kind)
        for _ in 1...3 { #expect(await way.transport.send(Outgoing.mail(to: way.recipient)) == .sent) }
        #expect(way.arrived() == (way.transport.isIdempotent ? 1 : 3))
    }

    @Test(arguments: Kind.allCases) func `as many at a time as it says, and more, arrive`(_ kind: Kind) async throws {
        let way = try await way(kind)
        await withTaskGroup(of: Delivery.self) { group in
            for number in 1...(way.transport.connectionsMax * 3) {
                group.addTask { await way.transport.send(Outgoing.mail(Int64(number), to: way.recipient)) }
            }
            for await delivery in group { #expect(delivery == .sent) }
        }
        #expect(way.arrived() == way.transport.connectionsMax * 3)
        #expect((1...100).contains(way.transport.connectionsMax))
    }

    @Test func `the names are those that the outbox keeps`() async throws {
        for kind in Kind.allCases {
            #expect(try await way(kind).transport.name == (kind == .webhook ? "webhook" : "mail"))
        }
    }
}
