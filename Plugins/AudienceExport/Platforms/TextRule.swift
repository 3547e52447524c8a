import Foundation

/// How a platform wants a name or a part of a postal address written.
enum TextRule: Sendable, Hashable {
    /// As it stands, cut after so many characters.
    case plain(lengthMax: Int?)
    /// Google: without white space around it, lower case, without "Mrs." in front or "Jr." behind.
    case untitledName
    /// Meta: lower case without punctuation, accents kept. (Its Python library deletes every letter that is not from
    /// a to z; its help page takes accents, and so does this.)
    case accentedName
    /// Meta: the letters from a to z, lower case, and nothing else.
    case plainLetters
    /// Meta's state: two letters in the United States; elsewhere lower case without punctuation or spaces.
    case state
    /// Two letters of ISO 3166-1, lower or upper case.
    case country(isUpper: Bool)
    /// Google: five digits or five and four in the United States, elsewhere as it stands.
    case postalCode
    /// Meta: lower case without spaces; the first five digits in the United States, without the last two letters in the
    /// United Kingdom.
    case shortPostalCode

    private static let titlesBefore: Set<String> = ["mr", "mrs", "ms", "miss", "dr", "prof"]
    private static let titlesBehind: Set<String> = ["jr", "sr", "ii", "iii", "iv", "phd", "md", "esq"]

    /// The text as it is to be hashed or written. Nil where nothing is left of it.
    func normalised(_ text: String, country: String? = nil) -> String? {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines).precomposedStringWithCanonicalMapping
        let result =
            switch self {
            case .plain(let lengthMax): TextRule.oneLine(lengthMax.map { String(trimmed.prefix($0)) } ?? trimmed)
            case .untitledName: TextRule.withoutTitles(trimmed.lowercased())
            case .accentedName: TextRule.withoutPunctuation(trimmed.lowercased(), keepsSpaces: true)
            case .plainLetters: trimmed.lowercased().filter { ("a"..."z").contains($0) }
            case .state: TextRule.withoutPunctuation(trimmed.lowercased(), keepsSpaces: false)
            case .country(let isUpper): isUpper ? trimmed.uppercased() : trimmed.lowercased()
            case .postalCode: TextRule.postalCode(trimmed, country)
            case .shortPostalCode: TextRule.shortPostalCode(trimmed, country)
            }
        return result.isEmpty ? nil : result
    }

    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    private static func withoutTitles(_ name: String) -> String {
        var words = name.split(whereSeparator: \.isWhitespace)
        func isTitle(_ word: Substring?, _ titles: Set<String>) -> Bool {
            word.map { titles.contains($0.filter { $0 != "." && $0 != "," }) } ?? false
        }
        while words.count > 1, isTitle(words.first, titlesBefore) { words.removeFirst() }
        while words.count > 1, isTitle(words.last, titlesBehind) { words.removeLast() }
        let joined = words.joined(separator: " ")
        return joined.hasSuffix(",") ? String(joined.dropLast()) : joined
    }

    private static func withoutPunctuation(_ text: String, keepsSpaces: Bool) -> String {
        let kept = text.filter { $0.isLetter || $0.isNumber || (keepsSpaces && $0.isWhitespace) }
        return kept.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func postalCode(_ code: String, _ country: String?) -> String {
        guard country == "US" else { return oneLine(code) }
        let digits = code.filter { ("0"..."9").contains($0) }
        return digits.count == 9 ? "\(digits.prefix(5))-\(digits.suffix(4))" : String(digits.prefix(5))
    }

    private static func shortPostalCode(_ code: String, _ country: String?) -> String {
        let joined = code.lowercased().filter { !$0.isWhitespace && $0 != "-" }
        switch country {
        case "US": return String(joined.prefix(5))
        // Area, district and sector: SW1A 1AA is sw1a1.
        case "GB": return joined.count > 4 ? String(joined.dropLast(2)) : joined
        default: return joined
        }
    }
}
