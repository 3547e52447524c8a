import Crypto
import CryptoExtras
import Foundation

/// The private key of a domain that vouches for its mails: RSA (RFC 6376) or Ed25519 (RFC 8463).
public struct DKIMKey: Sendable {
    private enum Kind: Sendable {
        case rsa(_RSA.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
    }
    private let kind: Kind

    /// Reads a private key as PEM: PKCS#8 as `openssl genpkey` writes it, or PKCS#1 for RSA.
    ///
    /// - Throws: ``Problem`` where it is no such key, or an RSA key of fewer than 2048 bits (RFC 8301, 3.2).
    public init(pem: String) throws(Problem) {
        guard let body = DKIMKey.body(of: pem) else { throw .notPEM }
        if let seed = DKIMKey.ed25519Seed(body) {
            guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { throw .notAKey }
            kind = .ed25519(key)
            return
        }
        guard let key = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: pem) else { throw .notAKey }
        guard key.keySizeInBits >= 2048 else { throw .tooShort(bits: key.keySizeInBits) }
        kind = .rsa(key)
    }

    init(ed25519 seed: [UInt8]) throws {
        kind = .ed25519(try Curve25519.Signing.PrivateKey(rawRepresentation: seed))
    }

    /// Why a file holds no key to sign with.
    public enum Problem: Error, Hashable, CustomStringConvertible {
        case notPEM, notAKey
        case tooShort(bits: Int)

        public var description: String {
            let remedy = "Make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.pem"
            return switch self {
            case .notPEM: "it is no PEM file: '-----BEGIN PRIVATE KEY-----' is missing. \(remedy)"
            case .notAKey: "it holds no private key of RSA or Ed25519, or one under a passphrase. \(remedy)"
            case .tooShort(let bits): "the RSA key has \(bits) bits; receivers ask for 2048 or more. \(remedy)"
            }
        }
    }

    /// `a=` of the signature.
    public var algorithm: String {
        switch kind {
        case .rsa: "rsa-sha256"
        case .ed25519: "ed25519-sha256"
        }
    }

    /// The public half as it stands in the DNS, at `SELECTOR._domainkey.DOMAIN` as TXT (RFC 6376, 3.6.1).
    ///
    /// A TXT record is made of strings of 255 bytes at most: most name servers cut a longer one by themselves.
    public var dnsRecord: String {
        switch kind {
        case .rsa(let key): "v=DKIM1; k=rsa; p=" + key.publicKey.derRepresentation.base64EncodedString()
        case .ed25519(let key): "v=DKIM1; k=ed25519; p=" + key.publicKey.rawRepresentation.base64EncodedString()
        }
    }

    /// RSA signs with PKCS#1 v1.5; Ed25519 signs the hash rather than the text (RFC 8463, 3).
    func sign(_ text: [UInt8]) throws -> [UInt8] {
        let digest = SHA256.hash(data: text)
        switch kind {
        case .rsa(let key):
            return Array(try key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation)
        case .ed25519(let key):
            return Array(try key.signature(for: Data(digest)))
        }
    }

    private static func body(of pem: String) -> [UInt8]? {
        let lines = pem.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        guard let first = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") && $0.hasSuffix("PRIVATE KEY-----") }),
            let last = lines[first...].firstIndex(where: { $0.hasPrefix("-----END ") })
        else { return nil }
        return Data(base64Encoded: lines[(first + 1)..<last].joined()).map(Array.init)
    }

    /// The 32 bytes of an Ed25519 key in PKCS#8: the algorithm 1.3.101.112, then an OCTET STRING in an OCTET STRING
    /// (RFC 8410, 7).
    private static func ed25519Seed(_ der: [UInt8]) -> ArraySlice<UInt8>? {
        let mark: [UInt8] = [0x02, 0x01]
        let algorithm: [UInt8] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]
        // SEQUENCE and its length, then the version in three bytes.
        guard der.count >= 48, der[0] == 0x30, der[1] < 0x80, Array(der[2..<4]) == mark,
            Array(der[5..<16]) == algorithm
        else { return nil }
        return der[16..<48]
    }
}
