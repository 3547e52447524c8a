/// The headers of a mail or of a part, or a block of fields written like them.
///
/// Source: RFC 5322 section 2.2. A line that is no header is passed over, because some servers put such lines there.
public struct MailHeaders: Sendable {
    /// How many are read; the rest is passed over.
    static let fieldsMax = 1000
    /// How much of a value is kept.
    static let valueBytesMax = 10_000

    /// In the order of the mail; names in lower case, values unfolded and trimmed.
    private(set) var fields: [(name: String, value: String)] = []

    /// Reads up to the first empty line, or up to the end.
    ///
    /// - Parameters:
    ///   - rest: moves on to what comes after the empty line.
    ///   - endsAtBlankLine: whether a line of spaces ends the block too, which in a mail belongs to the header above.
    init(reading rest: inout ArraySlice<UInt8>, endsAtBlankLine: Bool = false) {
        var lines = MailLines(rest)
        var (name, value): (String?, [UInt8]) = (nil, [])
        while let line = lines.next(), !line.isEmpty {
            if endsAtBlankLine, line.allSatisfy(HeaderValue.isSpace) { break }
            if line.first.map(HeaderValue.isSpace) == true {
                if value.count < MailHeaders.valueBytesMax { value += line.prefix(MailHeaders.valueBytesMax) }
                continue
            }
            append(name, value)
            (name, value) = (nil, [])
            guard fields.count < MailHeaders.fieldsMax,
                let colon = line.prefix(MailEncoding.headerNameBytesMax + 1).firstIndex(of: UInt8(ascii: ":"))
            else { continue }
            let word = line[..<colon].prefix { $0 > 0x20 && $0 < 0x7F }
            guard !word.isEmpty, line[word.endIndex..<colon].allSatisfy(HeaderValue.isSpace) else { continue }
            name = String(decoding: word, as: UTF8.self).lowercased()
            value = Array(line[(colon + 1)...].prefix(MailHeaders.valueBytesMax))
        }
        append(name, value)
        rest = rest[lines.nextIndex...]
    }

    private mutating func append(_ name: String?, _ value: [UInt8]) {
        guard let name else { return }
        fields.append((name, MailEncoding.trimmed(MailDecoding.text(value[...]))))
    }

    /// The first value of a header; nil where it does not stand there.
    public subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Every value of a header.
    func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    // MARK: - Values

    /// The word a value begins with, in lower case: `text/plain` of `Text/Plain; charset=utf-8`.
    static func word(_ value: String) -> String {
        let word = value.utf8.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "(") && !HeaderValue.isSpace($0) }
        return String(decoding: word, as: UTF8.self).lowercased()
    }

    /// A parameter of a value such as `multipart/report; boundary="x"` (RFC 2045 section 5.1), without quotes. More is
    /// put up with than ``HeaderValue`` does, which guards a form: here a report must be read, however it is written.
    /// The first of several counts.
    static func parameter(_ name: String, of value: String) -> String? {
        var rest = Array(value.utf8)[...]
        let semicolon = UInt8(ascii: ";")
        rest = rest.drop { $0 != semicolon }
        while rest.popFirst() != nil {
            rest = rest.drop { HeaderValue.isSpace($0) || $0 == semicolon }
            let key = rest.prefix { $0 != UInt8(ascii: "=") && $0 != semicolon && !HeaderValue.isSpace($0) }
            rest = rest[key.endIndex...].drop(while: HeaderValue.isSpace)
            guard rest.first == UInt8(ascii: "=") else {
                rest = rest.drop { $0 != semicolon }
                continue
            }
            let text = parameterValue(&rest)
            if String(decoding: key, as: UTF8.self).lowercased() == name { return text }
            rest = rest.drop { $0 != semicolon }
        }
        return nil
    }

    /// - Parameter rest: begins at the equals sign, and moves on behind the value.
    private static func parameterValue(_ rest: inout ArraySlice<UInt8>) -> String {
        rest = rest.dropFirst().drop(while: HeaderValue.isSpace)
        guard rest.first == UInt8(ascii: "\"") else {
            let text = rest.prefix { $0 != UInt8(ascii: ";") && !HeaderValue.isSpace($0) }
            rest = rest[text.endIndex...]
            return String(decoding: text, as: UTF8.self)
        }
        rest = rest.dropFirst()
        var text: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            text.append(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? byte : byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// How many addresses of one header are looked at.
    private static let addressesMax = 20

    /// The addresses of a header such as `To`, without names and comments. Whatever holds no @ is none.
    static func addresses(_ value: String) -> [String] {
        let separators = Set(",;<>()\"' \t:[]".utf8)
        return value.utf8.split(maxSplits: 1000, whereSeparator: separators.contains)
            .lazy.filter { $0.contains(UInt8(ascii: "@")) && $0.count <= 320 }
            .prefix(addressesMax).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The Message-IDs of a header such as `References`, without their brackets; the last ones, which are nearest.
    static func messageIDs(_ value: String) -> [String] {
        value.utf8.split {
            $0 == UInt8(ascii: "<") || $0 == UInt8(ascii: ">") || HeaderValue.isSpace($0) || $0 == UInt8(ascii: ",")
        }
        .filter { $0.contains(UInt8(ascii: "@")) && $0.count <= 320 }
        .suffix(addressesMax).map { String(decoding: $0, as: UTF8.self) }
    }
}
