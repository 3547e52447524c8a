/// Writes CSV records to a buffer, as RFC 4180 has them.
///
/// ```swift
/// let writer = CSVWriter(safe: true)
/// var buffer: [UInt8] = []
/// writer.append(["email", "note"], to: &buffer)
/// writer.append(["ada@example.org", "said \"yes\""], to: &buffer)
/// ```
public struct CSVWriter: Sendable {
    /// What ends a record.
    public enum LineEnd: Sendable, Equatable {
        /// LF, which every reader takes.
        case lineFeed
        /// CR and LF, which RFC 4180 asks for.
        case carriageReturnLineFeed
    }

    /// The ASCII byte between two fields; not a quote and not a line end.
    public let delimiter: UInt8
    /// What ends each record.
    public let lineEnd: LineEnd
    /// Whether a field that a spreadsheet would take for a formula gets a `'` in front, so that a stranger's
    /// form entry runs nothing on the machine of the person who opens the export. Plain numbers stay numbers.
    public let safe: Bool

    /// Describes a way to write.
    public init(delimiter: UInt8 = UInt8(ascii: ","), lineEnd: LineEnd = .lineFeed, safe: Bool = false) {
        self.delimiter = delimiter
        self.lineEnd = lineEnd
        self.safe = safe
    }

    /// Appends a record with its line end.
    ///
    /// A record of one empty field is written `""`, for an empty line would be no record at all.
    public func append(_ fields: [String], to buffer: inout [UInt8]) {
        if fields.count == 1, fields[0].isEmpty {
            buffer.append(Self.quote)
            buffer.append(Self.quote)
        }
        for (index, field) in fields.enumerated() {
            if index > 0 { appendDelimiter(to: &buffer) }
            var field = field
            field.withUTF8 { appendField($0, to: &buffer) }
        }
        appendLineEnd(to: &buffer)
    }

    /// Appends one field given as UTF-8; the caller puts delimiters and line ends around it.
    ///
    /// It goes with `CSVRow.withUTF8`, to pass a field on without making a string of it.
    public func appendField(_ bytes: UnsafeBufferPointer<UInt8>, to buffer: inout [UInt8]) {
        let isGuarded = safe && Self.looksLikeFormula(bytes)
        guard needsQuotes(bytes) else {
            if isGuarded { buffer.append(Self.guardian) }
            buffer.append(contentsOf: bytes)
            return
        }
        buffer.append(Self.quote)
        if isGuarded { buffer.append(Self.guardian) }
        for byte in bytes {
            if byte == Self.quote { buffer.append(Self.quote) }
            buffer.append(byte)
        }
        buffer.append(Self.quote)
    }

    /// Appends what stands between two fields.
    public func appendDelimiter(to buffer: inout [UInt8]) {
        buffer.append(delimiter)
    }

    /// Appends what ends a record.
    public func appendLineEnd(to buffer: inout [UInt8]) {
        if lineEnd == .carriageReturnLineFeed { buffer.append(UInt8(ascii: "\r")) }
        buffer.append(UInt8(ascii: "\n"))
    }

    private static let quote = UInt8(ascii: "\"")
    /// Tells a spreadsheet that what follows is text.
    private static let guardian = UInt8(ascii: "'")

    private func needsQuotes(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.contains {
            $0 == delimiter || $0 == Self.quote || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
        }
    }

    /// Whether a spreadsheet would calculate the field. Source: OWASP, "CSV Injection".
    private static func looksLikeFormula(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        switch bytes.first {
        case UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            true
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            !isPlainNumber(bytes)
        case 0xEF where bytes.count >= 3 && bytes[1] == 0xBC:
            // The full-width forms of + - = @, which some spreadsheets read as the narrow ones.
            [0x8B, 0x8D, 0x9D, 0xA0].contains(bytes[2])
        default:
            false
        }
    }

    /// Whether the field is a sign, digits and at most one dot, such as `-12.5` or `+4917012345`.
    private static func isPlainNumber(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var digits = 0
        var dots = 0
        for byte in bytes.dropFirst() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "."): dots += 1
            default: return false
            }
        }
        return digits > 0 && dots <= 1
    }
}
