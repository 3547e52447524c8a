import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MessageIdentityTests {
    private func identity(secret: String?, older: [String] = []) throws -> MessageIdentity {
        var config = try TestKernel().kernel.config
        config.site.site.secret = secret
        config.site.site.olderSecrets = older
        return MessageIdentity(config: config)
    }

    private func hash(_ text: String) -> String { String(text.split(separator: ".")[1]) }

    @Test func `it is the same each time, and another for another message, intent or secret`() throws {
        let ours = try identity(secret: "a secret of at least sixteen")
        let text = ours.text(of: 42, key: "drip:welcome:1:lead 7:cycle 1")
        #expect(text == ours.text(of: 42, key: "drip:welcome:1:lead 7:cycle 1"))
        #expect(text.hasPrefix("42.") && text.utf8.count == 19)
        let others = [
            ours.text(of: 43, key: "drip:welcome:1:lead 7:cycle 1"),
            ours.text(of: 42, key: "drip:welcome:1:lead 8:cycle 1"),
            try identity(secret: "another secret of sixteen").text(of: 42, key: "drip:welcome:1:lead 7:cycle 1"),
        ]
        #expect(Set((others + [text]).map(hash)).count == 4)
    }

    @Test func `who knows the intent alone cannot make it up`() throws {
        let ours = try identity(secret: "a secret of at least sixteen")
        #expect(!ours.isRight(StableHash.hex("k"), of: 1, key: "k"))
        #expect(!ours.isRight("", of: 1, key: "k") && !ours.isRight("0123456789abcdef", of: 1, key: "k"))
        #expect(ours.isRight(hash(ours.text(of: 1, key: "k")), of: 1, key: "k"))
    }

    @Test func `what was sent under an older secret is known, and a site without one has a plain hash`() throws {
        let before = try identity(secret: "the secret of before then").text(of: 1, key: "k")
        let now = try identity(secret: "a secret of at least sixteen", older: ["the secret of before then"])
        #expect(now.isRight(hash(before), of: 1, key: "k"))
        let plain = try identity(secret: nil)
        #expect(plain.text(of: 1, key: "k") == "1." + StableHash.hex("k"))
        #expect(plain.isRight(StableHash.hex("k"), of: 1, key: "k"))
    }
}
