import Testing

@testable import TrellisKernel

@Suite struct LanguageTagTests {
    /// Of RFC 5646, appendix A, and how people type them.
    @Test(arguments: [
        ("de", "de"), ("DE-at", "de-AT"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("de-CH-1901", "de-CH-1901"), ("zh-cmn-Hans-CN", "zh-cmn-Hans-CN"), ("en-US-u-islamcal", "en-US-u-islamcal"),
        ("de-DE-x-phonebk", "de-DE-x-phonebk"), ("en-a-bbb-x-a-ccc", "en-a-bbb-x-a-ccc"), ("gsw", "gsw"),
    ])
    func `a tag is written in its usual case`(_ typed: String, _ tag: String) {
        #expect(LanguageTag.canonical(typed) == tag)
    }

    @Test(arguments: [
        "", "d", "german", "de_DE", "de-", "-de", "de--AT", "de-AT-", "de DE", "en-u", "en-x", "dé", "de/../x", "1de",
    ])
    func `what is no tag is refused`(_ text: String) {
        #expect(LanguageTag.canonical(text) == nil)
    }

    @Test func `a tag is a kind of the shorter ones`() {
        #expect(LanguageTag.chain("zh-Hant-TW") == ["zh-Hant-TW", "zh-Hant", "zh"])
        // RFC 4647, 3.4: what only announces more goes with it.
        #expect(LanguageTag.chain("de-DE-x-phonebk") == ["de-DE-x-phonebk", "de-DE", "de"])
        #expect(
            LanguageTag.isRightToLeft("ar") && LanguageTag.isRightToLeft("he-IL") && !LanguageTag.isRightToLeft("de"))
    }

    @Test func `a config says what a language is called`() throws {
        #expect(try Config.parse("site: {language: pt-br}", plugins: []).site.site.language == "pt-BR")
        #expect(try Config.parse("", plugins: []).site.site.language == "en")
        let problems = try #require(throws: ConfigProblems.self) {
            try Config.parse("site: {language: de_DE}", plugins: [])
        }
        #expect(
            problems.description
                == "config.yaml:1:18: site.language: expected a language tag such as en, de or pt-BR, got 'de_DE'.")
    }
}
