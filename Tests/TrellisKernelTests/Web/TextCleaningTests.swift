import Foundation
import Testing

@testable import TrellisKernel

struct TextCleaningTests {
    /// Equal in Swift means canonically equal, so the tests compare scalars.
    private func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

    @Test(arguments: ["", "Nora", "a b", "a\tb\nc", "50 % & <b>"])
    func `plain text stays as it is`(text: String) {
        #expect(TextCleaning.cleaned(text) == text)
    }

    @Test(
        arguments: [
            (" Nora ", "Nora"), ("\t\r\nNora\r\n", "Nora"), ("   ", ""), ("a\r\n b", "a\r\n b"),
            ("\u{A0}Zoë\u{3000}", "Zoë"), ("\u{2028}é\u{85}", "é"), ("\u{A0}\u{2003}", ""),
        ] as [(String, String)])
    func `white space around a text goes and stays within it`(text: String, cleaned: String) {
        #expect(scalars(TextCleaning.cleaned(text)) == scalars(cleaned))
    }

    @Test(
        arguments: [
            ("e\u{301}", [0xE9]), ("\u{212B}", [0xC5]), ("\u{1100}\u{1161}\u{11A8}", [0xAC01]),
            ("a\u{302}\u{323}", [0x1EAD]),
        ] as [(String, [UInt32])])
    func `a text becomes NFC`(text: String, composed: [UInt32]) {
        #expect(scalars(TextCleaning.cleaned(text)) == composed)
    }

    @Test(arguments: [
        0x200B, 0x2060, 0xFEFF, 0x061C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068,
        0x2069,
    ])
    func `what is invisible and misleads goes`(value: UInt32) throws {
        let invisible = String(Character(try #require(Unicode.Scalar(value))))
        #expect(scalars(TextCleaning.cleaned("a\(invisible)b")) == scalars("ab"))
        #expect(TextCleaning.cleaned("\(invisible) a \(invisible)") == "a")
        #expect(TextCleaning.cleaned(invisible).isEmpty)
    }

    @Test func `a letter and its mark meet when what parted them is gone`() {
        #expect(scalars(TextCleaning.cleaned("e\u{200B}\u{301}")) == [0xE9])
    }

    @Test(arguments: ["می\u{200C}خواهم", "क्\u{200D}ष", "👩\u{200D}🌾", "עברית", "Straße", "ﬁ", "①"])
    func `scripts and emoji stay readable`(text: String) {
        #expect(scalars(TextCleaning.cleaned(text)) == scalars(text))
    }

    @Test func `a pile of marks is cut`() {
        let kept = "a" + String(repeating: "\u{315}", count: TextCleaning.marksMax)
        #expect(scalars(TextCleaning.cleaned(kept)) == scalars(kept))
        #expect(scalars(TextCleaning.cleaned(kept + "\u{315}\u{315}b")) == scalars(kept + "b"))
    }

    @Test(arguments: ["\u{315}", "\u{F73}", "\u{344}"])
    func `a pile of marks is found`(mark: String) {
        let most = String(repeating: mark, count: TextCleaning.marksMax)
        #expect(!TextCleaning.pilesMarks("a\(most)a\(most)"))
        #expect(TextCleaning.pilesMarks("a\(most)a\(most)\(mark)"))
    }

    @Test(arguments: [" e\u{301}\u{202E} ", "\u{200B} \u{200B}a", "\u{FEFF}\u{A0}ä\u{323}\u{200D}", "🇩🇪 ", "\u{344}"])
    func `what is cleaned is clean`(text: String) {
        let once = TextCleaning.cleaned(text)
        #expect(scalars(TextCleaning.cleaned(once)) == scalars(once))
    }

    /// Without the limit on marks the first takes over a second, and minutes without optimisation.
    @Test(arguments: ["\u{315}\u{316}", "\u{F73}", " ", "\u{200B}", "각", "e\u{301}"])
    func `long texts are cleaned in linear time`(piece: String) {
        let text = String(repeating: piece, count: 100_000 / piece.utf8.count)
        var cleaned = ""
        let took = ContinuousClock().measure { cleaned = TextCleaning.cleaned("a" + text) }
        #expect(cleaned.utf8.count <= text.utf8.count + 1)
        #expect(took < .seconds(60))
    }
}
