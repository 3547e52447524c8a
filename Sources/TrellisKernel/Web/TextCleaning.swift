import Foundation

/// Makes a text that came from outside comparable and safe to show.
public enum TextCleaning {
    /// A text of one line: cleaned, and each stretch of white space in it one space. What is asked for in one line
    /// reaches headers of mails and cells of tables.
    public static func line(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 32 || $0 >= 0x80 }) else { return cleaned(text) }
        return cleaned(text).unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }
            .joined(separator: " ")
    }

    /// The text in NFC, without invisible characters that only mislead, and without white space around it.
    ///
    /// Zero-width spaces, word joiners, byte order marks and the controls of writing direction go. ZWNJ and ZWJ stay:
    /// Persian, Hindi and emoji are written with them. Of a pile of combining marks, the first ``marksMax`` stay.
    ///
    /// ```swift
    /// TextCleaning.cleaned(" e\u{301}\u{202E} ")  // "é"
    /// ```
    public static func cleaned(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) {
            // Most texts begin and end with a character that is printed: those are as they come.
            let isTrimmed = text.utf8.first.map { $0 > 32 } != false && text.utf8.last.map { $0 > 32 } != false
            return isTrimmed ? text : trimmed(text.unicodeScalars[...])
        }
        var kept = String.UnicodeScalarView()
        var marks = 0
        for scalar in text.unicodeScalars where !isInvisible(scalar) {
            marks = isMark(scalar) ? marks + 1 : 0
            if marks <= marksMax { kept.append(scalar) }
        }
        return trimmed(kept[...]).precomposedStringWithCanonicalMapping
    }

    /// Combining marks in a row. To normalise more takes a time that grows with their square, and so does the hash of
    /// a text: 64 KB of marks keep a processor busy for a second.
    ///
    /// Source: the Stream-Safe Text Format of UAX #15, section 13, where 30 is far beyond what any language needs.
    public static let marksMax = 30

    /// Whether there are more than ``marksMax`` combining marks in a row.
    static func pilesMarks(_ text: String) -> Bool {
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = isMark(scalar) ? marks + 1 : 0
            if marks > marksMax { return true }
        }
        return false
    }

    /// A character that normalising may move. Three Tibetan vowels do not say so of themselves, but their parts do.
    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case ..<0x0300: false
        case 0x0F73, 0x0F75, 0x0F81: true
        default: scalar.properties.canonicalCombiningClass != .notReordered
        }
    }

    private static func trimmed(_ scalars: Substring.UnicodeScalarView) -> String {
        let begun = scalars.drop { $0.properties.isWhitespace }
        guard let last = begun.lastIndex(where: { !$0.properties.isWhitespace }) else { return "" }
        return String(begun[...last])
    }

    /// Source: the Unicode Standard, section 23.2, and UAX #9, section 2, for the controls of direction.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x200B, 0x2060, 0xFEFF: true
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
