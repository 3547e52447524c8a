import Foundation

/// How a language writes numbers: 1,234.5 or 1.234,5 (the Unicode CLDR, as Foundation has it).
public struct NumberMarks: Sendable, Hashable {
    /// What stands before the tenths.
    public let decimal: String
    /// What stands between thousands.
    let thousands: String

    public init(language: String) {
        let locale = Locale(identifier: language)
        decimal = locale.decimalSeparator == "," ? "," : "."
        thousands = locale.groupingSeparator ?? ","
    }

    /// Two readings of a text are both what somebody may have meant.
    struct Ambiguous: Error {}

    /// A number as programs write it: `1.234,5` is `1234.5` where the language writes it so. What is no such number
    /// comes back as it is, for whoever reads it to refuse.
    ///
    /// Where the comma stands before the tenths, a point still may too, as in `12.5`: only before three last digits it
    /// can be either, and that is refused rather than guessed.
    ///
    /// - Throws: ``Ambiguous``.
    func plain(_ text: String) throws(Ambiguous) -> String {
        guard decimal == "," || thousands != "," else { return text }
        let sign = text.prefix(text.hasPrefix("-") || text.hasPrefix("+") ? 1 : 0)
        let halves = text.dropFirst(sign.count).split(separator: decimal, omittingEmptySubsequences: false)
        guard halves.count <= 2, halves.count == 1 || NumberMarks.isDigits(halves[1]),
            let whole = NumberMarks.joined(halves[0], by: NumberMarks.blanks + (decimal == "," ? ["."] : []))
        else { return text }
        guard halves.count == 1 else { return "\(sign)\(whole).\(halves[1])" }
        guard halves[0].count(where: { $0 == "." }) != 1 else { throw Ambiguous() }
        return "\(sign)\(whole)"
    }

    /// Spaces and apostrophes are never anything else within a number.
    private static let blanks = [" ", "\u{A0}", "\u{202F}", "'", "\u{2019}"]

    /// The digits of `1 234 567`: groups of three after the first, with one mark throughout, and no nought before them.
    /// Nil for anything else.
    private static func joined(_ text: Substring, by marks: [String]) -> String? {
        if isDigits(text) { return String(text) }
        guard let mark = marks.first(where: text.contains) else { return nil }
        let groups = text.split(separator: mark, omittingEmptySubsequences: false)
        guard groups.allSatisfy(isDigits), !text.hasPrefix("0"), (1...3).contains(groups[0].count),
            groups.dropFirst().allSatisfy({ $0.count == 3 })
        else { return nil }
        return groups.joined()
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    }

    /// A number of a few digits after the comma as the language writes it.
    public func text(_ value: Double) -> String {
        "\(value)".replacing(".", with: decimal)
    }
}
