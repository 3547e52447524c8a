import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import TrellisKernel

/// Reads documents of the web over HTTPS, from addresses that lie on the web and not inside a house (CWE-918), and
/// follows no redirects.
public enum HTTPReader {
    /// From the look-up of the name to the last byte.
    static let secondsMax: Int64 = 15

    public static let system = reader()

    static func reader(
        allowsPrivate: Bool = false, lookup: AddressLookup = .system, authorities: [NIOSSLCertificate] = []
    ) -> WebReader {
        WebReader { url, headers in
            let gate = WebAddressGuard(allowsPrivate: allowsPrivate)
            let target: WebAddressGuard.Target
            let address: ClientAddress
            do throws(WebAddressGuard.Problem) {
                target = try gate.target(of: url)
                address = try await gate.address(of: target, lookup)
            } catch {
                throw WebReaderProblem("the address: \(error)")
            }
            var request = HTTPClientRequest(url: url)
            request.headers.add(name: "user-agent", value: "Trellis")
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            let client = HTTPClient(
                eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
                configuration: .toward(target, at: address, seconds: secondsMax, authorities: authorities))
            let answer: Result<WebReader.Answer, WebReaderProblem>
            do {
                let reply = try await client.execute(request, timeout: .seconds(secondsMax))
                let body = try await reply.body.collect(upTo: WebReader.bytesMax)
                answer = .success(.init(status: Int(reply.status.code), body: Array(body.readableBytesView)))
            } catch is NIOTooManyBytesError {
                answer = .failure(WebReaderProblem("\(target.host) answered with too much"))
            } catch {
                answer = .failure(WebReaderProblem("\(target.host): \(WebhookTransport.words(error))"))
            }
            try? await client.shutdown()
            return try answer.get()
        }
    }
}
