/// The value of a header such as `Content-Type`: a word, and parameters after semicolons.
///
/// Source: RFC 9110, sections 5.6.6 and 8.3.1. An empty parameter is skipped: `text/plain;` is sent in practice.
struct HeaderValue {
    /// In lower case, as `multipart/form-data`.
    let word: String
    private var parameters: [String: [UInt8]] = [:]

    /// Nil where the bytes are not written so, or a parameter is named twice: two readers could then disagree.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes.drop(while: HeaderValue.isSpace)
        let word = rest.prefix { HeaderValue.isToken($0) || $0 == UInt8(ascii: "/") }
        guard !word.isEmpty else { return nil }
        self.word = String(decoding: word, as: UTF8.self).lowercased()
        rest = rest[word.endIndex...].drop(while: HeaderValue.isSpace)
        while let semicolon = rest.first {
            guard semicolon == UInt8(ascii: ";") else { return nil }
            rest = rest.dropFirst().drop(while: HeaderValue.isSpace)
            let token = rest.prefix(while: HeaderValue.isToken)
            rest = rest[token.endIndex...]
            if token.isEmpty { continue }
            guard rest.first == UInt8(ascii: "="), let value = HeaderValue.parameter(rest.dropFirst()) else {
                return nil
            }
            let name = String(decoding: token, as: UTF8.self).lowercased()
            guard parameters.updateValue(value.bytes, forKey: name) == nil else { return nil }
            rest = value.rest.drop(while: HeaderValue.isSpace)
        }
    }

    /// The value of a parameter, without quotes; nil where it is not given.
    subscript(_ name: String) -> [UInt8]? { parameters[name] }

    /// Whether no charset is named, or UTF-8 is.
    var isUTF8: Bool {
        guard let charset = self["charset"] else { return true }
        return ["utf-8", "utf8"].contains(String(decoding: charset, as: UTF8.self).lowercased())
    }

    private static func parameter(_ bytes: ArraySlice<UInt8>) -> (bytes: [UInt8], rest: ArraySlice<UInt8>)? {
        if bytes.first == UInt8(ascii: "\"") { return quoted(bytes.dropFirst()) }
        let value = bytes.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "\"") && !isSpace($0) }
        return value.isEmpty ? nil : (Array(value), bytes[value.endIndex...])
    }

    /// A backslash stands for itself unless a quote or a backslash comes after it: browsers do not escape it.
    private static func quoted(_ bytes: ArraySlice<UInt8>) -> (bytes: [UInt8], rest: ArraySlice<UInt8>)? {
        let escapable = [UInt8(ascii: "\""), UInt8(ascii: "\\")]
        var output: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") { return (output, bytes[(index + 1)...]) }
            if byte == UInt8(ascii: "\\"), index + 1 < bytes.endIndex, escapable.contains(bytes[index + 1]) {
                index += 1
            }
            output.append(bytes[index])
            index += 1
        }
        return nil
    }

    /// White space within a header.
    static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// A character of a token: RFC 9110, section 5.6.2.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
