import Foundation
import Testing

@testable import TrellisKernel

@Suite struct LinkSignerTests {
    private let now = Date(timeIntervalSince1970: 1_780_000_000)

    private func signer(_ secret: String = "a secret for tests only", older: [String] = []) throws -> LinkSigner {
        try LinkSigner(secret: secret, older: older)
    }

    @Test(arguments: ["17", "ann@acme.example", "a|b.c", "", "ü"])
    func `a token gives its subject back for its purpose alone`(_ subject: String) throws {
        let token = try signer().token(purpose: "unsubscribe", subject: subject)
        #expect(try signer().open(token, purpose: "unsubscribe", now: now) == .subject(subject))
        #expect(try signer().open(token, purpose: "download", now: now) == .unknown)
        #expect(try signer("another secret, as long").open(token, purpose: "unsubscribe", now: now) == .unknown)
    }

    @Test func `no letter of a token can be changed`() throws {
        let token = try signer().token(purpose: "download", subject: "17")
        for index in token.indices {
            for other in "A1-_x.=+/" where token[index] != other {
                let forged = token.replacingCharacters(in: index...index, with: String(other))
                #expect(try signer().open(forged, purpose: "download", now: now) == .unknown)
            }
        }
    }

    @Test(arguments: [
        "", ".", "17", "17.", "=", String(repeating: "A", count: 37), String(repeating: "9", count: 6000),
    ])
    func `what was not sealed here is nobody's`(_ token: String) throws {
        #expect(try signer().open(token, purpose: "download", now: now) == .unknown)
    }

    @Test func `a token tells nothing of its subject`() throws {
        let token = try signer().token(purpose: "thanks", subject: "ann@acme.example")
        let bytes = try #require(
            Data(base64Encoded: token.replacing("-", with: "+").replacing("_", with: "/") + "=="))
        #expect(bytes.range(of: Data("acme".utf8)) == nil)
    }

    @Test func `a token opens until its moment, and one without a moment for ever`() throws {
        let token = try signer().token(purpose: "download", subject: "17", expires: now)
        #expect(try signer().open(token, purpose: "download", now: now - 1) == .subject("17"))
        #expect(try signer().open(token, purpose: "download", now: now) == .expired)
        let lasting = try signer().token(purpose: "unsubscribe", subject: "17")
        #expect(try signer().open(lasting, purpose: "unsubscribe", now: now + 5 * 366 * 86_400) == .subject("17"))
    }

    @Test func `after a change of the secret the older links open and new ones are sealed with the new`() throws {
        let old = try signer("the secret of last year").token(purpose: "unsubscribe", subject: "17")
        let both = try signer("the secret of this year", older: ["the secret of last year"])
        #expect(both.open(old, purpose: "unsubscribe", now: now) == .subject("17"))
        let new = both.token(purpose: "unsubscribe", subject: "17")
        #expect(try signer("the secret of this year").open(new, purpose: "unsubscribe", now: now) == .subject("17"))
        #expect(both.hashes(ofAddress: "a@b.example").count == 2)
    }

    @Test func `purpose and subject cannot be shifted into each other`() throws {
        let token = try signer().token(purpose: "a", subject: "b.c")
        #expect(try signer().open(token, purpose: "a.b", now: now) == .unknown)
    }

    @Test func `a token is safe in a URL, short, and the same each time`() throws {
        for number in 0..<200 {
            let token = try signer().token(purpose: "download", subject: String(number))
            #expect(
                token.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                        || byte == 95
                })
            #expect(token.count < 50)
            #expect(try signer().token(purpose: "download", subject: String(number)) == token)
        }
    }

    @Test func `the hash of an address is keyed and the same in any case`() throws {
        let hash = try signer().hashes(ofAddress: "Ann@acme.example")[0]
        #expect(hash.count == 64)
        #expect(try signer().hashes(ofAddress: "ann@ACME.example") == [hash])
        #expect(try signer("another secret, as long").hashes(ofAddress: "Ann@acme.example") != [hash])
    }

    @Test func `without a secret nothing is sealed`() throws {
        let error = try #require(throws: KernelError.self) { try LinkSigner(secret: nil) }
        #expect(
            error.description
                == "site.secret is not set, and this step needs it. Put secret: ${TRELLIS_SECRET} under site: and the value in .env."
        )
    }
}
