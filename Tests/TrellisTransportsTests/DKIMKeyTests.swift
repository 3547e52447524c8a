import CryptoExtras
import Foundation
import Testing

@testable import TrellisTransports

@Suite struct DKIMKeyTests {
    /// As `openssl genpkey -algorithm ed25519` writes it, with the key of RFC 8463.
    private static let ed25519 = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----
        """

    @Test func `an Ed25519 key is read and shows its public half`() throws {
        let key = try DKIMKey(pem: DKIMKeyTests.ed25519)
        #expect(key.algorithm == "ed25519-sha256")
        #expect(key.dnsRecord == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    }

    @Test func `an RSA key is read as PKCS#8 and as PKCS#1`() throws {
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let der = rsa.derRepresentation.base64EncodedString(options: [.lineLength64Characters])
        let older = "-----BEGIN RSA PRIVATE KEY-----\n\(der)\n-----END RSA PRIVATE KEY-----\n"
        for pem in [rsa.pemRepresentation, rsa.pkcs8PEMRepresentation, older] {
            let key = try DKIMKey(pem: pem)
            #expect(key.algorithm == "rsa-sha256")
            #expect(
                key.dnsRecord == "v=DKIM1; k=rsa; p=" + rsa.publicKey.derRepresentation.base64EncodedString())
        }
    }

    @Test func `a short key is refused`() throws {
        let pem = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).pemRepresentation
        #expect(throws: DKIMKey.Problem.tooShort(bits: 1024)) { try DKIMKey(pem: pem) }
        #expect(
            "\(DKIMKey.Problem.tooShort(bits: 1024))"
                == "the RSA key has 1024 bits; receivers ask for 2048 or more. Make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out dkim.pem"
        )
    }

    @Test(arguments: [
        ("", DKIMKey.Problem.notPEM), ("ssh-ed25519 AAAA", .notPEM), ("-----BEGIN PRIVATE KEY-----\nAAAA", .notPEM),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", .notAKey),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", .notPEM),
        ("-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----", .notPEM),
    ])
    func `what is no private key is refused`(_ pem: String, _ problem: DKIMKey.Problem) {
        #expect(throws: problem) { try DKIMKey(pem: pem) }
    }
}
