import Crypto
import Foundation

/// The return address of each mail, which nobody can make up: `bounces+42-0123456789abcdef@acme.example`.
///
/// Servers send what they cannot deliver to the address of the envelope. Since every mail has its own (variable
/// envelope return paths, https://cr.yp.to/proto/verp.txt), a bounce says by its recipient which mail it is about,
/// whatever else it says; and since a keyed hash stands in it, nobody can forge a bounce of somebody else's mail.
///
/// All is in lower case, and read in any case, because some relays change it.
public struct BounceAddress: Sendable {
    /// The local part before the plus sign.
    private let base: String
    private let domain: String
    /// Of the secret of today, then of the older ones.
    private let keys: [SymmetricKey]

    /// 64 octets (RFC 5321 section 4.5.3.1.1) without the sign, an id of 19 digits, the hyphen and the hash.
    static let baseBytesMax = 64 - 1 - 19 - 1 - macDigits
    /// 64 bit: each guess is a mail.
    private static let macDigits = 16

    /// - Returns: nil where `mail.returns` is not set, or the site has no secret: then bounces go to the sender, and
    ///   are known by the identity of the mail they bring back.
    public init?(config: Config) {
        guard let returns = config.site.mail.returns, let parts = BounceAddress.parts(of: returns),
            let secret = config.site.site.secret
        else { return nil }
        (base, domain) = parts
        keys = ([secret] + config.site.site.olderSecrets).map { secret in
            let label = Data("trellis.1.bounce".utf8)
            return SymmetricKey(
                data: HMAC<SHA256>.authenticationCode(for: label, using: SymmetricKey(data: Data(secret.utf8))))
        }
    }

    /// Where bounces of a message of the outbox go: the envelope sender (`MAIL FROM`). Always the same for a message.
    public func address(for messageID: Int64) -> String {
        "\(base)+\(token(for: messageID))@\(domain)"
    }

    /// The id and its keyed hash: what stands between the plus sign and the @. Also fit for `ENVID` (RFC 3461).
    public func token(for messageID: Int64) -> String {
        "\(messageID)-\(BounceAddress.mac(String(messageID), keys[0]))"
    }

    /// The message that was sent from this address; nil where it is no address of ours, or was made up.
    public func messageID(of address: String) -> Int64? {
        let localPart = address.lowercased().split(separator: "@", omittingEmptySubsequences: false).first ?? ""
        guard localPart.utf8.count <= 64, localPart.hasPrefix("\(base)+") else { return nil }
        return messageID(ofToken: String(localPart.dropFirst(base.count + 1)))
    }

    /// The message a token was made for; nil where it was made up. Compared in constant time.
    public func messageID(ofToken token: String) -> Int64? {
        let parts = token.lowercased().split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let id = Int64(parts[0]), String(id) == parts[0],
            keys.contains(where: { Signature.isSame(String(parts[1]), BounceAddress.mac(String(parts[0]), $0)) })
        else { return nil }
        return id
    }

    private static func mac(_ id: String, _ key: SymmetricKey) -> String {
        Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: Data(id.utf8), using: key).prefix(macDigits / 2))
    }

    /// The two sides of `mail.returns` in lower case; nil where it is not fit for it.
    static func parts(of returns: String) -> (base: String, domain: String)? {
        guard let mailbox = MailAddress(parsing: returns), mailbox.name.isEmpty, mailbox.address == returns else {
            return nil
        }
        let sides = returns.lowercased().split(separator: "@")
        guard sides.count == 2, sides[0].utf8.count <= baseBytesMax else { return nil }
        return (String(sides[0]), String(sides[1]))
    }
}
