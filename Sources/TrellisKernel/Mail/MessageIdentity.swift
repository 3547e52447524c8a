import Foundation

/// The identity of a message, the same at every attempt: `42.0123456789abcdef`. It is the left side of the Message-ID,
/// the name of the file, the id of a webhook.
///
/// A reply or a complaint is known by it, so nobody must be able to make up that of a mail they have not seen: the
/// second half is a keyed hash of the row and its intent under the site's secret. A site without one has a plain hash.
struct MessageIdentity: Sendable {
    /// The secret of today, then those of before.
    private let secrets: [String]

    /// 64 bit: each guess is a mail.
    private static let digits = 16

    init(config: Config) {
        secrets = config.site.site.secret.map { [$0] + config.site.site.olderSecrets } ?? []
    }

    func text(of message: Int64, key: String) -> String {
        "\(message).\(secrets.first.map { hash(message, key, $0) } ?? StableHash.hex(key))"
    }

    /// Whether a message that claims to be this one is. Compared in constant time.
    func isRight(_ hash: String, of message: Int64, key: String) -> Bool {
        if secrets.isEmpty { return Signature.isSame(hash, StableHash.hex(key)) }
        return secrets.contains { Signature.isSame(hash, self.hash(message, key, $0)) }
    }

    private func hash(_ message: Int64, _ key: String, _ secret: String) -> String {
        String(Signature.hex(Array("trellis.1.message.\(message).\(key)".utf8), key: secret).prefix(Self.digits))
    }
}
