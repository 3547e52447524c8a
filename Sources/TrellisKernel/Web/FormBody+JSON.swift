/// A form as `application/json`: one flat object of texts, numbers, booleans, null and arrays of texts.
///
/// A number becomes its digits as they were written, a boolean `true` or `false`, and an array one field for each of
/// its texts. Null is no field: nothing was given, and a consent must not come of it.
///
/// Source: RFC 8259. The reader is strict, and holds no stack: it does not go deeper than an array of texts.
struct JSONForm {
    private let bytes: [UInt8]
    private var index = 0
    private var fields = CheckedFields()
    private var names: Set<String> = []

    static func read(_ bytes: [UInt8]) throws(BodyProblem) -> WebFields {
        var form = JSONForm(bytes)
        try form.object()
        return form.fields.fields
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // RFC 8259, section 8.1: a reader may ignore a byte order mark.
        if bytes.starts(with: TextEncoding.utf8.byteOrderMark) { index = TextEncoding.utf8.byteOrderMark.count }
    }

    private mutating func object() throws(BodyProblem) {
        skipSpace()
        try expect("{", "'{'")
        skipSpace()
        if !take("}") {
            repeat {
                skipSpace()
                let name = try CheckedFields.name(try string("the name of a field in quotes")[...])
                guard names.count < FormBody.fieldsMax else { throw .fieldsTooMany }
                guard names.insert(name).inserted else { throw .nameTwice(name) }
                skipSpace()
                try expect(":", "':'")
                skipSpace()
                try value(of: name)
                skipSpace()
            } while take(",")
            try expect("}", "',' or '}'")
        }
        skipSpace()
        guard index == bytes.count else { throw .json(at: index, expected: "the end") }
    }

    private mutating func value(of name: String) throws(BodyProblem) {
        switch peek {
        case UInt8(ascii: "\""): try fields.append(name, string("a text")[...])
        case UInt8(ascii: "["): try array(of: name)
        case UInt8(ascii: "{"): throw .nested(name)
        case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?:
            try fields.append(name, number(), isNumber: true)
        default:
            let begin = index
            if take("true") || take("false") {
                try fields.append(name, bytes[begin..<index])
            } else if !take("null") {
                throw .json(at: index, expected: "a value")
            }
        }
    }

    private mutating func array(of name: String) throws(BodyProblem) {
        try expect("[", "'['")
        skipSpace()
        if take("]") { return }
        repeat {
            skipSpace()
            if let first = peek, "[{-0123456789tfn".utf8.contains(first) { throw .nested(name) }
            try fields.append(name, string("a text")[...])
            skipSpace()
        } while take(",")
        try expect("]", "',' or ']'")
    }

    // MARK: - Numbers

    private mutating func number() throws(BodyProblem) -> ArraySlice<UInt8> {
        let begin = index
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return bytes[begin..<index]
    }

    private mutating func digits() throws(BodyProblem) {
        let count = bytes[index...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        guard count > 0 else { throw .json(at: index, expected: "a digit") }
        index += count
    }

    // MARK: - Texts

    private mutating func string(_ expected: String) throws(BodyProblem) -> [UInt8] {
        try expect("\"", expected)
        var output: [UInt8] = []
        while let byte = peek {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return output
            case UInt8(ascii: "\\"): try escape(into: &output)
            case 0..<0x20: throw .json(at: index - 1, expected: "control characters to be written as \\u0000")
            default: output.append(byte)
            }
        }
        throw .json(at: index, expected: "'\"'")
    }

    private mutating func escape(into output: inout [UInt8]) throws(BodyProblem) {
        guard let byte = peek else { throw .json(at: index, expected: "the rest of an escape") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"): output += String(Character(try scalar())).utf8
        default: throw .json(at: index - 1, expected: "one of \" \\ / b f n r t u after a backslash")
        }
    }

    /// The character of `\u263A`, or of `\uD83D\uDE00`: what lies above U+FFFF is written as a pair of surrogates.
    private mutating func scalar() throws(BodyProblem) -> Unicode.Scalar {
        let begin = index - 2
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, take("\\u") {
            let second = try fourDigits()
            let pair = 0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF)
            if (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(pair) { return scalar }
        }
        throw .json(at: begin, expected: "both halves of a surrogate pair")
    }

    private mutating func fourDigits() throws(BodyProblem) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek.flatMap(Hexadecimal.digit) else {
                throw .json(at: index, expected: "four hexadecimal digits")
            }
            number = number << 4 | UInt32(digit)
            index += 1
        }
        return number
    }

    // MARK: - Bytes

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ text: StaticString) -> Bool {
        let word = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[index...].starts(with: word) else { return false }
        index += word.count
        return true
    }

    private mutating func expect(_ text: StaticString, _ expected: String) throws(BodyProblem) {
        guard take(text) else { throw .json(at: index, expected: expected) }
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }
}
