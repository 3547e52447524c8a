import Foundation
import Testing

@testable import TrellisKernel

@Suite struct LinkSignerTests {
    private func signer(_ secret: String = "a secret for tests only") throws -> LinkSigner {
        try LinkSigner(secret: secret)
    }

    @Test(arguments: ["17", "ann@acme.example", "a.b.c", "", "ü"])
    func `a token gives its subject back for its purpose`(_ subject: String) throws {
        let token = try signer().token(purpose: "unsubscribe", subject: subject)
        #expect(try signer().subject(of: token, purpose: "unsubscribe") == subject)
        #expect(try signer().subject(of: token, purpose: "download") == nil)
        #expect(try signer("another secret, as long").subject(of: token, purpose: "unsubscribe") == nil)
    }

    @Test func `no letter of a token can be changed`() throws {
        let token = try signer().token(purpose: "download", subject: "17")
        for index in token.indices {
            for other in "A1-_x." where token[index] != other {
                let forged = token.replacingCharacters(in: index...index, with: String(other))
                #expect(try signer().subject(of: forged, purpose: "download") == nil)
            }
        }
    }

    @Test(arguments: ["", ".", "17", "17.", ".x", "17.AAAAAAAAAAAAAAAAAAAAAA", String(repeating: "9", count: 600)])
    func `what was not signed here is nobody's`(_ token: String) throws {
        #expect(try signer().subject(of: token, purpose: "download") == nil)
    }

    @Test func `purpose and subject cannot be shifted into each other`() throws {
        let token = try signer().token(purpose: "a", subject: "b.c")
        let mac = try #require(token.split(separator: ".").last)
        #expect(try signer().subject(of: "c.\(mac)", purpose: "a.b") == nil)
    }

    @Test func `a token is safe in a URL and short`() throws {
        for number in 0..<200 {
            let token = try signer().token(purpose: "download", subject: String(number))
            #expect(
                token.utf8.allSatisfy {
                    (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                        || [45, 46, 95].contains($0)
                })
            #expect(token.count == String(number).count + 23)
        }
    }

    @Test func `the hash of an address is keyed and the same in any case`() throws {
        let hash = try signer().hash(ofAddress: "Ann@acme.example")
        #expect(hash.count == 64)
        #expect(try signer().hash(ofAddress: "ann@ACME.example") == hash)
        #expect(try signer("another secret, as long").hash(ofAddress: "Ann@acme.example") != hash)
    }

    @Test func `without a secret nothing is signed`() throws {
        let error = try #require(throws: KernelError.self) { try LinkSigner(secret: nil) }
        #expect(
            error.description
                == "site.secret is not set, and this step needs it. Put secret: ${TRELLIS_SECRET} under site: and the value in .env."
        )
    }
}
