/// Reads the body of a form, whichever way it is written, and the query of a URL.
///
/// Every text that comes out is UTF-8 without control characters other than tabs and line ends. It is not yet
/// normalised: see ``TextCleaning``. The time is linear in the size of the body.
public enum FormBody {
    /// A body is held in memory at once; the longest form on the web seldom has a tenth of this.
    public static let bytesMax = 262_144
    /// A form of more fields than this is not filled in by a person.
    public static let fieldsMax = 200
    /// Names are words of a program. A database column of 200 bytes would be unusable.
    public static let nameBytesMax = 200
    /// About 20 pages of text.
    public static let valueBytesMax = 65_536

    /// How a body may be written, as part of a sentence.
    static let contentTypes = "application/x-www-form-urlencoded, multipart/form-data or application/json"

    /// Reads a body by its content type: a URL-encoded form, a multipart form or a flat JSON object.
    ///
    /// - Parameter contentType: the header as it came. Without it the body must be empty, and has no fields.
    public static func read(_ body: [UInt8], contentType: String?) throws(BodyProblem) -> WebFields {
        guard body.count <= bytesMax else { throw .bodyTooLong }
        guard let contentType, !contentType.utf8.allSatisfy(HeaderValue.isSpace) else {
            guard body.isEmpty else { throw .contentTypeMissing }
            return WebFields()
        }
        guard let type = HeaderValue(Array(contentType.utf8)[...]) else { throw .contentTypeUnreadable }
        guard type.isUTF8 else { throw .charsetForeign }
        switch type.word {
        case "application/x-www-form-urlencoded": return try URLEncodedForm.read(body)
        case "multipart/form-data": return try MultipartForm.read(body, boundary: type["boundary"])
        case "application/json": return try JSONForm.read(body)
        default: throw .contentTypeUnknown
        }
    }

    /// Reads the query of a URL, without its question mark.
    public static func query(_ text: some StringProtocol) throws(BodyProblem) -> WebFields {
        guard text.utf8.count <= bytesMax else { throw .queryTooLong }
        return try URLEncodedForm.read(Array(text.utf8))
    }
}

/// A form as `application/x-www-form-urlencoded`.
///
/// Source: the URL standard of WHATWG, section 5.1, with one difference: it puts U+FFFD where bytes are not UTF-8, and
/// here they are refused, because the text would be stored wrong.
enum URLEncodedForm {
    static func read(_ bytes: [UInt8]) throws(BodyProblem) -> WebFields {
        var fields = CheckedFields()
        var begin = 0
        while begin < bytes.count {
            let end = bytes[begin...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.count
            // An empty sequence is no field: the standard skips it.
            if begin < end {
                let equals = bytes[begin..<end].firstIndex(of: UInt8(ascii: "=")) ?? end
                let name = try CheckedFields.name(decoded(bytes[begin..<equals]))
                try fields.append(name, decoded(bytes[min(equals + 1, end)..<end]))
            }
            begin = end + 1
        }
        return fields.fields
    }

    /// A plus sign is a space. A percent sign without two hexadecimal digits after it stays as it is.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return bytes }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.endIndex,
                let high = Hexadecimal.digit(bytes[index + 1]), let low = Hexadecimal.digit(bytes[index + 2])
            {
                output.append(high << 4 | low)
                index += 3
            } else {
                output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                index += 1
            }
        }
        return output[...]
    }
}
