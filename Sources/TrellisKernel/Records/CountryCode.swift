import Foundation

/// A country or territory of ISO 3166-1, under its alpha-2 code.
public struct CountryCode: Sendable, Hashable {
    /// Two upper-case ASCII letters, such as "DE".
    public let alpha2: String

    /// Finds the country that a person or another system meant.
    ///
    /// Understood are the alpha-2 and alpha-3 codes, the English names, the names in the country's own
    /// languages and spellings in wide use. Case, accents, punctuation and a leading "the" make no
    /// difference.
    ///
    ///     CountryCode("the Netherlands")?.alpha2   // "NL"
    ///     CountryCode("Cote d'Ivoire")?.alpha2     // "CI"
    ///
    /// Nil if no country bears the name, or if several could be meant, as with "Korea".
    public init?(_ text: String) {
        guard text.utf8.count <= Self.octetsMax else { return nil }
        guard let found = Directory.shared.alpha2ByName[Self.folded(text)] else { return nil }
        alpha2 = found
    }

    /// The country calling code of ITU-T E.164 without the plus, such as "49". Countries that share a
    /// numbering plan share the code: "1" in North America, "7" in Russia and Kazakhstan.
    public var callingCode: String? {
        Directory.shared.plans[alpha2]?.callingCode
    }

    /// The digits dialled before a national number inside the country and left out in the international form:
    /// "0" in Germany, "8" in Russia, "1" in the United States. Nil where there are none, as in Italy and
    /// Spain.
    public var trunkPrefix: String? {
        Directory.shared.plans[alpha2]?.trunkPrefix
    }

    /// Twice the longest name in the table; whatever is longer is no country and not worth folding.
    private static let octetsMax = 200
}

/// How telephone numbers are written in one country, or in all countries of one calling code.
struct NumberingPlan: Sendable, Equatable {
    let callingCode: String
    let trunkPrefix: String?

    /// The number of digits after the calling code where it is fixed: in the North American plan and in that
    /// of Russia and Kazakhstan. Nil elsewhere.
    var nationalDigits: Int? {
        callingCode == "1" || callingCode == "7" ? 10 : nil
    }

    /// The plan whose calling code these digits begin with. No calling code begins another (ITU-T E.164
    /// section 6.2).
    static func leading(_ digits: String) -> NumberingPlan? {
        (1...3).lazy.compactMap { CountryCode.Directory.shared.plansByCallingCode[String(digits.prefix($0))] }
            .first
    }
}

extension CountryCode {
    /// The table of names, read once.
    struct Directory: Sendable {
        static let shared = Directory(table: CountryCode.table)

        private(set) var alpha2ByName: [String: String] = [:]
        private(set) var plans: [String: NumberingPlan] = [:]
        private(set) var plansByCallingCode: [String: NumberingPlan] = [:]
        /// Names that stand in two lines. Always empty; a test says so.
        private(set) var ambiguousNames: [String] = []

        init(table: String) {
            for line in table.split(separator: "\n") {
                let columns = line.split(separator: " ", maxSplits: 4)
                guard columns.count == 5 else { continue }
                let alpha2 = String(columns[0])
                let plan = NumberingPlan(
                    callingCode: String(columns[2]),
                    trunkPrefix: columns[3] == "-" ? nil : String(columns[3])
                )
                plans[alpha2] = plan
                plansByCallingCode[plan.callingCode] = plan
                for name in [columns[0], columns[1]] + columns[4].split(separator: ";") {
                    let key = CountryCode.folded(String(name))
                    if let other = alpha2ByName.updateValue(alpha2, forKey: key), other != alpha2 {
                        ambiguousNames.append(key)
                    }
                }
            }
        }
    }

    /// The name as it is compared: lower-case letters and digits without accents, no leading "the", "saint"
    /// for "st".
    static func folded(_ name: String) -> String {
        let isASCII = name.utf8.allSatisfy { $0 < 0x80 }
        let decomposed = isASCII ? name : name.decomposedStringWithCompatibilityMapping
        var words: [String] = []
        var word = ""
        for scalar in decomposed.unicodeScalars {
            switch fate(of: scalar) {
            case .kept(let text):
                word += text
            case .dropped:
                break
            case .separates:
                if !word.isEmpty { words.append(word) }
                word = ""
                if scalar == "&" { words.append("and") }
            }
        }
        if !word.isEmpty { words.append(word) }
        guard words.count > 1 else { return words.first ?? "" }
        if words[0] == "the" { words.removeFirst() }
        return words.map { $0 == "st" ? "saint" : $0 }.joined()
    }

    private enum Fate {
        case kept(String)
        case dropped
        case separates
    }

    private static func fate(of scalar: Unicode.Scalar) -> Fate {
        switch scalar {
        case "a"..."z", "0"..."9": return .kept(String(scalar))
        case "A"..."Z": return .kept(scalar.properties.lowercaseMapping)
        case "ß": return .kept("ss")
        case "æ", "Æ": return .kept("ae")
        case "œ", "Œ": return .kept("oe")
        case "ø", "Ø": return .kept("o")
        case "ł", "Ł": return .kept("l")
        case "đ", "Đ", "ð", "Ð": return .kept("d")
        case "þ", "Þ": return .kept("th")
        case "ı": return .kept("i")
        case "\u{2BB}", "\u{2BC}": return .separates  // Apostrophes that Unicode counts among the letters.
        default: break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format:
            return .dropped
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .otherLetter, .modifierLetter,
            .spacingMark,
            .decimalNumber:
            return .kept(scalar.properties.lowercaseMapping)
        default:
            return .separates
        }
    }
}
