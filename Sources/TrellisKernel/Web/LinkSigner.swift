import Crypto
import Foundation
import Synchronization

/// Seals what stands in links, so that nobody can read, guess or change it. The purpose is part of the seal: a link to
/// unsubscribe is no link to download.
///
/// A token is a nonce, the text encrypted with ChaCha20-Poly1305 (RFC 8439), and a tag of 128 bits. The nonce is a
/// keyed hash of purpose and text, so that the same link is the same text each time it is written.
public struct LinkSigner: Sendable {
    /// The secret of today, then the older ones: what they sealed still opens.
    private let keys: [Keys]

    private struct Keys: Sendable {
        let secret: SymmetricKey
        let seal: SymmetricKey
        let nonce: SymmetricKey

        /// Derived once for each secret of the process: every mail has some links.
        private static let derived = Mutex<[String: Keys]>([:])

        static func of(_ secret: String) -> Keys {
            derived.withLock { derived in
                if let keys = derived[secret] { return keys }
                let keys = Keys(secret)
                derived[secret] = keys
                return keys
            }
        }

        private init(_ secret: String) {
            self.secret = SymmetricKey(data: Data(secret.utf8))
            seal = SymmetricKey(
                data: HMAC<SHA256>.authenticationCode(for: Data("trellis.2.seal".utf8), using: self.secret))
            nonce = SymmetricKey(
                data: HMAC<SHA256>.authenticationCode(for: Data("trellis.2.nonce".utf8), using: self.secret))
        }
    }

    /// What a token turned out to be.
    public enum Opened: Sendable, Hashable {
        case subject(String)
        /// Sealed here for this purpose, and too old.
        case expired
        /// Not sealed here, not for this purpose, or changed on its way.
        case unknown
    }

    private static let nonceBytes = 12
    private static let tagBytes = 16
    /// Longer ones are not looked at.
    static let tokenBytesMax = 2000

    /// - Parameter older: secrets of before, whose links must still work.
    /// - Throws: ``KernelError/noSecret`` while the site has no secret.
    public init(secret: String?, older: [String] = []) throws {
        guard let secret else { throw KernelError.noSecret }
        keys = ([secret] + older).map(Keys.of)
    }

    /// A text for a URL that only the site can open again. The same arguments give the same token.
    ///
    /// - Parameter expires: when it ceases to open; without it, never.
    public func token(purpose: String, subject: String, expires: Date? = nil) -> String {
        let until = expires.map { String(Int64($0.timeIntervalSince1970)) } ?? ""
        let text = Data("\(until)|\(subject)".utf8)
        let label = LinkSigner.label(purpose)
        let hash = HMAC<SHA256>.authenticationCode(for: label + text, using: keys[0].nonce)
        guard let nonce = try? ChaChaPoly.Nonce(data: Data(hash.prefix(LinkSigner.nonceBytes))),
            let box = try? ChaChaPoly.seal(text, using: keys[0].seal, nonce: nonce, authenticating: label)
        else { return "" }
        return LinkSigner.base64(box.combined)
    }

    /// Opens a token. The tag is compared in constant time.
    public func open(_ token: String, purpose: String, now: Date) -> Opened {
        guard token.utf8.count <= LinkSigner.tokenBytesMax, let data = LinkSigner.data(token),
            data.count > LinkSigner.nonceBytes + LinkSigner.tagBytes,
            let box = try? ChaChaPoly.SealedBox(combined: data)
        else { return .unknown }
        for key in keys {
            guard let text = try? ChaChaPoly.open(box, using: key.seal, authenticating: LinkSigner.label(purpose)),
                let parts = String(validating: text, as: UTF8.self)?.split(
                    separator: "|", maxSplits: 1, omittingEmptySubsequences: false), parts.count == 2
            else { continue }
            if let until = Int64(parts[0]), now.timeIntervalSince1970 >= Double(until) { return .expired }
            return .subject(String(parts[1]))
        }
        return .unknown
    }

    /// Keyed hashes of an address, by which an erased person is kept out: under the secret of today first, then under
    /// the older ones.
    func hashes(ofAddress address: String) -> [String] {
        keys.map { key in
            Hexadecimal.text(
                HMAC<SHA256>.authenticationCode(
                    for: Data("trellis.1.7.address.\(address.lowercased())".utf8), using: key.secret))
        }
    }

    /// The length keeps one purpose from reaching into the text of another.
    private static func label(_ purpose: String) -> Data {
        Data("trellis.2.\(purpose.utf8.count).\(purpose).".utf8)
    }

    /// Base 64 for URLs, without padding (RFC 4648 section 5).
    private static func base64(_ bytes: Data) -> String {
        var text = [UInt8](bytes.base64EncodedData())
        for (index, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "+"): text[index] = UInt8(ascii: "-")
            case UInt8(ascii: "/"): text[index] = UInt8(ascii: "_")
            default: break
            }
        }
        return String(decoding: text.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }

    /// The bytes of a text written as above, and in no other way.
    private static func data(_ token: String) -> Data? {
        var plain: [UInt8] = []
        plain.reserveCapacity(token.utf8.count + 3)
        for byte in token.utf8 {
            switch byte {
            case UInt8(ascii: "-"): plain.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): plain.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"): return nil
            default: plain.append(byte)
            }
        }
        while plain.count % 4 != 0 { plain.append(UInt8(ascii: "=")) }
        guard let data = Data(base64Encoded: Data(plain)), base64(data) == token else { return nil }
        return data
    }
}

extension Config {
    /// The signer of this site's links.
    ///
    /// - Throws: ``KernelError/noSecret`` while the site has no secret.
    public var signer: LinkSigner {
        get throws { try LinkSigner(secret: site.site.secret, older: site.site.olderSecrets) }
    }

    /// `https://crm.acme.example/unsubscribe/TOKEN`: a link of this site, sealed for its purpose.
    public func link(_ purpose: String, _ subject: String, expires: Date? = nil) throws -> String {
        try link(purpose, purpose: purpose, subject, expires: expires)
    }

    /// The link by which a lead leaves: on the page, or by one click of a mail program.
    func link(leaving out: WayOut) throws -> String { try link("unsubscribe", out.subject) }

    /// As ``link(_:_:expires:)`` for a page whose address is not called as its purpose is.
    func link(_ page: String, purpose: String, _ subject: String, expires: Date? = nil) throws -> String {
        "\(site.site.baseURL)/\(page)/\(try signer.token(purpose: purpose, subject: subject, expires: expires))"
    }
}

extension Kernel {
    /// The signer of this site's links.
    ///
    /// - Throws: ``KernelError/noSecret`` while the site has no secret.
    public var signer: LinkSigner {
        get throws { try config.signer }
    }
}
