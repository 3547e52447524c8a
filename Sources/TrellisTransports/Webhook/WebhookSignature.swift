import Crypto
import Foundation
import TrellisKernel

/// The headers that say from whom a webhook comes (https://www.standardwebhooks.com, version 1).
struct WebhookSignature: Sendable {
    let id: String
    /// Seconds since 1970.
    let timestamp: Int
    let body: [UInt8]
    /// Several while a secret is changed: the receiver takes whichever it knows.
    let secrets: [String]

    var headers: [(name: String, value: String)] {
        let text = Array("\(id).\(timestamp).".utf8) + body
        let signatures = secrets.compactMap(WebhookSettings.key).map { key in
            let code = HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key))
            return "v1," + Data(code).base64EncodedString()
        }
        return [
            ("webhook-id", id), ("webhook-timestamp", String(timestamp)),
            ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }
}
