import Crypto
import Foundation
import NIOSSL

/// An authority that lives as long as a test, and the certificates it gives (RFC 5280, 4.1).
struct TestAuthority {
    private let key = P256.Signing.PrivateKey()
    let certificate: NIOSSLCertificate
    let pem: String

    init() throws {
        let bytes = try TestAuthority.certificate(
            for: "Test authority", key: key.publicKey, issuer: "Test authority", signedBy: key, names: nil)
        certificate = try NIOSSLCertificate(bytes: bytes, format: .der)
        let text = Data(bytes).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        pem = "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n"
    }

    /// What a server of these names needs to encrypt.
    func context(for names: [String]) throws -> NIOSSLContext {
        let own = P256.Signing.PrivateKey()
        let bytes = try TestAuthority.certificate(
            for: "server", key: own.publicKey, issuer: "Test authority", signedBy: key, names: names)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(try NIOSSLCertificate(bytes: bytes, format: .der))],
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(own.derRepresentation), format: .der))))
    }

    private static func certificate(
        for subject: String, key: P256.Signing.PublicKey, issuer: String, signedBy authority: P256.Signing.PrivateKey,
        names: [String]?
    ) throws -> [UInt8] {
        // 1.2.840.10045.4.3.2, ecdsa-with-SHA256.
        let algorithm = der(0x30, der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]))
        let validity = der(0x30, der(0x17, Array("200101000000Z".utf8)) + der(0x17, Array("491231235959Z".utf8)))
        let isAuthority = der(0x30, der(0x01, [0xff]))
        let fields: [UInt8]
        if let names {
            // 2.5.29.17, the names of the server.
            let alternatives = names.flatMap { der(0x82, Array($0.utf8)) }
            fields = der(0x30, der(0x06, [0x55, 0x1d, 0x11]) + der(0x04, der(0x30, alternatives)))
        } else {
            // 2.5.29.19, critical: it may sign others.
            fields = der(0x30, der(0x06, [0x55, 0x1d, 0x13]) + der(0x01, [0xff]) + der(0x04, isAuthority))
        }
        let serial = der(0x02, [0x01] + UUID().uuidString.utf8.prefix(7))
        let toBeSigned = der(
            0x30,
            der(0xa0, der(0x02, [2])) + serial + algorithm + name(issuer) + validity + name(subject)
                + Array(key.derRepresentation) + der(0xa3, der(0x30, fields)))
        let signature = try authority.signature(for: toBeSigned).derRepresentation
        return der(0x30, toBeSigned + algorithm + der(0x03, [0] + Array(signature)))
    }

    private static func name(_ text: String) -> [UInt8] {
        der(0x30, der(0x31, der(0x30, der(0x06, [0x55, 0x04, 0x03]) + der(0x0c, Array(text.utf8)))))
    }

    /// A tag, a length and a content (X.690, 8.1).
    private static func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        if count < 128 { return [tag, UInt8(count)] + content }
        if count < 256 { return [tag, 0x81, UInt8(count)] + content }
        return [tag, 0x82, UInt8(count >> 8), UInt8(count & 255)] + content
    }
}
