/// Fields that are read from bytes: each is checked before it is kept, whichever way the form is written.
struct CheckedFields {
    private(set) var fields = WebFields()

    /// Keeps one more field, unless its text is none or there are too many.
    mutating func append(
        _ name: String, _ value: ArraySlice<UInt8>, isNumber: Bool = false
    ) throws(BodyProblem) {
        guard fields.pairs.count < FormBody.fieldsMax else { throw .fieldsTooMany }
        guard value.count <= FormBody.valueBytesMax else { throw .valueTooLong(name) }
        guard let text = CheckedFields.text(value) else { throw .valueNotText(name) }
        guard !CheckedFields.holdsControl(value, allowed: CheckedFields.layout) else { throw .valueWithControl(name) }
        guard !TextCleaning.pilesMarks(text) else { throw .valueWithPile(name) }
        var pair = WebFields.Pair(name: name, value: text)
        pair.isNumber = isNumber
        fields.pairs.append(pair)
    }

    /// The name that some bytes stand for. A line end in a name could break a line of a log or of a mail.
    static func name(_ bytes: ArraySlice<UInt8>) throws(BodyProblem) -> String {
        guard bytes.count <= FormBody.nameBytesMax else { throw .nameTooLong }
        guard let text = text(bytes) else { throw .nameNotText }
        guard !holdsControl(bytes, allowed: []) else { throw .nameWithControl }
        return text
    }

    /// The bytes as text, without the byte order mark they may begin with; nil where they are not UTF-8.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        let mark = TextEncoding.utf8.byteOrderMark
        return String(validating: bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes, as: UTF8.self)
    }

    /// Tab, line feed and carriage return: the control characters that a text area sends.
    private static let layout: [UInt8] = [0x09, 0x0A, 0x0D]

    /// Whether UTF-8 text holds a character of the category Cc: C0, DEL or C1. The latter begin with the byte C2.
    private static func holdsControl(_ bytes: ArraySlice<UInt8>, allowed: [UInt8]) -> Bool {
        var last: UInt8 = 0
        for byte in bytes {
            if byte < 0x20 ? !allowed.contains(byte) : byte == 0x7F { return true }
            if last == 0xC2, byte < 0xA0 { return true }
            last = byte
        }
        return false
    }
}
