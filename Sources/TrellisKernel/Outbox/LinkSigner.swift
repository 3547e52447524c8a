import Crypto
import Foundation

/// Signs what stands in links, so that nobody can guess or change one. The purpose is part of what is signed: a link to
/// unsubscribe is no link to download.
public struct LinkSigner: Sendable {
    private let key: SymmetricKey

    /// - Throws: ``KernelError/noSecret`` while the site has no secret.
    public init(secret: String?) throws {
        guard let secret else { throw KernelError.noSecret }
        key = SymmetricKey(data: Data(secret.utf8))
    }

    /// `subject.MAC`, safe in a URL. The MAC is HMAC-SHA-256 cut to 128 bits (RFC 2104 section 5).
    public func token(purpose: String, subject: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: LinkSigner.message(purpose, subject), using: key)
        return subject + "." + LinkSigner.base64(Array(code.prefix(16)))
    }

    /// The subject of a token; nil where it was not signed here for this purpose. Compared in constant time.
    public func subject(of token: String, purpose: String) -> String? {
        guard let dot = token.lastIndex(of: "."), token.utf8.count <= 500 else { return nil }
        let subject = String(token[..<dot])
        let expected = Array(self.token(purpose: purpose, subject: subject).utf8)
        let given = Array(token.utf8)
        guard expected.count == given.count else { return nil }
        let difference = zip(expected, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        return difference == 0 ? subject : nil
    }

    /// A keyed hash of an address, by which an erased person is kept out.
    func hash(ofAddress address: String) -> String {
        HMAC<SHA256>.authenticationCode(for: LinkSigner.message("address", address.lowercased()), using: key)
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func message(_ purpose: String, _ subject: String) -> Data {
        // The length keeps one purpose from reaching into the subject of another.
        Data("trellis.1.\(purpose.utf8.count).\(purpose).\(subject)".utf8)
    }

    /// Base 64 for URLs, without padding (RFC 4648 section 5).
    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }
}
