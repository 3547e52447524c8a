import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct BounceAddressTests {
    private static let secret = "a secret for tests only"

    private func config(_ returns: String? = "bounces@acme.example", secret: String? = secret, older: [String] = [])
        throws
        -> Config
    {
        var config = try Config.parse(TestKernel.site, plugins: [], environment: TestKernel.environment)
        config.site.mail.returns = returns
        config.site.site.secret = secret
        config.site.site.olderSecrets = older
        return config
    }

    private func address(_ returns: String = "bounces@acme.example", older: [String] = []) throws -> BounceAddress {
        try #require(BounceAddress(config: config(returns, older: older)))
    }

    @Test func `each message has its own return address, always the same`() throws {
        let address = try address()
        #expect(address.address(for: 42) == (try self.address().address(for: 42)))
        #expect(address.address(for: 42).wholeMatch(of: /bounces\+42-[0-9a-f]{16}@acme\.example/) != nil)
        #expect(Set((1...1000).map { address.address(for: $0) }).count == 1000)
    }

    @Test func `it tells its message, in whatever case a relay writes it`() throws {
        let address = try address()
        for id in [1, 42, Int64.max] {
            #expect(address.messageID(of: address.address(for: id)) == id)
            #expect(address.messageID(of: address.address(for: id).uppercased()) == id)
            #expect(address.messageID(ofToken: address.token(for: id)) == id)
        }
        // A relay may be known under another name.
        #expect(address.messageID(of: address.address(for: 42).replacing("@acme", with: "@mx.acme")) == 42)
    }

    @Test func `with the longest id and the longest name it is as long as an address may be`() throws {
        let base = String(repeating: "b", count: BounceAddress.baseBytesMax)
        let longest = try address("\(base)@acme.example").address(for: Int64.max)
        #expect(longest.split(separator: "@")[0].utf8.count == 64)
        #expect(MailAddress(parsing: longest)?.address == longest)
        #expect(BounceAddress.parts(of: "b\(base)@acme.example") == nil)
    }

    @Test func `a hash that was changed, cut or made for another message is none`() throws {
        let address = try address()
        let token = address.token(for: 42)
        var digits = Array(token.utf8)
        for index in 3..<digits.count {
            let digit = digits[index]
            digits[index] = digit == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            #expect(address.messageID(of: "bounces+\(String(decoding: digits, as: UTF8.self))@acme.example") == nil)
            digits[index] = digit
        }
        for made in [
            "bounces+43-\(token.dropFirst(3))@acme.example", "bounces+42-\(token.dropFirst(3).dropLast())@acme.example",
            "bounces+42@acme.example", "bounces+42-@acme.example", "bounces+-@acme.example", "bounces@acme.example", "",
            "@",
            "bounces+042-\(token.dropFirst(3))@acme.example", "bounces+\(token)-@acme.example",
            "other+\(token)@acme.example", "bounces+99999999999999999999-0000000000000000@acme.example",
            "bounces+\(String(repeating: "9", count: 100_000))@acme.example",
        ] {
            #expect(address.messageID(of: made) == nil, "\(made.prefix(80))")
        }
    }

    @Test func `what an older secret made is still known, and what a stranger's made is not`() throws {
        let before = try address().address(for: 7)
        let site = try config(secret: "a new secret of the site", older: [Self.secret])
        let now = try #require(BounceAddress(config: site))
        #expect(now.messageID(of: before) == 7)
        #expect(now.address(for: 7) != before)
        let stranger = try #require(BounceAddress(config: config(secret: "the secret of another site")))
        #expect(stranger.messageID(of: before) == nil)
    }

    @Test func `there is none without a mailbox or without a secret`() throws {
        #expect(BounceAddress(config: try config(nil)) == nil)
        #expect(BounceAddress(config: try config(secret: nil)) == nil)
    }

    @Test func `the config wants a bare address with room for the hash`() throws {
        for (value, isFit) in [
            ("bounces@acme.example", true), ("Bounces@Acme.example", true), ("Acme <bounces@acme.example>", false),
            ("bounces", false), ("\(String(repeating: "b", count: 28))@acme.example", false),
        ] {
            let site = TestKernel.site.replacing("mail: {", with: "mail: {returns: \"\(value)\", ")
            let parse = { try Config.parse(site, plugins: [], environment: TestKernel.environment) }
            if isFit {
                #expect(try parse().site.mail.returns == "bounces@acme.example")
            } else {
                let problems = try #require(throws: ConfigProblems.self) { try parse() }
                #expect(
                    "\(problems)".contains(
                        "mail.returns: expected a bare address such as bounces@acme.example, at most 27 characters before the @, got '\(value)'."
                    ))
            }
        }
    }
}
