/// The answer to a query: named columns, and rows of cells in the order the database gave them.
///
/// ```swift
/// let table = Table(columns: ["id", "name"], rows: [[1, "Ada"], [2, .null]])
/// ```
public struct Table: Sendable, Hashable {
    /// The column names, left to right. Two columns may share a name, as in `SELECT a.id, b.id`.
    public var columns: [String]

    /// The rows, each with one cell per column.
    public var rows: [[Cell]]

    /// Whether the query had more rows than a limit let through.
    public var isTruncated = false

    /// Makes a table; `rows` hold one cell per column.
    public init(columns: [String], rows: [[Cell]] = [], isTruncated: Bool = false) {
        self.columns = columns
        self.rows = rows
        self.isTruncated = isTruncated
    }
}

/// One value of a row, in one of the five storage classes of SQLite.
///
/// Literals stand for themselves: `let row: [Cell] = [1, 2.5, "Ada", .null]`. There is no `nil` literal,
/// because in a `Cell?` it would mean "no cell" and not "a NULL".
public enum Cell: Sendable, Hashable {
    /// The absence of a value, SQL's NULL.
    case null

    /// A signed integer of 64 bits.
    case integer(Int64)

    /// A floating-point number of 64 bits.
    case real(Double)

    /// Text, as Unicode.
    case text(String)

    /// Bytes without a meaning known to the database.
    case blob([UInt8])
}

extension Cell {
    /// The cell as plain text, or `nil` for NULL.
    ///
    /// A real has the shortest form that reads back as the same number (`0.1`, `5.0`, `1e+20`), and a blob
    /// is written as the SQL literal `x'00ff'`. For display only: it does not tell `1` from `"1"`.
    public var text: String? {
        switch self {
        case .null: nil
        case .integer(let value): String(value)
        case .real(let value): value.description
        case .text(let value): value
        case .blob(let bytes): Cell.hexadecimalLiteral(bytes)
        }
    }

    /// About what the cell holds in memory, in bytes.
    public var byteCount: Int {
        switch self {
        case .null, .integer, .real: MemoryLayout<Cell>.size
        case .text(let value): MemoryLayout<Cell>.size + value.utf8.count
        case .blob(let bytes): MemoryLayout<Cell>.size + bytes.count
        }
    }

    private static func hexadecimalLiteral(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: bytes.count * 2 + 3) { buffer in
            buffer[0] = UInt8(ascii: "x")
            buffer[1] = UInt8(ascii: "'")
            var position = 2
            for byte in bytes {
                buffer[position] = digits[Int(byte >> 4)]
                buffer[position + 1] = digits[Int(byte & 0x0F)]
                position += 2
            }
            buffer[position] = UInt8(ascii: "'")
            return position + 1
        }
    }
}

extension Cell: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self = .integer(value) }
}

extension Cell: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .real(value) }
}

extension Cell: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) { self = .text(value) }
}

extension Cell: ExpressibleByBooleanLiteral {
    /// SQLite has no booleans: `true` is the integer 1 and `false` the integer 0.
    public init(booleanLiteral value: Bool) { self = .integer(value ? 1 : 0) }
}
