import CryptoExtras
import Foundation
import Testing
import TrellisKernel

@testable import TrellisTransports

@Suite final class OutboxTransportsTests {
    private let folder = NSTemporaryDirectory() + "ways-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func config(_ yaml: String) throws -> Config {
        try Config.parse(
            yaml, folder: folder, plugins: [], environment: ["WORD": String(repeating: "s", count: 32)])
    }

    private func transports(_ yaml: String) throws -> [any Transport] {
        try OutboxTransports.all(of: config(yaml), clock: .system)
    }

    private func problem(_ yaml: String) throws -> String {
        let config = try config(yaml)
        return try #require(throws: ConfigProblems.self) {
            try OutboxTransports.all(of: config, clock: .system)
        }.description
    }

    @Test func `without a word mails go into a folder`() throws {
        let ways = try transports("")
        #expect(ways.count == 1 && ways[0] is FileTransport)
    }

    @Test func `a relay and webhooks are two ways`() throws {
        let ways = try transports(
            """
            mail: {from: "Acme <hello@acme.example>", transport: smtp, smtp: {host: smtp.acme.example, connections: 7}}
            webhooks: {crm: {url: "https://hooks.acme.example", secret: "${WORD}"}}
            """)
        #expect(ways.map(\.name) == ["mail", "webhook"])
        #expect(ways[0] is SMTPTransport && ways[0].connectionsMax == 7 && ways[1] is WebhookTransport)
    }

    @Test(arguments: ["file", "smtp"]) func `a key signs, whichever way mails go`(_ way: String) throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        try Data(key.pemRepresentation.utf8).write(to: URL(filePath: folder + "/dkim.pem"))
        let yaml = """
            mail:
              from: hello@acme.example
              transport: \(way)
              smtp: {host: smtp.acme.example}
              dkim: {domain: acme.example, selector: a, key: dkim.pem}
            """
        #expect(try transports(yaml)[0] is SigningTransport)
        #expect(try OutboxTransports.signatures(of: config(yaml)).map(\.key.algorithm) == ["rsa-sha256"])
    }

    @Test func `a key that is not there or none is told with its place`() throws {
        try Data("hello".utf8).write(to: URL(filePath: folder + "/none.pem"))
        let dkim = "mail: {dkim: [{domain: a.example, selector: a, key: %}]}"
        #expect(
            try problem(dkim.replacing("%", with: "gone.pem"))
                == "config.yaml:1:53: mail.dkim.1.key: no file gone.pem. Put the key there.")
        #expect(
            try problem(dkim.replacing("%", with: "none.pem"))
                .hasPrefix("config.yaml:1:53: mail.dkim.1.key: none.pem: it is no PEM file: "))
    }

    @Test func `an authority that is not there is told`() throws {
        let yaml = "mail: {from: a@b.example, transport: smtp, smtp: {host: a.example, ca: gone.pem}}"
        #expect(try problem(yaml) == "config.yaml: mail.smtp.ca: no file gone.pem. Put the certificates there.")
    }

    @Test(arguments: ["", "hello", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"])
    func `a file without a certificate is told`(content: String) throws {
        try Data(content.utf8).write(to: URL(filePath: folder + "/none.pem"))
        let yaml = "mail: {from: a@b.example, transport: smtp, smtp: {host: a.example, ca: none.pem}}"
        #expect(
            try problem(yaml)
                == "config.yaml: mail.smtp.ca: none.pem holds no certificate. It must be a PEM file: -----BEGIN CERTIFICATE-----"
        )
    }
}
