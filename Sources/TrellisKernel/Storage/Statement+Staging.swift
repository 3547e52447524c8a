import CTrellisSQLite

extension Statement {
    /// Runs an INSERT into a temp table with values bound by the C library: past the checks and the observers of the
    /// pool, which cost more than such a row itself.
    ///
    /// - Throws: `DatabaseError` where SQLite refuses the row.
    func stage(_ values: [DatabaseValue]) throws {
        sqlite3_clear_bindings(sqliteStatement)
        for (index, value) in values.enumerated() where !bind(value, at: Int32(index + 1)) {
            // A blob, which only a filter could have put there.
            setUncheckedArguments(StatementArguments(values))
            return try execute()
        }
        let code = sqlite3_step(sqliteStatement)
        sqlite3_reset(sqliteStatement)
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code), sql: sql) }
    }

    private func bind(_ value: DatabaseValue, at index: Int32) -> Bool {
        switch value.storage {
        case .null: break
        case .int64(let number): sqlite3_bind_int64(sqliteStatement, index, number)
        case .double(let number): sqlite3_bind_double(sqliteStatement, index, number)
        case .string(let text): trellis_bind_text(sqliteStatement, index, text, Int32(text.utf8.count))
        case .blob: return false
        }
        return true
    }
}
