/// The address of one mailbox, in the one spelling under which two records are compared.
///
/// The part before the @ stays as it was typed, because only the receiving host knows whether case matters
/// there (RFC 5321 section 2.4). The domain is lower-cased, and an internationalised domain becomes its
/// A-label (RFC 5890), so that `Jo@Bücher.example` and `Jo@xn--bcher-kva.example` are one address.
///
/// Narrower than RFC 5322 on purpose: quoted local parts, comments and address literals are legal on the
/// wire, but in a customer record they are nearly always a mistake or an attack. Letters of different
/// alphabets that look alike are not told apart here, and neither are two spellings that one mailbox reads: the view
/// `suppressed_leads` knows those.
public struct EmailAddress: Sendable, Hashable {
    /// The whole address: the local part as typed, an @, and ``domain``. At most 320 octets.
    public let address: String

    /// The domain in lower-case ASCII, without a trailing dot. At most 255 octets.
    public let domain: String

    /// Reads one address; white space around it is ignored.
    ///
    ///     try EmailAddress(" Ada@Example.ORG ").address   // "Ada@example.org"
    ///
    /// - Throws: ``EmailAddressProblem``, which says what to change and never repeats the address.
    public init(_ text: String) throws(EmailAddressProblem) {
        if let plain = Self.plain(text) {
            self = plain
        } else {
            self = try Self.careful(text)
        }
    }

    /// The domain in the letters of its own script, as a person reads it (RFC 5890, U-labels): `bücher.example`.
    public var unicodeDomain: String {
        domain.split(separator: ".", omittingEmptySubsequences: false)
            .map { DomainLabel.unicode(String($0)) ?? String($0) }.joined(separator: ".")
    }

    private init(address: String, domain: String) {
        self.address = address
        self.domain = domain
    }
}

/// The limits of RFC 5321 section 4.5.3.1 and RFC 1035 section 2.3.4, in octets.
enum EmailLimit {
    static let localPart = 64
    static let domain = 255
    static let label = 63
    static let address = localPart + 1 + domain
    /// A domain typed in its own script is longer in UTF-8 than its A-label, by a factor of four at the very
    /// most; whatever is longer than this is refused before any work is spent on it.
    static let input = localPart + 1 + 4 * domain
}

// MARK: - The fast path

extension EmailAddress {
    /// Reads an address of plain ASCII in one pass over its bytes. Nil means "look closer", not "wrong".
    static func plain(_ text: String) -> EmailAddress? {
        guard
            let found = text.utf8.withContiguousStorageIfAvailable(PlainShape.init(of:)),
            let shape = found
        else { return nil }
        let at = text.utf8.index(text.utf8.startIndex, offsetBy: shape.atOffset)
        let domain = String(text[text.utf8.index(after: at)...])
        guard shape.hasUpperCaseDomain else { return EmailAddress(address: text, domain: domain) }
        let lowerCased = domain.lowercased()
        return EmailAddress(address: text[...at] + lowerCased, domain: lowerCased)
    }
}

/// Where the parts of a plain address lie. Made only of bytes that need no correction except the domain's
/// case.
private struct PlainShape {
    var atOffset = 0
    var hasUpperCaseDomain = false

    init?(of bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count <= EmailLimit.address, findAt(in: bytes), readDomain(in: bytes) else { return nil }
    }

    /// Accepts a dot-atom (RFC 5322 section 3.2.3) up to the first @.
    private mutating func findAt(in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var previous = Ascii.dot
        for offset in bytes.indices {
            let byte = bytes[offset]
            if byte == Ascii.at {
                atOffset = offset
                return offset <= EmailLimit.localPart && previous != Ascii.dot && bytes[0] != Ascii.hyphen
            }
            guard byte == Ascii.dot ? previous != Ascii.dot : Ascii.isAtomText(byte) else { return false }
            previous = byte
        }
        return false
    }

    /// Accepts letters, digits and inner hyphens in two labels or more (RFC 1123 section 2.1).
    private mutating func readDomain(in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = atOffset + 1
        guard bytes.count - start <= EmailLimit.domain else { return false }
        var labelStart = start
        var labelHasLetter = false
        var previous = Ascii.dot
        for offset in start..<bytes.count {
            let byte = bytes[offset]
            switch byte {
            case Ascii.dot:
                let length = offset - labelStart
                guard length >= 1, length <= EmailLimit.label, previous != Ascii.hyphen else { return false }
                labelStart = offset + 1
                labelHasLetter = false
            case Ascii.hyphen:
                // The third and fourth place may announce an A-label, which the careful path decodes.
                guard previous != Ascii.dot, offset - labelStart != 3 || previous != Ascii.hyphen else {
                    return false
                }
                labelHasLetter = true
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                labelHasLetter = true
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                labelHasLetter = true
                hasUpperCaseDomain = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                break
            default:
                return false
            }
            previous = byte
        }
        let topLength = bytes.count - labelStart
        return labelStart > start && topLength >= 1 && topLength <= EmailLimit.label
            && previous != Ascii.hyphen && labelHasLetter
    }
}

private enum Ascii {
    static let at = UInt8(ascii: "@")
    static let dot = UInt8(ascii: ".")
    static let hyphen = UInt8(ascii: "-")

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            false
        }
    }

    /// The characters of `atext`, RFC 5322 section 3.2.3.
    static func isAtomText(_ byte: UInt8) -> Bool {
        if isLetterOrDigit(byte) { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
            UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }
}

// MARK: - The careful path

extension EmailAddress {
    /// Reads any address, and finds the words for what is wrong with it.
    static func careful(_ text: String) throws(EmailAddressProblem) -> EmailAddress {
        guard text.utf8.count <= EmailLimit.input else { throw .addressTooLong(octets: text.utf8.count) }
        let scalars = trimmed(Array(text.unicodeScalars))
        guard let first = scalars.first else { throw .empty }
        try refuseForbidden(scalars)
        guard first != "\"" else { throw .quotedLocalPart }
        guard !scalars.contains(where: { $0 == "(" || $0 == ")" }) else { throw .comment }
        let parts = scalars.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count > 1 else { throw .noAtSign }
        guard parts.count == 2 else { throw .severalAtSigns(count: parts.count - 1) }
        try checkLocalPart(parts[0])
        let domain = try domain(from: parts[1])
        return EmailAddress(address: string(parts[0]) + "@" + domain, domain: domain)
    }

    private static func trimmed(_ scalars: [Unicode.Scalar]) -> ArraySlice<Unicode.Scalar> {
        var rest = scalars.drop(while: \.properties.isWhitespace)
        while let last = rest.last, last.properties.isWhitespace { rest.removeLast() }
        return rest
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Refuses what is legal in neither part: white space, controls, and characters that change what is seen
    /// without being seen, such as the bidirectional overrides.
    private static func refuseForbidden(_ scalars: ArraySlice<Unicode.Scalar>) throws(EmailAddressProblem) {
        for scalar in scalars {
            switch scalar.properties.generalCategory {
            case .spaceSeparator:
                throw .whiteSpace
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                throw .forbiddenCharacter(codePoint: scalar.value)
            default:
                break
            }
            if scalar.properties.isDefaultIgnorableCodePoint {
                throw .forbiddenCharacter(codePoint: scalar.value)
            }
            // FULLWIDTH and SMALL COMMERCIAL AT: an input method's @, which no mail server takes for one.
            if scalar.value == 0xFF20 || scalar.value == 0xFE6B { throw .lookalikeAtSign }
        }
    }

    /// Accepts a dot-atom in which any character beyond ASCII may stand (RFC 6531 section 3.3).
    private static func checkLocalPart(_ part: ArraySlice<Unicode.Scalar>) throws(EmailAddressProblem) {
        guard let first = part.first else { throw .noLocalPart }
        let octets = part.reduce(0) { $0 + UTF8.width($1) }
        guard octets <= EmailLimit.localPart else { throw .localPartTooLong(octets: octets) }
        // A mail program that is handed "-x@…" as an argument would read it as one of its options.
        guard first != "-" else { throw .localPartStartsWithHyphen }
        var previous: Unicode.Scalar = "."
        for scalar in part {
            if scalar == "." {
                guard previous != "." else { throw .misplacedDot }
            } else if scalar.isASCII, !Ascii.isAtomText(UInt8(truncatingIfNeeded: scalar.value)) {
                throw .forbiddenCharacter(codePoint: scalar.value)
            }
            previous = scalar
        }
        guard previous != "." else { throw .misplacedDot }
    }

    private static func domain(from part: ArraySlice<Unicode.Scalar>) throws(EmailAddressProblem) -> String {
        guard let first = part.first else { throw .noDomain }
        guard first != "[" else { throw .addressLiteral }
        var labels: [String] = []
        for typed in part.split(separator: ".", omittingEmptySubsequences: false) {
            labels.append(try label(from: typed, position: labels.count + 1))
        }
        guard labels.count >= 2, let top = labels.last else { throw .domainHasOneLabel }
        guard !top.utf8.allSatisfy({ $0 < UInt8(ascii: "a") && $0 != Ascii.hyphen }) else {
            throw .topLabelIsNumber
        }
        let domain = labels.joined(separator: ".")
        guard domain.utf8.count <= EmailLimit.domain else { throw .domainTooLong(octets: domain.utf8.count) }
        return domain
    }

    /// The label in lower-case ASCII. `position` counts from one.
    private static func label(
        from typed: ArraySlice<Unicode.Scalar>, position: Int
    ) throws(EmailAddressProblem) -> String {
        guard let first = typed.first, let last = typed.last else { throw .labelEmpty(position: position) }
        for scalar in typed where scalar.isASCII && scalar != "-" {
            guard Ascii.isLetterOrDigit(UInt8(truncatingIfNeeded: scalar.value)) else {
                throw .forbiddenCharacter(codePoint: scalar.value)
            }
        }
        guard first != "-", last != "-" else { throw .labelHyphen(position: position) }
        guard let label = DomainLabel.ascii(string(typed)) else {
            throw .labelNotInternational(position: position)
        }
        guard label.utf8.count <= EmailLimit.label else {
            throw .labelTooLong(octets: label.utf8.count, position: position)
        }
        return label
    }
}

// MARK: - What can be wrong

/// Why a text is not the address of one mailbox. The address itself is never part of it: it is personal data.
public enum EmailAddressProblem: Error, Equatable, Sendable, CustomStringConvertible {
    case empty
    case noAtSign
    case severalAtSigns(count: Int)
    /// A full-width or small @, as an East Asian input method writes it.
    case lookalikeAtSign
    case noLocalPart
    case noDomain
    case addressTooLong(octets: Int)
    case localPartTooLong(octets: Int)
    case domainTooLong(octets: Int)
    case whiteSpace
    /// The Unicode code point of the first character that has no place where it stands.
    case forbiddenCharacter(codePoint: UInt32)
    case misplacedDot
    case localPartStartsWithHyphen
    case quotedLocalPart
    case comment
    case addressLiteral
    case domainHasOneLabel
    case topLabelIsNumber
    /// Positions count the parts of the domain from one, from the left.
    case labelEmpty(position: Int)
    case labelTooLong(octets: Int, position: Int)
    case labelHyphen(position: Int)
    /// The label holds a character that RFC 5892 does not permit, or is an `xn--` label that decodes to none.
    case labelNotInternational(position: Int)

    /// One sentence: what is wrong, then what to do.
    public var description: String {
        switch self {
        case .empty:
            "the address is empty; write it as name@example.org"
        case .noAtSign:
            "the address has no @; write it as name@example.org"
        case .severalAtSigns(let count):
            "the address has \(count) @ signs; give one address, with one @"
        case .lookalikeAtSign:
            "the address has a full-width or small at sign; type a plain @"
        case .noLocalPart:
            "the address has nothing before the @; write it as name@example.org"
        case .noDomain:
            "the address has nothing after the @; write it as name@example.org"
        case .addressTooLong(let octets):
            "the address has \(octets) octets, more than \(EmailLimit.address); give one shorter address"
        case .localPartTooLong(let octets):
            "the part before the @ has \(octets) octets; shorten it to at most \(EmailLimit.localPart)"
        case .domainTooLong(let octets):
            "the domain has \(octets) octets; shorten it to at most \(EmailLimit.domain)"
        case .whiteSpace:
            "the address has a space in it; remove the space, or give one address only"
        case .forbiddenCharacter(let codePoint):
            "the address has the character \(Self.name(codePoint)) where none may stand; remove it"
        case .misplacedDot:
            "the part before the @ starts or ends with a dot or has two in a row; remove the extra dot"
        case .localPartStartsWithHyphen:
            "the address starts with a hyphen; remove it"
        case .quotedLocalPart:
            "the part before the @ is in quotation marks; give an address that needs none"
        case .comment:
            "the address has a comment in parentheses; remove the parentheses and what is in them"
        case .addressLiteral:
            "the domain is an address in square brackets; give a domain name such as example.org"
        case .domainHasOneLabel:
            "the domain has no dot; write it in full, such as example.org"
        case .topLabelIsNumber:
            "the domain ends in a number; give a domain name such as example.org, not a network address"
        default:
            labelDescription
        }
    }

    private var labelDescription: String {
        switch self {
        case .labelEmpty(let position):
            "part \(position) of the domain is empty; remove the extra dot"
        case .labelTooLong(let octets, let position):
            "part \(position) of the domain has \(octets) octets; shorten it to at most \(EmailLimit.label)"
        case .labelHyphen(let position):
            "part \(position) of the domain starts or ends with a hyphen; remove the hyphen"
        case .labelNotInternational(let position):
            "part \(position) of the domain is not a valid internationalised name; check its spelling"
        default:
            "the address is not valid; write it as name@example.org"
        }
    }

    static func name(_ codePoint: UInt32) -> String {
        let digits = String(codePoint, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
