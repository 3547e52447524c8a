import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TrellisKernel

/// Tells programs elsewhere, with POST and the headers of Standard Webhooks. At least once: the receiver knows a
/// repetition by its `webhook-id`.
///
/// `RenderedMessage.recipient` is a name of `webhooks:`, so that a URL that was changed holds for what waits too.
public struct WebhookTransport: Transport {
    public let name = "webhook"
    public let isIdempotent = true
    public let connectionsMax = 4
    private let endpoints: [String: WebhookSettings]
    private let clock: KernelClock
    private let lookup: AddressLookup
    private let authorities: [NIOSSLCertificate]

    /// From the look-up of the name to the last byte of the reply.
    static let secondsMax: Int64 = 10
    /// Of the reply; it is read so that the connection ends well, and is not kept.
    static let replyBytesMax = 64 * 1024

    public init(
        endpoints: [Named<WebhookSettings>], clock: KernelClock = .system, lookup: AddressLookup = .system
    ) {
        self.init(endpoints: endpoints, clock: clock, lookup: lookup, authorities: [])
    }

    init(
        endpoints: [Named<WebhookSettings>], clock: KernelClock, lookup: AddressLookup,
        authorities: [NIOSSLCertificate]
    ) {
        self.endpoints = Dictionary(endpoints.map { ($0.name, $0.value) }) { first, _ in first }
        self.clock = clock
        self.lookup = lookup
        self.authorities = authorities
    }

    public func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        guard let endpoint = endpoints[message.recipient] else {
            return .refused(because: "there is no webhook '\(message.recipient.prefix(60))' in the config. Add it.")
        }
        let gate = WebAddressGuard(allowsPrivate: endpoint.allowsPrivate)
        let target: WebAddressGuard.Target
        let address: ClientAddress
        do throws(WebAddressGuard.Problem) {
            target = try gate.target(of: endpoint.url)
            address = try await gate.address(of: target, lookup)
        } catch {
            let reason = "the URL of the webhook: \(error)"
            return error == .noAddress ? .retry(because: reason) : .refused(because: reason)
        }
        do {
            try await handingOver()
        } catch {
            return .retry(because: "the message was held back before it was handed over: \(error)")
        }
        return await post(message, to: endpoint, target, at: address)
    }

    private func post(
        _ message: RenderedMessage, to endpoint: WebhookSettings, _ target: WebAddressGuard.Target,
        at address: ClientAddress
    ) async -> Delivery {
        var request = HTTPClientRequest(url: endpoint.url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "user-agent", value: "Trellis")
        let signature = WebhookSignature(
            id: message.stableID, timestamp: Int(clock.now().timeIntervalSince1970), body: message.bytes,
            secrets: endpoint.secrets)
        for (name, value) in signature.headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(message.bytes)
        let client = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: .toward(
                target, at: address, seconds: WebhookTransport.secondsMax, authorities: authorities))
        let delivery: Delivery
        do {
            let reply = try await client.execute(request, timeout: .seconds(WebhookTransport.secondsMax))
            delivery = WebhookTransport.delivery(of: Int(reply.status.code), reply.headers["retry-after"].first)
            await WebhookTransport.drain(reply.body)
        } catch {
            delivery = .retry(because: "\(target.host): \(WebhookTransport.words(error))")
        }
        try? await client.shutdown()
        return delivery
    }

    private static func drain(_ body: HTTPClientResponse.Body) async {
        var count = 0
        do {
            for try await part in body {
                count += part.readableBytes
                if count >= replyBytesMax { return }
            }
        } catch {
            // The status has said all there is to know.
        }
    }

    /// What the receiver's answer means: 410 is how it says that it wants no more (Standard Webhooks).
    static func delivery(of status: Int, _ retryAfter: String?) -> Delivery {
        let wish = retryAfter.map { " (Retry-After: \(TextCleaning.line(String($0.prefix(60)))))" } ?? ""
        let text = "the receiver answered \(status)\(wish)"
        return switch status {
        case 200..<300: .sent
        case 408, 425, 429, 500...: .retry(because: text)
        case 300..<400: .refused(because: "\(text), and redirects are not followed. Give the final URL.")
        default: .refused(because: text)
        }
    }

    static func words(_ error: any Error) -> String {
        switch SMTPLine.fault(error, step: "the request") {
        case .unreachable(let reason) where error is HTTPClientError:
            reason.contains("imeout") || reason.contains("deadline") ? "it did not answer in time" : reason
        case let fault: "\(fault)"
        }
    }
}

extension WebAddressGuard {
    /// The address to connect to. One address inside the house among them refuses all: a name that points to both is
    /// a trap.
    func address(of target: Target, _ lookup: AddressLookup) async throws(Problem) -> ClientAddress {
        let addresses: [ClientAddress]
        if let address = ClientAddress(target.host) {
            addresses = [address]
        } else {
            addresses = await lookup.addresses(target.host)
        }
        guard addresses.allSatisfy(isAllowed) else { throw .privateAddress }
        guard let first = addresses.first else { throw .noAddress }
        return first
    }
}

extension HTTPClient.Configuration {
    /// The name is for the certificate and the Host header; the connection goes to the address that was checked.
    static func toward(
        _ target: WebAddressGuard.Target, at address: ClientAddress, seconds: Int64, authorities: [NIOSSLCertificate]
    ) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if !authorities.isEmpty { tls.additionalTrustRoots = [.certificates(authorities)] }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(seconds), read: .seconds(seconds)))
        configuration.httpVersion = .http1Only
        if ClientAddress(target.host) == nil { configuration.dnsOverride = [target.host: "\(address)"] }
        return configuration
    }
}
