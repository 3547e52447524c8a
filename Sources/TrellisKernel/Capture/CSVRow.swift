/// One data record of a CSV file.
///
/// A row is a value: it stays as it is when the reader goes on. A loop that lets go of each row before it
/// asks for the next one, as `while let row = try reader.next()` does, costs no allocation per row; a row
/// that is kept takes its memory with it.
///
/// ```swift
/// while let row = try reader.next() {
///     guard row.isValidText, !row.isEmpty(0) else { continue }
///     emails.append(row.text(0))
/// }
/// ```
public struct CSVRow {
    private let page: CSVPage
    private let columnsInHeader: Int
    /// The number of this data record in its file, from 1; neither the header nor blank lines count.
    public let number: Int

    init(page: CSVPage, number: Int, columnsInHeader: Int) {
        self.page = page
        self.number = number
        self.columnsInHeader = columnsInHeader
    }

    /// The physical line on which this record begins, from 1.
    public var line: Int { page.record.line }

    /// How many fields this record has, whatever the header promises.
    public var count: Int { page.record.count }

    /// How many fields this record has past the last column of the header; 0 for a record that is short.
    public var excess: Int { max(0, count - columnsInHeader) }

    /// Whether every field is well-formed text without NUL. A row where this is false should be rejected:
    /// `text` would show replacement characters in it.
    public var isValidText: Bool { page.record.isValidText }

    /// Whether a field holds no byte at all. A column that a short record lacks is empty too.
    ///
    /// - Parameter column: the position of the column, from 0.
    public func isEmpty(_ column: Int) -> Bool {
        page.record.range(of: column).isEmpty
    }

    /// A field as a string; the empty string where the record lacks the column.
    ///
    /// - Parameter column: the position of the column, from 0.
    public func text(_ column: Int) -> String {
        withUTF8(column) { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends the bytes of a field, without its quotes, for the duration of `body`.
    ///
    /// - Parameter column: the position of the column, from 0; one that the record lacks has no bytes.
    public func withUTF8<Result>(
        _ column: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        let range = page.record.range(of: column)
        let bytes = UnsafeBufferPointer(start: page.record.bytes + range.lowerBound, count: range.count)
        return try withExtendedLifetime(page) { try body(bytes) }
    }
}

/// What a reader and the rows it hands out share. It writes on a page only while no row refers to it.
final class CSVPage {
    var record = CSVRecord()
}

/// The fields of one record, one after the other in memory that is used again for the next record.
struct CSVRecord: ~Copyable {
    /// Parts the fields in memory, so that two broken characters never join into a valid one.
    private static let separator: UInt8 = 0x2C
    /// Enough for most records, so that a kept row is small; longer records make it grow.
    private static let initialBytes = 512
    private static let initialColumns = 32

    private(set) var bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: initialBytes)
    private(set) var bytesCapacity = initialBytes
    /// How many of the bytes are in use.
    var bytesCount = 0
    /// Where each field ends; the next one begins one separator later.
    private var ends = UnsafeMutablePointer<Int>.allocate(capacity: initialColumns)
    private var endsCapacity = initialColumns
    private(set) var count = 0
    /// Where the field that is being written begins.
    private(set) var fieldStart = 0
    private(set) var line = 0
    private(set) var isValidText = true

    deinit {
        bytes.deallocate()
        ends.deallocate()
    }

    /// Forgets the last record and keeps its memory.
    mutating func begin(line: Int) {
        self.line = line
        bytesCount = 0
        count = 0
        fieldStart = 0
        isValidText = true
    }

    /// Ends the field that is being written.
    mutating func endField() throws(CSVProblem) {
        guard count < CSVReader.columnsMax else {
            throw .columnsTooMany(line: line, columnsMax: CSVReader.columnsMax)
        }
        if count == endsCapacity { growEnds() }
        ends[count] = bytesCount
        count += 1
    }

    /// Starts one more field after the one that was ended last.
    mutating func beginField() throws(CSVProblem) {
        if bytesCount == bytesCapacity { try growBytes() }
        bytes[bytesCount] = Self.separator
        bytesCount += 1
        fieldStart = bytesCount
    }

    /// Ends the record.
    ///
    /// - Parameters:
    ///   - bitsSeen: all its bytes, joined with "or"; the high bit tells that not all of them were ASCII.
    ///   - hasNUL: whether one of them was NUL.
    mutating func end(bitsSeen: UInt8, hasNUL: Bool) {
        isValidText = !hasNUL
        guard bitsSeen >= 0x80, isValidText else { return }
        isValidText = UTF8Validation.accepts(UnsafeBufferPointer(start: bytes, count: bytesCount))
    }

    /// The bytes of a field; an empty range for a column that the record lacks.
    func range(of column: Int) -> Range<Int> {
        guard column >= 0, column < count else { return 0..<0 }
        return (column == 0 ? 0 : ends[column - 1] + 1)..<ends[column]
    }

    /// Makes room for more bytes, up to one past the limit, where the record is known to be too long.
    mutating func growBytes() throws(CSVProblem) {
        guard bytesCapacity <= CSVReader.recordBytesMax else {
            throw .recordTooLong(line: line, bytesMax: CSVReader.recordBytesMax)
        }
        let capacity = min(bytesCapacity * 2, CSVReader.recordBytesMax + 1)
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        grown.update(from: bytes, count: bytesCount)
        bytes.deallocate()
        bytes = grown
        bytesCapacity = capacity
    }

    private mutating func growEnds() {
        let capacity = endsCapacity * 2
        let grown = UnsafeMutablePointer<Int>.allocate(capacity: capacity)
        grown.update(from: ends, count: count)
        ends.deallocate()
        ends = grown
        endsCapacity = capacity
    }
}
