/// The script that a letter belongs to: Latin, Cyrillic, Han.
enum Script {
    /// The name of the script, `Other` for a letter of a script that is not listed here, nil for what stands in words
    /// of any script: digits, signs, marks, and letters such as the ー of Japanese.
    static func of(_ scalar: Unicode.Scalar) -> String? {
        if scalar.value < 0x80 { return scalar.properties.isAlphabetic ? "Latin" : nil }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .otherLetter, .modifierLetter: break
        default: return nil
        }
        if shared.contains(where: { $0.contains(scalar.value) }) { return nil }
        return named(scalar.value) ?? "Other"
    }

    /// By halves: the ranges are in order and do not meet.
    private static func named(_ value: UInt32) -> String? {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            let (range, name) = ranges[middle]
            if range.contains(value) { return name }
            if value < range.lowerBound { high = middle } else { low = middle + 1 }
        }
        return nil
    }

    /// Letters of the scripts Common and Inherited.
    private static let shared: [ClosedRange<UInt32>] = [
        0x2B9...0x2EE, 0x640...0x640, 0x1CE9...0x1CFA, 0x2E2F...0x2E2F, 0x3006...0x3006, 0x3031...0x3035,
        0x303C...0x303C, 0x30FC...0x30FC, 0xA717...0xA71F, 0xA788...0xA788, 0xA9CF...0xA9CF,
    ]

    private static let ranges: [(range: ClosedRange<UInt32>, name: String)] =
        table.split(separator: "\n").flatMap { line in
            let words = line.split(separator: " ")
            return words.dropFirst().compactMap { word -> (range: ClosedRange<UInt32>, name: String)? in
                let ends = word.split(separator: "-").compactMap { UInt32($0, radix: 16) }
                guard let first = ends.first, let last = ends.last, first <= last else { return nil }
                return (first...last, String(words[0]))
            }
        }.sorted { $0.range.lowerBound < $1.range.lowerBound }

    /// The letters of each script that Normalization Form KC leaves as they are, from Scripts.txt of Unicode 14.0
    /// (https://www.unicode.org/Public/14.0.0/ucd/Scripts.txt). A range runs on over what is no such letter.
    private static let table = """
        Latin 41-2AF 1D00-1D25 1D2F-1EFF 2132-2184 2C60-2C7F A722-A787 A78B-A7FF AB30-AB64 AB66-AB68 10780 1DF00-1DF1E
        Greek 370-3E1 3F3-3FF 1D26-1D2A 1F00-1FFC AB65
        Cyrillic 400-52F 1C80-1C88 1D2B A640-A69B
        Armenian 531-588
        Hebrew 5D0-5F2
        Arabic 620-63F 641-6FF 750-77F 870-8C9 FE73
        Thaana 780-7B1
        Devanagari 904-97F A8F2-A8FE
        Bengali 980-9FC
        Gurmukhi A05-A74
        Gujarati A85-AF9
        Oriya B05-B71
        Tamil B83-BD0
        Telugu C05-C61
        Kannada C80-CF2
        Malayalam D04-D7F
        Sinhala D85-DC6
        Thai E01-E46
        Lao E81-EDF
        Tibetan F00-F8C
        Myanmar 1000-108E A9E0-A9FE AA60-AA7F
        Georgian 10A0-10FF 1C90-1CBF 2D00-2D2D
        Hangul 1100-11FF A960-A97C AC00-D7FB
        Ethiopic 1200-138F 2D80-2DDE AB01-AB2E 1E7E0-1E7FE
        Cherokee 13A0-13FD AB70-ABBF
        Khmer 1780-17DC
        Mongolian 1820-18AA
        Hiragana 3041-309E 1B001-1B11F 1B150-1B152
        Katakana 30A1-30FA 30FD-30FE 31F0-31FF 1AFF0-1B000 1B120-1B122 1B164-1B167
        Bopomofo 3105-31BF
        Han 3005 303B 3400-9FFF FA0E-FA29 16FE3 20000-2EBE0 30000-3134A
        Coptic 3E2-3EF 2C80-2CF3
        Lisu A4D0-A4FD 11FB0
        """
}
