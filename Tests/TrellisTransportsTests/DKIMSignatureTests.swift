import Crypto
import CryptoExtras
import Foundation
import Testing

@testable import TrellisTransports

@Suite struct DKIMSignatureTests {
    /// RFC 8463, appendix A: the message, its key and its signature.
    private static let example = [
        "From: Joe SixPack <joe@football.example.com>", "To: Suzie Q <suzie@shopping.example.net>",
        "Subject: Is dinner ready?", "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)",
        "Message-ID: <20030712040037.46341.5F8J@football.example.com>", "", "Hi.", "",
        "We lost the game.  Are you hungry yet?", "", "Joe.", "",
    ].joined(separator: "\r\n")
    private static let exampleKey = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
    private static let unsigned = [
        " v=1; a=ed25519-sha256; c=relaxed/relaxed;", " d=football.example.com; i=@football.example.com;",
        " q=dns/txt; s=brisbane; t=1528637909; h=from : to :",
        " subject : date : message-id : from : subject : date;",
        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;", " b=",
    ].joined(separator: "\r\n")

    private static func exampleSignature() throws -> DKIMSignature {
        let seed = try #require(Data(base64Encoded: exampleKey))
        return DKIMSignature(
            domain: "football.example.com", selector: "brisbane", key: try DKIMKey(ed25519: Array(seed)))
    }

    @Test func `the example of RFC 8463 has its body hash, its signature and its record`() throws {
        let bytes = Array(DKIMSignatureTests.example.utf8)
        let header = MailHeader(bytes)
        #expect(
            DKIMSignature.bodyHash(bytes[header.bodyStart...]) == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")
        let signature = try DKIMSignatureTests.exampleSignature()
        let value = try signature.signature(
            over: header.fields,
            names: ["from", "to", "subject", "date", "message-id", "from", "subject", "date"],
            unsigned: DKIMSignatureTests.unsigned)
        // Ed25519 signs without randomness (RFC 8032, 5.1.6), so that this very value comes out.
        let said = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
        #expect(value == said)
        #expect(signature.dnsName == "brisbane._domainkey.football.example.com")
        #expect(signature.key.dnsRecord == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    }

    @Test func `the field is folded and seals what must not be added`() throws {
        let mail = Array(DKIMSignatureTests.example.utf8)
        let field = String(
            decoding: try DKIMSignatureTests.exampleSignature().field(for: mail, at: 1_700_000_000), as: UTF8.self)
        let lines = field.components(separatedBy: "\r\n")
        #expect(lines[0] == "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com;")
        #expect(lines[1] == "\ts=brisbane; t=1700000000;")
        #expect(lines[2] == "\th=from:from:to:to:subject:subject:date:message-id;")
        #expect(lines[3] == "\tbh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;")
        #expect(lines[4].hasPrefix("\tb=") && lines.last == "")
        #expect(lines.allSatisfy { $0.count <= 100 })
    }

    @Test func `an RSA signature verifies against the record`() throws {
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let key = try DKIMKey(pem: rsa.pemRepresentation)
        let mail = Array("List-Unsubscribe: <https://a.example>\r\n\(DKIMSignatureTests.example)".utf8)
        let signature = DKIMSignature(domain: "acme.example", selector: "a", key: key)
        let field = String(decoding: try signature.field(for: mail, at: 5), as: UTF8.self)
        #expect(field.contains("a=rsa-sha256") && field.contains("list-unsubscribe"))
        let open = try #require(field.range(of: "\tb="))
        let value = String(field[open.upperBound...].filter { !$0.isWhitespace })
        let names = try #require(field.firstMatch(of: /h=([^;]+);/)).1.filter { !$0.isWhitespace }.split(separator: ":")
        var text: [UInt8] = []
        for name in ["from", "to", "subject", "date", "message-id", "list-unsubscribe"] {
            #expect(names.contains(Substring(name)))
            let bearer = try #require(MailHeader(mail).fields.first { $0.name.lowercased() == name })
            text += DKIMSignature.relaxed(name: name, value: bearer.value) + [13, 10]
        }
        let unsigned = field[..<open.upperBound].dropFirst("DKIM-Signature:".count)
        text += DKIMSignature.relaxed(name: "dkim-signature", value: Array(unsigned.utf8))
        let record = try #require(key.dnsRecord.split(separator: "p=").last)
        let published = try _RSA.Signing.PublicKey(derRepresentation: try #require(Data(base64Encoded: String(record))))
        let bytes = try #require(Data(base64Encoded: value))
        let read = _RSA.Signing.RSASignature(rawRepresentation: bytes)
        #expect(published.isValidSignature(read, for: SHA256.hash(data: text), padding: .insecurePKCS1v1_5))
        text[0] ^= 1
        #expect(!published.isValidSignature(read, for: SHA256.hash(data: text), padding: .insecurePKCS1v1_5))
    }

    @Test(arguments: [
        ("", ""), ("\r\n\r\n", ""), (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"), ("a", "a\r\n"),
        ("a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"), (" \t\r\n", ""),
    ])
    func `a body is relaxed as RFC 6376 has it`(_ body: String, _ relaxed: String) {
        #expect(String(decoding: DKIMSignature.relaxed(body: Array(body.utf8)[...]), as: UTF8.self) == relaxed)
    }

    @Test(arguments: [("A", " X", "a:X"), ("B ", " Y\t\r\n\tZ  ", "b:Y Z"), ("c", "", "c:")])
    func `a field is relaxed as RFC 6376 has it`(_ name: String, _ value: String, _ relaxed: String) {
        #expect(String(decoding: DKIMSignature.relaxed(name: name, value: Array(value.utf8)), as: UTF8.self) == relaxed)
    }
}
