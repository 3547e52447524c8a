import NIOCore
import NIOPosix
import Synchronization
import TrellisKernel

/// Hands mails to a relay (RFC 5321), or to the next one where the first is of no use.
///
/// A mail is not idempotent: where the reply to its final dot is lost, nobody knows whether it went, and it is
/// ``Delivery/unknown(because:)``. A task that is cancelled finishes the mail it has in hand; the timeouts bound it.
public struct SMTPTransport: Transport {
    public let name = "mail"
    public let isIdempotent = false
    public let connectionsMax: Int
    private let relays: [SMTPRelay]
    private let clock: KernelClock

    /// - Parameters:
    ///   - relays: asked in this order; one that stalls rests for a minute, then two, up to a quarter of an hour.
    ///   - hello: how we call ourselves where a relay does not say: the domain of the sender.
    ///   - path: where a file named in the config lies.
    /// - Throws: where the file of an authority cannot be read.
    public init(
        relays: [MailRelay], hello: String, timeouts: SMTPTimeouts = SMTPTimeouts(), clock: KernelClock = .system,
        path: (String) -> String = { $0 }
    ) throws {
        self.relays = try relays.map { relay in
            let access = try RelayAccess(
                relay, hello: relay.hello ?? hello, timeouts: timeouts,
                authorities: relay.authority.map { [path($0)] } ?? [], on: MultiThreadedEventLoopGroup.singleton)
            return SMTPRelay(access, clock: clock)
        }
        connectionsMax = relays.map(\.connections).max() ?? 1
        self.clock = clock
    }

    public func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        let mail: SMTPEnvelope
        do {
            mail = try SMTPEnvelope(message)
        } catch {
            return .refused(because: error.reason)
        }
        let isHandedOver = Mutex(false)
        var reasons: [String] = []
        for relay in relays {
            if let reason = await relay.reasonToRest() {
                reasons.append(reason)
                continue
            }
            let delivery = await relay.send(mail) {
                isHandedOver.withLock { $0 = true }
                try await handingOver()
            }
            // What one relay has seen whole is not shown to another: two might take it.
            guard case .stalled(let reason) = delivery, !isHandedOver.withLock({ $0 }) else { return delivery }
            reasons.append(reason)
        }
        return .stalled(because: reasons.joined(separator: "; "))
    }

    /// Quits the connections that carry no message. The transport stays usable.
    public func close() async {
        for relay in relays { await relay.close() }
    }
}
