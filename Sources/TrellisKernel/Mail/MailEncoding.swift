import Foundation

/// The encodings that let any text travel as ASCII lines: quoted-printable for bodies (RFC 2045 §6.7),
/// encoded-words for headers (RFC 2047), and the folding of long headers (RFC 5322 §2.2.3).
enum MailEncoding {
    /// RFC 5322 §2.1.1: lines should stay within this many characters and must stay within the second one.
    static let lineWidth = 78
    static let lineWidthMax = 998
    /// RFC 2047 §2: an encoded-word's longest form, and the longest line that holds one.
    static let encodedWordWidth = 75
    static let encodedLineWidth = 76
    /// A header's longest value, in bytes before encoding. Encoded threefold it stays well within the 102,400
    /// bytes of headers that Postfix keeps by default.
    static let headerBytesMax = 10_000
    /// With a longer name, no encoded character would fit on the header's first line.
    static let headerNameBytesMax = 50
}

// MARK: - Headers

extension MailEncoding {
    /// Headers that programs read: their value is never turned into encoded-words (RFC 2047 §5).
    private static let structuredHeaders: Set<String> = [
        "auto-submitted", "in-reply-to", "references", "sender", "precedence", "feedback-id",
        "dkim-signature", "disposition-notification-to",
    ]

    /// A header whose value is either for programs or for people, depending on its name.
    static func header(_ name: String, value: String) throws(MailProblem) -> String {
        let key = name.lowercased()
        guard structuredHeaders.contains(key) || key.hasPrefix("list-") else {
            return try header(name, unstructured: value)
        }
        try check(value, field: name)
        guard value.utf8.allSatisfy({ $0 < 0x80 }) else { throw .notASCII(field: name) }
        return try header(name, words: value.split(separator: " ").map(String.init))
    }

    /// A header for people: as it stands where that is plain ASCII that folds well, else as encoded-words.
    static func header(_ name: String, unstructured value: String) throws(MailProblem) -> String {
        try check(value, field: name)
        let column = name.utf8.count + 2
        let words = value.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        if value.isEmpty { return name + ":" }
        if readsBackAsWritten(value), words.allSatisfy({ column + $0.utf8.count <= lineWidth }) {
            return try header(name, words: words)
        }
        return try header(name, words: encodedWords(value, column: column))
    }

    /// Joins words with single spaces, and starts a new line before a word that would pass the line's width.
    static func header(_ name: String, words: [String]) throws(MailProblem) -> String {
        let widthMax = words.contains { $0.hasPrefix("=?") } ? encodedLineWidth : lineWidth
        var folded = name + ":"
        var column = folded.utf8.count
        for (position, word) in words.enumerated() {
            let width = word.utf8.count + 1
            if position > 0, column + width > widthMax {
                folded += "\r\n"
                column = 0
            }
            guard column + width <= lineWidthMax else {
                throw .headerTooLong(field: name, bytesMax: lineWidthMax)
            }
            folded += " " + word
            column += width
        }
        return folded
    }

    /// The words of a display name: atoms where they suffice, else one quoted string, else encoded-words.
    static func phrase(_ name: String, column: Int) -> [String] {
        let words = name.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard readsBackAsWritten(name) else { return encodedWords(name, column: column) }
        let isAtoms = words.allSatisfy { $0.utf8.allSatisfy(isAtomByte) }
        let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let phrase = isAtoms ? words : ["\"\(escaped)\""]
        let fits = phrase.allSatisfy { column + $0.utf8.count <= lineWidth }
        return fits ? phrase : encodedWords(name, column: column)
    }

    /// True for ASCII that survives folding and unfolding and that nobody takes for an encoded-word.
    private static func readsBackAsWritten(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("=?") && !text.contains("  ")
            && !text.hasPrefix(" ") && !text.hasSuffix(" ")
    }

    /// Encoded-words in the shorter of the two encodings, each holding whole characters (RFC 2047 §5).
    ///
    /// - Parameter column: where the first word starts on its line; the others start a line of their own or
    ///   follow where they fit.
    static func encodedWords(_ text: String, column: Int) -> [String] {
        let all = Array(text.utf8)
        let base64 = (all.count + 2) / 3 * 4 < quotedWidth(all)
        let overhead = "=?utf-8?Q??=".utf8.count
        var room = min(encodedWordWidth, encodedLineWidth - column) - overhead
        var words: [String] = []
        var chunk: [UInt8] = []
        for scalar in text.unicodeScalars {
            let grown = chunk + Array(String(scalar).utf8)
            let width = base64 ? (grown.count + 2) / 3 * 4 : quotedWidth(grown)
            if width <= room {
                chunk = grown
                continue
            }
            words.append(encodedWord(chunk, base64: base64))
            chunk = Array(grown.dropFirst(chunk.count))
            room = encodedWordWidth - overhead
        }
        if !chunk.isEmpty { words.append(encodedWord(chunk, base64: base64)) }
        return words
    }

    private static func encodedWord(_ bytes: [UInt8], base64: Bool) -> String {
        if base64 { return "=?utf-8?B?\(Data(bytes).base64EncodedString())?=" }
        var word = "=?utf-8?Q?"
        for byte in bytes {
            switch byte {
            case 0x20: word += "_"
            case let byte where isBareInQuotedWord(byte): word.unicodeScalars.append(Unicode.Scalar(byte))
            default: word += "=" + hex(byte)
            }
        }
        return word + "?="
    }

    private static func quotedWidth(_ bytes: [UInt8]) -> Int {
        bytes.reduce(0) { $0 + (isBareInQuotedWord($1) || $1 == 0x20 ? 1 : 3) }
    }

    /// RFC 2047 §5(3): the characters that stand for themselves even inside a display name.
    private static func isBareInQuotedWord(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!*+-/".utf8.contains(byte)
    }
}

// MARK: - Bodies

extension MailEncoding {
    /// The text in quoted-printable, with CRLF line ends and a final one.
    ///
    /// No line is longer than 76 characters or starts with a dot or with `From `: a transport that forgets
    /// dot stuffing (RFC 5321 §4.5.2), and a mailbox file that escapes `From `, leave the text as it is.
    static func quotedPrintable(_ text: String) -> [UInt8] {
        let from = Array("From ".utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count + text.utf8.count / 8)
        for line in lines(of: Array(text.utf8)) {
            var column = 0
            for index in line.indices {
                let byte = line[index]
                let isLast = index == line.endIndex - 1
                let isBlank = byte == 0x20 || byte == 0x09
                let isPlain = isBlank ? !isLast : byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "=")
                // 75 characters, and the 76th is the `=` of a soft line break.
                if column + (isPlain ? 1 : 3) > 75 {
                    encoded += [UInt8(ascii: "="), 0x0D, 0x0A]
                    column = 0
                }
                let isTrap = column == 0 && (byte == UInt8(ascii: ".") || line[index...].starts(with: from))
                if isPlain && !isTrap {
                    encoded.append(byte)
                    column += 1
                } else {
                    encoded += [UInt8(ascii: "=")] + Array(hex(byte).utf8)
                    column += 3
                }
            }
            encoded += [0x0D, 0x0A]
        }
        return encoded
    }

    /// The lines between CRLF, lone CR and lone LF. A final line end starts no further line.
    static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == 0x0D || byte == 0x0A {
            if byte == 0x0A, index > 0, bytes[index - 1] == 0x0D {
                start = index + 1
                continue
            }
            lines.append(bytes[start..<index])
            start = index + 1
        }
        if start < bytes.count { lines.append(bytes[start...]) }
        return lines
    }
}

// MARK: - Characters

extension MailEncoding {
    /// Refuses what could end a line: the last line of defence against header injection (CWE-93).
    static func check(_ value: String, field: String) throws(MailProblem) {
        guard value.utf8.count <= headerBytesMax else {
            throw .headerTooLong(field: field, bytesMax: headerBytesMax)
        }
        guard !value.unicodeScalars.contains(where: isControl) else { throw .controlCharacter(field: field) }
    }

    /// C0, DEL and C1, and the two separators that some programs take for a line end.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }

    /// RFC 5322 §3.6.8: printable ASCII without the colon.
    static func isHeaderName(_ name: String) -> Bool {
        (1...headerNameBytesMax).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }

    /// RFC 5322 §3.2.3, atext.
    static func isAtomByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static let hexDigits = Array("0123456789ABCDEF")

    /// Two hexadecimal digits in upper case, as RFC 2045 §6.7 and RFC 3986 §2.1 ask for.
    static func hex(_ byte: UInt8) -> String {
        String([hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]])
    }

    static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0] == needle.first && bytes[$0...].starts(with: needle) }
    }
}

// MARK: - Text in text

extension MailEncoding {
    /// A value as one line of plain text: without control characters, and with a space for each line break.
    static func cleaned(_ value: String) -> String {
        var cleaned = String.UnicodeScalarView()
        for scalar in value.replacing("\r\n", with: "\n").unicodeScalars {
            switch scalar.value {
            case 0x09...0x0D, 0x85, 0x2028, 0x2029: cleaned.append(" ")
            default: if !isControl(scalar) { cleaned.append(scalar) }
            }
        }
        return String(cleaned)
    }

    /// RFC 3986 §2.1, keeping letters, digits and the given characters.
    static func percentEncoded(_ text: String, keeping kept: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            if isAlphanumeric(byte) || kept.utf8.contains(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%" + hex(byte)
            }
        }
    }

    static func withoutLeadingBlanks(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.drop { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        String(decoding: withoutTrailingBlanks(Array(withoutLeadingBlanks(text).utf8)), as: UTF8.self)
    }

    static func withoutTrailingBlanks(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes.prefix((bytes.lastIndex { $0 != 0x20 && $0 != 0x09 } ?? -1) + 1))
    }
}
