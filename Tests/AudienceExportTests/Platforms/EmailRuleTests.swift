import Testing

@testable import AudienceExport

@Suite struct EmailRuleTests {
    @Test(arguments: [
        ("a.b+c@gmail.com", "ab@gmail.com"), ("A.B+C+D@GoogleMail.com", "ab@googlemail.com"),
        ("a.b+c@example.com", "a.b+c@example.com"), ("a.b@gmail.com.example", "a.b@gmail.com.example"),
        ("a b\t@gmail.com\n", "ab@gmail.com"), ("É.x@gmail.com", "éx@gmail.com"),
    ])
    func `dots and plus signs are nothing at Gmail alone`(_ address: String, _ expected: String) {
        #expect(EmailRule(foldsGmail: true).normalised(address) == expected)
    }

    @Test(arguments: [
        "", "@", "a@", "@b.example", "a@b", "a@b@c.example", "...@gmail.com", "+x@gmail.com", "a@b.", "quinn",
        "é@b", "é@b@c.example",
    ])
    func `what is no address is not hashed`(_ text: String) {
        #expect(EmailRule(foldsGmail: true).normalised(text) == nil)
    }

    @Test func `TikTok cuts at a plus sign everywhere, and wants a letter or a digit first`() {
        let rule = EmailRule(cutsPlus: true, beginsWithLetterOrDigit: true)
        #expect(rule.normalised("Jane.Doe+x@example.com") == "jane.doe@example.com")
        #expect(rule.normalised("_jane@example.com") == nil)
        #expect(rule.normalised("+jane@example.com") == nil)
        #expect(rule.normalised("9jane@example.com") == "9jane@example.com")
    }

    @Test func `a refused address leaves what was written before it`() {
        var output = Array("before".utf8)
        for address in ["a@b", "é@b", "quinn"] {
            let isAddress = Array(address.utf8).withUnsafeBytes { EmailRule().append($0, to: &output) }
            #expect(!isAddress)
        }
        #expect(output == Array("before".utf8))
    }
}
