import Foundation

/// One label of a domain name, between its typed form and the ASCII form that the domain name system holds.
enum DomainLabel {
    private static let prefix = "xn--"

    /// The label in lower-case ASCII: itself if it is ASCII, else the A-label of its Normalization Form C.
    ///
    /// Nil if the label holds a character that RFC 5892 does not permit, or says `xn--` but is no A-label.
    /// The caller checks hyphens at the ends, ASCII punctuation and the length.
    static func ascii(_ typed: String) -> String? {
        let label = typed.precomposedStringWithCanonicalMapping.lowercased()
            .precomposedStringWithCanonicalMapping
        guard label.utf8.allSatisfy({ $0 < 0x80 }) else {
            guard isPermitted(label), let encoded = Punycode.encoded(Array(label.unicodeScalars)) else {
                return nil
            }
            return prefix + encoded
        }
        guard label.hasPrefix(prefix) else { return label }
        // RFC 5891 section 5.4: an A-label is good if its U-label is good and leads back to it.
        guard
            let decoded = Punycode.decoded(String(label.dropFirst(prefix.count))),
            decoded.contains(where: { !$0.isASCII }),
            let unicode = string(decoded),
            isPermitted(unicode),
            let encoded = Punycode.encoded(decoded), prefix + encoded == label
        else { return nil }
        return label
    }

    /// The U-label of an A-label that ``ascii(_:)`` made; nil for a label of plain ASCII.
    static func unicode(_ label: String) -> String? {
        guard label.hasPrefix(prefix), let decoded = Punycode.decoded(String(label.dropFirst(prefix.count))) else {
            return nil
        }
        return string(decoded)
    }

    /// The string of these scalars, or nil if they are not in Normalization Form C and lower case.
    private static func string(_ scalars: [Unicode.Scalar]) -> String? {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        let text = String(view)
        let settled = text.lowercased().precomposedStringWithCanonicalMapping
        return settled.unicodeScalars.elementsEqual(scalars) ? text : nil
    }

    /// Whether a label in lower case and Normalization Form C is a U-label (RFC 5891 section 4.2, RFC 5892
    /// section 2).
    ///
    /// Joiners (RFC 5892 appendix A.1 and A.2) are refused because they cannot be seen. The order of
    /// right-to-left and left-to-right letters (RFC 5893) is left to the registries.
    private static func isPermitted(_ label: String) -> Bool {
        let scalars = Array(label.unicodeScalars)
        guard let first = scalars.first, let last = scalars.last, first != "-", last != "-" else {
            return false
        }
        if scalars.count >= 4, scalars[2] == "-", scalars[3] == "-" { return false }
        if isMark(first) { return false }
        // RFC 5892 section 2.2: what compatibility mapping changes, such as full-width letters, is unstable.
        guard label.precomposedStringWithCompatibilityMapping.unicodeScalars.elementsEqual(scalars) else {
            return false
        }
        return scalars.indices.allSatisfy { isPermitted(at: $0, in: scalars) }
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    private static func isPermitted(at index: Int, in scalars: [Unicode.Scalar]) -> Bool {
        let scalar = scalars[index]
        switch scalar.value {
        case 0x2D, 0x06FD, 0x06FE, 0x0F0B, 0x3007:  // The hyphen, and the exceptions of RFC 5892 section 2.6.
            return true
        case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B:  // Disallowed by the same section.
            return false
        case 0xB7:  // MIDDLE DOT, only in Catalan's "l·l" (RFC 5892 appendix A.3).
            return index > 0 && index + 1 < scalars.count && scalars[index - 1] == "l"
                && scalars[index + 1] == "l"
        case 0x30FB:  // KATAKANA MIDDLE DOT, only beside Japanese letters (RFC 5892 appendix A.7).
            return scalars.contains { (0x3041...0x30FA).contains($0.value) || $0.properties.isIdeographic }
        default:
            break
        }
        guard !scalar.properties.isDefaultIgnorableCodePoint else { return false }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber:
            return true
        default: return false
        }
    }
}

/// The procedures of RFC 3492 sections 6.1 to 6.3; the names are that document's.
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26
    private static let initialBias = 72
    private static let initialN = 128
    /// A label has at most 63 octets; a longer run of scalars cannot become one, and the work grows with its
    /// square.
    private static let scalarsMax = 63

    /// The code of these scalars without the `xn--`, or nil if there are too many for a label.
    static func encoded(_ input: [Unicode.Scalar]) -> String? {
        guard input.count <= scalarsMax else { return nil }
        var output = String.UnicodeScalarView(input.filter(\.isASCII))
        let basicCount = output.count
        var handled = basicCount
        if basicCount > 0 { output.append("-") }
        var n = initialN
        var delta = 0
        var bias = initialBias
        while handled < input.count {
            guard let next = input.lazy.map({ Int($0.value) }).filter({ $0 >= n }).min() else { return nil }
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in input {
                if scalar.value < n { delta += 1 }
                guard scalar.value == n else { continue }
                appendVariableLength(delta, bias: bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return String(output)
    }

    /// The scalars of a code without its `xn--`, or nil if it is no code.
    static func decoded(_ code: String) -> [Unicode.Scalar]? {
        guard code.utf8.count <= scalarsMax, code.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        let scalars = Array(code.unicodeScalars)
        let split = scalars.lastIndex(of: "-")
        var output = Array(scalars[..<(split ?? 0)])
        var rest = scalars[(split.map { $0 + 1 } ?? 0)...]
        var n = initialN
        var position = 0
        var bias = initialBias
        while !rest.isEmpty {
            guard let delta = takeVariableLength(from: &rest, bias: bias) else { return nil }
            let count = output.count + 1
            bias = adapted(delta, count: count, isFirst: position == 0)
            position += delta
            n += position / count
            position %= count
            guard n <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(n)) else { return nil }
            output.insert(scalar, at: position)
            position += 1
        }
        return output
    }

    private static func threshold(_ k: Int, bias: Int) -> Int {
        min(max(k - bias, tMin), tMax)
    }

    private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        let damp = 700
        let skew = 38
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }

    private static func appendVariableLength(
        _ value: Int, bias: Int, to output: inout String.UnicodeScalarView
    ) {
        var rest = value
        var k = base
        while true {
            let t = threshold(k, bias: bias)
            guard rest >= t else { break }
            output.append(digit(t + (rest - t) % (base - t)))
            rest = (rest - t) / (base - t)
            k += base
        }
        output.append(digit(rest))
    }

    /// Takes one generalised variable-length integer, or nil at its unfinished end, a strange digit or an
    /// overflow.
    private static func takeVariableLength(from rest: inout ArraySlice<Unicode.Scalar>, bias: Int) -> Int? {
        // No larger delta can lead to a code point of Unicode in a label; it also keeps the product from
        // overflowing.
        let deltaMax = 0x10FFFF * (scalarsMax + 1)
        var value = 0
        var weight = 1
        var k = base
        while let scalar = rest.popFirst() {
            guard let digit = value36(scalar) else { return nil }
            value += digit * weight
            guard value <= deltaMax else { return nil }
            let t = threshold(k, bias: bias)
            if digit < t { return value }
            weight *= base - t
            guard weight <= deltaMax * base else { return nil }
            k += base
        }
        return nil
    }

    private static func digit(_ value: Int) -> Unicode.Scalar {
        Unicode.Scalar(UInt8(value < 26 ? 97 + value : 22 + value))
    }

    private static func value36(_ scalar: Unicode.Scalar) -> Int? {
        switch scalar {
        case "a"..."z": Int(scalar.value) - 97
        case "A"..."Z": Int(scalar.value) - 65
        case "0"..."9": Int(scalar.value) - 22
        default: nil
        }
    }
}
