import CTrellisSQLite
import Foundation

/// A row on its way into a table that only this connection looks at, its values bound by the C library from left to
/// right: past the checks and the observers of the pool, which cost more than such a row itself.
struct StagedRow: ~Copyable {
    private let statement: Statement
    private var column: Int32 = 0

    /// - Parameter statement: an INSERT or UPDATE with a mark per value.
    init(_ statement: Statement) {
        self.statement = statement
        sqlite3_clear_bindings(statement.sqliteStatement)
    }

    mutating func append(_ number: Int64?) {
        column += 1
        guard let number else { return }
        sqlite3_bind_int64(statement.sqliteStatement, column, number)
    }

    mutating func append(_ text: String?) {
        column += 1
        guard let text else { return }
        trellis_bind_text(statement.sqliteStatement, column, text, Int32(text.utf8.count))
    }

    mutating func append(_ value: DatabaseValue) {
        switch value.storage {
        case .null: column += 1
        case .int64(let number): append(number)
        case .string(let text): append(text)
        case .double(let number):
            column += 1
            sqlite3_bind_double(statement.sqliteStatement, column, number)
        case .blob(let data):
            column += 1
            data.withUnsafeBytes { bytes in
                _ = trellis_bind_blob(statement.sqliteStatement, column, bytes.baseAddress, Int32(bytes.count))
            }
        }
    }

    /// - Throws: `DatabaseError` where SQLite refuses the row.
    consuming func write() throws {
        let code = sqlite3_step(statement.sqliteStatement)
        sqlite3_reset(statement.sqliteStatement)
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), sql: statement.sql)
        }
    }
}
