import TrellisKernel
import TrellisTesting

@testable import TrellisTransports

/// Messages and transports as the tests of this folder need them.
enum Outgoing {
    static func mail(
        _ id: Int64 = 1, to recipient: String = "ann@lee.example", body: String = "Hello\r\n",
        returnPath: String = "bounce@acme.example"
    ) -> RenderedMessage {
        let head = "From: Acme <hello@acme.example>\r\nTo: \(recipient)\r\nSubject: Hi\r\n\r\n"
        return RenderedMessage(
            id: id, stableID: "\(id).abc", recipient: recipient, returnPath: returnPath,
            bytes: Array((head + body).utf8))
    }

    static func transport(
        _ relays: ScriptedRelay..., timeouts: SMTPTimeouts = SMTPTimeouts(), clock: KernelClock = .system,
        change: (inout MailRelay) -> Void = { _ in }
    ) throws -> SMTPTransport {
        try SMTPTransport(
            relays: relays.map { relay in
                var settings = relay.settings
                change(&settings)
                return settings
            },
            hello: "acme.example", timeouts: timeouts, clock: clock)
    }

    /// The kind of a delivery and its reason, without the relay's name in front.
    static func told(_ delivery: Delivery) -> String {
        let (kind, reason) =
            switch delivery {
            case .sent: ("sent", "")
            case .retry(let reason): ("retry", reason)
            case .slower(let reason): ("slower", reason)
            case .stalled(let reason): ("stalled", reason)
            case .refused(let reason): ("refused", reason)
            case .blocked(let reason): ("blocked", reason)
            case .undeliverable(let reason): ("undeliverable", reason)
            case .unknown(let reason): ("unknown", reason)
            }
        let bare = reason.replacing("127.0.0.1: ", with: "").replacing("localhost: ", with: "")
        return bare.isEmpty ? kind : "\(kind): \(bare)"
    }
}

extension Transport {
    /// Sends without anything to do before the message is handed over.
    func send(_ message: RenderedMessage) async -> Delivery { await send(message) {} }
}
