import Testing

@testable import TrellisKernel

@Suite struct EmailAddressTests {
    /// What was typed, and the address that comes of it.
    static let valid: [(typed: String, address: String)] = [
        ("a@b.de", "a@b.de"),
        ("ada@example.org", "ada@example.org"),
        ("Ada@Example.ORG", "Ada@example.org"),
        (" ada@example.org ", "ada@example.org"),
        ("\tada@example.org\r\n", "ada@example.org"),
        ("\u{A0}ada@example.org", "ada@example.org"),
        ("ada.lovelace@example.org", "ada.lovelace@example.org"),
        ("ada+news@example.org", "ada+news@example.org"),
        ("ada-l@example.org", "ada-l@example.org"),
        ("ada-@example.org", "ada-@example.org"),
        ("_ada@example.org", "_ada@example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"),
        ("1234567890@example.org", "1234567890@example.org"),
        ("a.b.c.d@example.org", "a.b.c.d@example.org"),
        ("ada@mail.example.org", "ada@mail.example.org"),
        ("ada@a.b.c.d.example.org", "ada@a.b.c.d.example.org"),
        ("ada@my-company.example", "ada@my-company.example"),
        ("ada@a--b.example", "ada@a--b.example"),
        ("ada@ab--cd.example", "ada@ab--cd.example"),
        ("ada@123.example", "ada@123.example"),
        ("ada@1.2.3.example", "ada@1.2.3.example"),
        ("ada@example.c0m", "ada@example.c0m"),
        ("ada@example.co.uk", "ada@example.co.uk"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u{308}cher.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@münchen.de", "ada@xn--mnchen-3ya.de"),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("ada@пример.испытание", "ada@xn--e1afmkfd.xn--80akhbyknj4f"),
        ("ada@παράδειγμα.δοκιμή", "ada@xn--hxajbheg2az3al.xn--jxalpdlp"),
        ("ada@उदाहरण.परीक्षा", "ada@xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g"),
        ("ada@مثال.إختبار", "ada@xn--mgbh0fb.xn--kgbechtv"),
        ("ada@實例.測試", "ada@xn--fsqz41a.xn--g6w251d"),
        ("ada@실례.테스트", "ada@xn--9n2bp8q.xn--9t4b11yi5a"),
        ("ada@col·lecció.example", "ada@xn--collecci-ioa91d.example"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("δοκιμή@example.org", "δοκιμή@example.org"),
        ("Jürgen.Ö@Example.org", "Jürgen.Ö@example.org"),
        (String(repeating: "a", count: 64) + "@b.de", String(repeating: "a", count: 64) + "@b.de"),
        (String(repeating: "ü", count: 32) + "@b.de", String(repeating: "ü", count: 32) + "@b.de"),
        ("a@" + String(repeating: "b", count: 63) + ".de", "a@" + String(repeating: "b", count: 63) + ".de"),
        (
            "a@" + String(repeating: "b.", count: 126) + "com",
            "a@" + String(repeating: "b.", count: 126) + "com"
        ),
    ]

    /// What was typed, and what is wrong with it.
    static let invalid: [(typed: String, problem: EmailAddressProblem)] = [
        ("", .empty),
        ("   ", .empty),
        ("\r\n", .empty),
        ("ada", .noAtSign),
        ("ada.example.org", .noAtSign),
        ("ada at example.org", .whiteSpace),
        ("@", .noLocalPart),
        ("@example.org", .noLocalPart),
        ("ada@", .noDomain),
        ("ada@@example.org", .severalAtSigns(count: 2)),
        ("ada@b@example.org", .severalAtSigns(count: 2)),
        ("ada@example.org,bob@example.org", .severalAtSigns(count: 2)),
        ("ada@example.org;b@c.de;d@e.de", .severalAtSigns(count: 3)),
        ("ada@example.org, bob@example.org", .whiteSpace),
        ("ada＠example.org", .lookalikeAtSign),
        ("ada﹫example.org", .lookalikeAtSign),
        ("ada＠b@example.org", .lookalikeAtSign),
        ("ada b@example.org", .whiteSpace),
        ("ada@exam ple.org", .whiteSpace),
        ("ada @example.org", .whiteSpace),
        ("ada@ example.org", .whiteSpace),
        ("ada\u{3000}b@example.org", .whiteSpace),
        ("Ada <ada@example.org>", .whiteSpace),
        ("<ada@example.org>", .forbiddenCharacter(codePoint: 0x3C)),
        ("mailto:ada@example.org", .forbiddenCharacter(codePoint: 0x3A)),
        ("ada,b@example.org", .forbiddenCharacter(codePoint: 0x2C)),
        ("ada;b@example.org", .forbiddenCharacter(codePoint: 0x3B)),
        ("ada\\b@example.org", .forbiddenCharacter(codePoint: 0x5C)),
        ("a\"b@example.org", .forbiddenCharacter(codePoint: 0x22)),
        ("a[b]@example.org", .forbiddenCharacter(codePoint: 0x5B)),
        ("ada\0@example.org", .forbiddenCharacter(codePoint: 0)),
        ("ada@example.org\0", .forbiddenCharacter(codePoint: 0)),
        ("ada@example.org\r\nBcc: b@c.de", .forbiddenCharacter(codePoint: 0x0D)),
        ("ada\n@example.org", .forbiddenCharacter(codePoint: 0x0A)),
        ("ada\tb@example.org", .forbiddenCharacter(codePoint: 0x09)),
        ("ada\u{7F}@example.org", .forbiddenCharacter(codePoint: 0x7F)),
        ("ada\u{85}b@example.org", .forbiddenCharacter(codePoint: 0x85)),
        ("ada\u{AD}b@example.org", .forbiddenCharacter(codePoint: 0xAD)),
        ("ada\u{200B}@example.org", .forbiddenCharacter(codePoint: 0x200B)),
        ("ada@exam\u{200C}ple.org", .forbiddenCharacter(codePoint: 0x200C)),
        ("ada\u{200D}@example.org", .forbiddenCharacter(codePoint: 0x200D)),
        ("\u{200E}ada@example.org", .forbiddenCharacter(codePoint: 0x200E)),
        ("ada@example.org\u{200F}", .forbiddenCharacter(codePoint: 0x200F)),
        ("ada\u{202A}@example.org", .forbiddenCharacter(codePoint: 0x202A)),
        ("ada@\u{202E}gro.elpmaxe", .forbiddenCharacter(codePoint: 0x202E)),
        ("ada\u{2060}@example.org", .forbiddenCharacter(codePoint: 0x2060)),
        ("ada\u{2069}@example.org", .forbiddenCharacter(codePoint: 0x2069)),
        ("\u{FEFF}ada@example.org", .forbiddenCharacter(codePoint: 0xFEFF)),
        ("ada\u{FE0F}@example.org", .forbiddenCharacter(codePoint: 0xFE0F)),
        ("ada\u{E000}@example.org", .forbiddenCharacter(codePoint: 0xE000)),
        ("ada\u{2028}b@example.org", .forbiddenCharacter(codePoint: 0x2028)),
        (".ada@example.org", .misplacedDot),
        ("ada.@example.org", .misplacedDot),
        ("ada..l@example.org", .misplacedDot),
        (".@example.org", .misplacedDot),
        ("-ada@example.org", .localPartStartsWithHyphen),
        ("-@example.org", .localPartStartsWithHyphen),
        ("\"ada\"@example.org", .quotedLocalPart),
        ("\"a@b\"@example.org", .quotedLocalPart),
        ("ada(home)@example.org", .comment),
        ("ada@example.org(home)", .comment),
        ("ada@[192.0.2.1]", .addressLiteral),
        ("ada@[IPv6:2001:db8::1]", .addressLiteral),
        ("ada@localhost", .domainHasOneLabel),
        ("ada@münchen", .domainHasOneLabel),
        ("ada@192.0.2.1", .topLabelIsNumber),
        ("ada@example.123", .topLabelIsNumber),
        ("ada@.example.org", .labelEmpty(position: 1)),
        ("ada@example..org", .labelEmpty(position: 2)),
        ("ada@example.org.", .labelEmpty(position: 3)),
        ("ada@.", .labelEmpty(position: 1)),
        ("ada@-example.org", .labelHyphen(position: 1)),
        ("ada@example-.org", .labelHyphen(position: 1)),
        ("ada@mail.example.-org", .labelHyphen(position: 3)),
        ("ada@-.org", .labelHyphen(position: 1)),
        ("ada@exam_ple.org", .forbiddenCharacter(codePoint: 0x5F)),
        ("ada@example.org/x", .forbiddenCharacter(codePoint: 0x2F)),
        ("ada@example.org:25", .forbiddenCharacter(codePoint: 0x3A)),
        ("ada@example.org?subject=x", .forbiddenCharacter(codePoint: 0x3F)),
        ("ada@exa%6dple.org", .forbiddenCharacter(codePoint: 0x25)),
        ("ada@ｅｘａｍｐｌｅ.org", .labelNotInternational(position: 1)),
        ("ada@example。org", .labelNotInternational(position: 1)),
        ("ada@☃.example", .labelNotInternational(position: 1)),
        ("ada@a·b.example", .labelNotInternational(position: 1)),
        ("ada@\u{308}a.example", .labelNotInternational(position: 1)),
        ("ada@ab--ü.example", .labelNotInternational(position: 1)),
        ("ada@xn--a.example", .labelNotInternational(position: 1)),
        ("ada@xn--example-.org", .labelHyphen(position: 1)),
        ("ada@mail.xn--99999999.org", .labelNotInternational(position: 2)),
        ("ada@xn--n3h.example", .labelNotInternational(position: 1)),
        (String(repeating: "a", count: 65) + "@b.de", .localPartTooLong(octets: 65)),
        (String(repeating: "ü", count: 33) + "@b.de", .localPartTooLong(octets: 66)),
        ("a@" + String(repeating: "b", count: 64) + ".de", .labelTooLong(octets: 64, position: 1)),
        ("a@" + String(repeating: "b.", count: 127) + "de", .domainTooLong(octets: 256)),
        ("a@" + String(repeating: "b.", count: 800) + "de", .addressTooLong(octets: 1604)),
    ]

    static let sentences: [(problem: EmailAddressProblem, sentence: String)] = [
        (.empty, "the address is empty; write it as name@example.org"),
        (.noAtSign, "the address has no @; write it as name@example.org"),
        (.severalAtSigns(count: 2), "the address has 2 @ signs; give one address, with one @"),
        (.lookalikeAtSign, "the address has a full-width or small at sign; type a plain @"),
        (.noLocalPart, "the address has nothing before the @; write it as name@example.org"),
        (.noDomain, "the address has nothing after the @; write it as name@example.org"),
        (.addressTooLong(octets: 400), "the address has 400 octets, more than 320; give one shorter address"),
        (.localPartTooLong(octets: 65), "the part before the @ has 65 octets; shorten it to at most 64"),
        (.domainTooLong(octets: 256), "the domain has 256 octets; shorten it to at most 255"),
        (.whiteSpace, "the address has a space in it; remove the space, or give one address only"),
        (
            .forbiddenCharacter(codePoint: 0x20),
            "the address has the character U+0020 where none may stand; remove it"
        ),
        (
            .misplacedDot,
            "the part before the @ starts or ends with a dot or has two in a row; remove the extra dot"
        ),
        (.localPartStartsWithHyphen, "the address starts with a hyphen; remove it"),
        (.quotedLocalPart, "the part before the @ is in quotation marks; give an address that needs none"),
        (.comment, "the address has a comment in parentheses; remove the parentheses and what is in them"),
        (
            .addressLiteral,
            "the domain is an address in square brackets; give a domain name such as example.org"
        ),
        (.domainHasOneLabel, "the domain has no dot; write it in full, such as example.org"),
        (
            .topLabelIsNumber,
            "the domain ends in a number; give a domain name such as example.org, not a network address"
        ),
        (.labelEmpty(position: 2), "part 2 of the domain is empty; remove the extra dot"),
        (
            .labelTooLong(octets: 64, position: 1),
            "part 1 of the domain has 64 octets; shorten it to at most 63"
        ),
        (
            .labelHyphen(position: 1),
            "part 1 of the domain starts or ends with a hyphen; remove the hyphen"
        ),
        (
            .labelNotInternational(position: 1),
            "part 1 of the domain is not a valid internationalised name; check its spelling"
        ),
    ]

    @Test(arguments: valid)
    func `a valid address has one spelling`(typed: String, address: String) throws {
        let email = try EmailAddress(typed)
        #expect(Array(email.address.utf8) == Array(address.utf8))
        #expect(email.address.hasSuffix("@" + email.domain))
        #expect(try EmailAddress(email.address) == email)
    }

    @Test(arguments: invalid)
    func `an invalid address says what is wrong`(typed: String, problem: EmailAddressProblem) {
        #expect(throws: problem) { try EmailAddress(typed) }
    }

    @Test(arguments: valid)
    func `the fast path and the careful path agree`(typed: String, address: String) throws {
        guard let plain = EmailAddress.plain(typed) else { return }
        #expect(try EmailAddress.careful(typed) == plain)
    }

    @Test(arguments: invalid)
    func `the fast path lets nothing through that the careful path refuses`(
        typed: String, problem: EmailAddressProblem
    ) {
        #expect(EmailAddress.plain(typed) == nil)
    }

    @Test func `the fast path takes every plain address`() {
        #expect(EmailAddress.plain("ada@example.org") != nil)
        #expect(EmailAddress.plain("Ada.L+x@Mail.Example-2.org") != nil)
        #expect(EmailAddress.plain("ada@xn--bcher-kva.example") == nil)
    }

    @Test func `the sentences for problems are these`() {
        for (problem, sentence) in Self.sentences { #expect(problem.description == sentence) }
    }

    @Test(arguments: invalid)
    func `a sentence never repeats the address`(typed: String, problem: EmailAddressProblem) {
        // The example in the sentences is the same for everybody, and one of the typed texts is a part of it.
        let parts = problem.description.split(separator: "name@example.org")
        #expect(parts.allSatisfy { !$0.contains("ada") && (typed.count < 4 || !$0.contains(typed)) })
    }

    @Test func `a full-width at sign is refused`() {
        #expect(throws: EmailAddressProblem.lookalikeAtSign) { try EmailAddress("ada＠example.org") }
    }

    @Test func `a name in its own script and its A-label are the same address`() throws {
        #expect(try EmailAddress("ada@bücher.example") == EmailAddress("ada@xn--bcher-kva.example"))
        #expect(try EmailAddress("ada@Bücher.example").domain == "xn--bcher-kva.example")
    }

    @Test func `case before the at sign makes two addresses and case after it does not`() throws {
        #expect(try EmailAddress("Ada@example.org") != EmailAddress("ada@example.org"))
        #expect(try EmailAddress("ada@EXAMPLE.org") == EmailAddress("ada@example.org"))
    }

    @Test func `the samples of RFC 3492 lead both ways`() {
        let samples = [
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("pročprostěnemluvíčesky", "proprostnemluvesky-uyb24dma41a"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
        ]
        for (text, code) in samples {
            #expect(Punycode.encoded(Array(text.unicodeScalars)) == code)
            #expect(Punycode.decoded(code) == Array(text.unicodeScalars))
        }
    }

    @Test(arguments: ["k", "é", "99999999", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "a-!"])
    func `a broken code decodes to nothing`(code: String) {
        #expect(Punycode.decoded(code) == nil)
    }

    @Test func `free mail providers are sorted, distinct and found`() {
        let domains = EmailAddress.freeMailDomains
        #expect(domains == Set(domains).sorted())
        #expect(domains.allSatisfy { EmailAddress.isFreeMail(domain: $0) })
        #expect(EmailAddress.isFreeMail(domain: "GMail.com"))
        #expect(!EmailAddress.isFreeMail(domain: "example.org"))
        #expect(!EmailAddress.isFreeMail(domain: "mail.gmail.com"))
        #expect(!EmailAddress.isFreeMail(domain: ""))
    }
}
