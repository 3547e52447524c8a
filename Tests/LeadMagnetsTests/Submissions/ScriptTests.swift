import Testing

@testable import LeadMagnets

@Suite struct ScriptTests {
    static let letters: [(Character, String)] = [
        ("a", "Latin"), ("Z", "Latin"), ("ß", "Latin"), ("ő", "Latin"), ("Ạ", "Latin"), ("α", "Greek"), ("ἄ", "Greek"),
        ("а", "Cyrillic"), ("ѐ", "Cyrillic"), ("ա", "Armenian"), ("א", "Hebrew"), ("ب", "Arabic"), ("अ", "Devanagari"),
        ("ก", "Thai"), ("გ", "Georgian"), ("한", "Hangul"), ("ア", "Katakana"), ("あ", "Hiragana"), ("ㄅ", "Bopomofo"),
        ("漢", "Han"), ("々", "Han"), ("𠀀", "Han"), ("Ꭰ", "Cherokee"), ("ꓐ", "Lisu"), ("ⲁ", "Coptic"), ("ሀ", "Ethiopic"),
        ("ܐ", "Other"), ("𐎠", "Other"),
    ]

    @Test(arguments: letters)
    func `a letter is of its script`(_ letter: Character, _ script: String) throws {
        #expect(Script.of(try #require(letter.unicodeScalars.first)) == script)
    }

    @Test(arguments: ["1" as Character, "-", ".", "'", "_", "٣", "ー", "ʼ", "ـ", "\u{301}", "〆", "€", "😀", " "])
    func `what stands in words of any script is of none`(_ text: Character) throws {
        #expect(Script.of(try #require(text.unicodeScalars.first)) == nil)
    }
}
