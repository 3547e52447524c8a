import Foundation
import TrellisKernel

/// Signs each mail right before another transport carries it. What the outbox keeps is the mail without signatures,
/// so that a key that was changed meanwhile signs it.
public struct SigningTransport: Transport {
    private let carrier: any Transport
    private let signatures: [DKIMSignature]
    private let clock: KernelClock

    public init(_ carrier: any Transport, signatures: [DKIMSignature], clock: KernelClock = .system) {
        self.carrier = carrier
        self.signatures = signatures
        self.clock = clock
    }

    public var name: String { carrier.name }
    public var isIdempotent: Bool { carrier.isIdempotent }
    public var connectionsMax: Int { carrier.connectionsMax }

    public func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
        let bytes: [UInt8]
        do {
            // The very bytes that go over the wire: a line end put right after signing would break the signature.
            let content = try MailWire.normalised(message.bytes)
            let time = Int(clock.now().timeIntervalSince1970)
            // Each signs the message itself, and stands in front of those before it.
            bytes = try signatures.reversed().reduce(into: content) { bytes, signature in
                bytes = try signature.field(for: content, at: time) + bytes
            }
        } catch let problem as MailWireProblem {
            return .refused(because: "\(problem)")
        } catch {
            return .stalled(because: "the mail could not be signed: \(error)")
        }
        let signed = RenderedMessage(
            id: message.id, stableID: message.stableID, recipient: message.recipient,
            returnPath: message.returnPath, bytes: bytes)
        return await carrier.send(signed, handingOver: handingOver)
    }

    public func close() async { await carrier.close() }
}
