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
    /// Whether a field that a spreadsheet would take for a formula gets a `'` in front: see ``FormulaGuard``.
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
        let isGuarded = safe && FormulaGuard.guards(bytes[...])
        guard needsQuotes(bytes) else {
            if isGuarded { buffer.append(FormulaGuard.mark) }
            buffer.append(contentsOf: bytes)
            return
        }
        buffer.append(Self.quote)
        if isGuarded { buffer.append(FormulaGuard.mark) }
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

    private func needsQuotes(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.contains {
            $0 == delimiter || $0 == Self.quote || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
        }
    }
}
