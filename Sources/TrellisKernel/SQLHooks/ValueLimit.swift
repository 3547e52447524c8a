import CTrellisSQLite

/// How long a value may become while SQL of the config runs on the file's own connection: one call of `format` or
/// `replace` could otherwise ask for all memory, and no time limit is asked before it is done.
enum ValueLimit {
    /// 10 MB: far above what a lead, an event or a mail holds.
    static let bytesMax: Int32 = 10_000_000

    /// - Throws: what `body` throws; SQLite's `SQLITE_TOOBIG` for a longer value
    ///   (https://www.sqlite.org/limits.html#max_length).
    static func within<T>(_ db: Database, _ body: () throws -> T) rethrows -> T {
        guard let connection = db.sqliteConnection else { return try body() }
        let before = sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, bytesMax)
        defer { sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, before) }
        return try body()
    }
}
