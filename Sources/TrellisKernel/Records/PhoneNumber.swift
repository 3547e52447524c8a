/// A telephone number in the international form of ITU-T E.164, the one spelling under which two records are
/// compared.
public struct PhoneNumber: Sendable, Hashable {
    /// A plus and 7 to 15 digits, such as "+49301234567".
    public let e164: String

    /// Reads a number as people write it. Brackets, hyphens, dots, slashes, spaces, `tel:` (RFC 3966) and an
    /// extension are dropped; digits of any script count as digits.
    ///
    ///     PhoneNumber("030 1234-567", country: CountryCode("DE"))?.e164   // "+49301234567"
    ///     PhoneNumber("+49 (0)30 1234567", country: nil)?.e164            // "+49301234567"
    ///
    /// Without a plus or 00 the number is read as one of `country`. The prefixes 011 from North America and
    /// 0011 from Australia are understood too, other international prefixes are not.
    ///
    /// Nil if letters stand in it, if there is neither a prefix nor a country, or if the digits cannot be a
    /// whole number: a local number without its area code in North America, Russia or Kazakhstan, or fewer
    /// than 7 or more than 15 digits. Whether the number is in service is not looked at.
    public init?(_ text: String, country: CountryCode?) {
        guard let written = WrittenNumber(text) else { return nil }
        let digits: String?
        if let international = written.internationalDigits(from: country) {
            digits = Self.withoutInnerTrunkPrefix(international)
        } else if let country, let plan = CountryCode.Directory.shared.plans[country.alpha2] {
            digits = Self.internationalDigits(national: written.digits, plan: plan)
        } else {
            digits = nil
        }
        guard let digits, Self.digitsRange.contains(digits.count), !digits.hasPrefix("0") else { return nil }
        e164 = "+" + digits
    }

    /// ITU-T E.164 section 6.1 sets the maximum; the shortest numbers in use abroad, calling code included,
    /// have 7.
    private static let digitsRange = 7...15

    /// Puts the calling code in place of the trunk prefix.
    private static func internationalDigits(national: String, plan: NumberingPlan) -> String? {
        var rest = national
        // Where the length is fixed, a number may begin with the digit of the trunk prefix: 812 is Saint
        // Petersburg.
        let mayHaveTrunkPrefix = plan.nationalDigits.map { national.count > $0 } ?? true
        if let trunkPrefix = plan.trunkPrefix, mayHaveTrunkPrefix, rest.hasPrefix(trunkPrefix) {
            rest.removeFirst(trunkPrefix.count)
        }
        if let nationalDigits = plan.nationalDigits, rest.count != nationalDigits { return nil }
        return plan.callingCode + rest
    }

    /// Drops the zero of "+49 (0)30". A plan without a trunk prefix keeps it: in Italy it is part of the
    /// number.
    private static func withoutInnerTrunkPrefix(_ digits: String) -> String {
        guard
            let plan = NumberingPlan.leading(digits), let trunkPrefix = plan.trunkPrefix,
            trunkPrefix.hasPrefix("0"),
            digits.dropFirst(plan.callingCode.count).hasPrefix(trunkPrefix)
        else { return digits }
        return plan.callingCode + digits.dropFirst(plan.callingCode.count + trunkPrefix.count)
    }
}

/// What a written number says before any numbering plan is consulted.
private struct WrittenNumber {
    /// ASCII digits, as many as were written.
    private(set) var digits = ""
    private var hasPlus = false

    /// Generous for a number with brackets and an extension; a longer text is something else.
    private static let octetsMax = 200
    /// The longest extension ever assigned is far shorter; this only keeps a second number from passing for
    /// one.
    private static let extensionDigitsMax = 7

    init?(_ text: String) {
        guard text.utf8.count <= Self.octetsMax else { return nil }
        var rest = Array(text.unicodeScalars)[...]
        rest = rest.drop(while: \.properties.isWhitespace)
        if String(String.UnicodeScalarView(rest.prefix(4))).lowercased() == "tel:" {
            rest = rest.dropFirst(4)
        }
        while let scalar = rest.first {
            if let digit = Self.digit(scalar) {
                digits.append(String(digit))
            } else if scalar == "+" || scalar == "\u{FF0B}" {
                guard digits.isEmpty, !hasPlus else { return nil }
                hasPlus = true
            } else if !Self.separates(scalar) {
                guard Self.isExtension(rest) else { return nil }
                break
            }
            rest.removeFirst()
        }
    }

    /// The digits from the calling code on, or nil if the number is written as a national one.
    func internationalDigits(from country: CountryCode?) -> String? {
        if hasPlus { return digits }
        let callingCode = country?.callingCode
        for (prefix, origin) in [("0011", "61"), ("011", "1")] where callingCode == origin {
            if digits.hasPrefix(prefix) { return String(digits.dropFirst(prefix.count)) }
        }
        return digits.hasPrefix("00") ? String(digits.dropFirst(2)) : nil
    }

    /// The value of a decimal digit of any script, such as FULLWIDTH DIGIT ONE or ARABIC-INDIC DIGIT ONE.
    private static func digit(_ scalar: Unicode.Scalar) -> Int? {
        let properties = scalar.properties
        guard properties.generalCategory == .decimalNumber, let value = properties.numericValue else {
            return nil
        }
        return Int(value)
    }

    private static func separates(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "(", ")", "[", "]", ".", "/", "-": return true
        case "\u{FF08}", "\u{FF09}", "\u{FF0D}", "\u{FF0E}", "\u{FF0F}", "\u{2212}", "\u{B7}": return true
        default: break
        }
        // Directional marks come along when a number is copied from a web page.
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .dashPunctuation, .format: return true
        default: return scalar.properties.isWhitespace
        }
    }

    /// Whether the rest of the text is one extension: "x12", "ext. 12", "extension 12", "#12" or ";ext=12".
    private static func isExtension(_ rest: ArraySlice<Unicode.Scalar>) -> Bool {
        var words = String(String.UnicodeScalarView(rest)).lowercased()[...]
        if words.hasPrefix(";") { words.removeFirst() }
        guard let name = ["extension", "extn", "ext", "x", "#"].first(where: { words.hasPrefix($0) }) else {
            return false
        }
        words = words.dropFirst(name.count).drop { " .:=\u{A0}".contains($0) }
        while let last = words.last, last == " " || last == ")" { words.removeLast() }
        let isNumber = words.unicodeScalars.allSatisfy { digit($0) != nil }
        return isNumber && (1...extensionDigitsMax).contains(words.count)
    }
}
