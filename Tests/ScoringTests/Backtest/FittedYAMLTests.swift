import Testing

@testable import Scoring

/// Texts in YAML.
@Suite struct FittedYAMLTests {
    @Test func `a text in quotes is read back as it was`() {
        #expect(FittedYAML.quoted("source = 'O''Neill \"x\"'") == #""source = 'O''Neill \"x\"'""#)
        #expect(FittedYAML.quoted("a\\b\nc\td\re\u{0}\u{7f}") == #""a\\b\nc\td\re\x00\x7f""#)
        #expect(FittedYAML.quoted("a\u{2028}b") == #""a\u2028b""#)
        #expect(FittedYAML.quoted("Köln 🎪") == "\"Köln 🎪\"")
    }
}
