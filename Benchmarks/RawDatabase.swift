import CTrellisSQLite

/// A connection through the plain C library, with the settings of the kernel's writer in a big job, and a larger cache.
final class RawDatabase {
    let handle: OpaquePointer

    init(path: String) throws {
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else {
            throw BenchError("\(path) cannot be opened.")
        }
        self.handle = handle
        try run(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY;
            PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 268435456; PRAGMA wal_autocheckpoint = 32768;
            """)
    }

    deinit {
        sqlite3_close(handle)
    }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw problem(sql) }
    }

    func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw problem(sql)
        }
        return statement
    }

    /// All rows as texts, columns joined by `|`.
    func rows(_ sql: String) throws -> [String] {
        let statement = try prepare(sql)
        defer { sqlite3_finalize(statement) }
        var rows: [String] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            rows.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
                }.joined(separator: "|"))
        }
        return rows
    }

    func dropTriggers() throws {
        for name in try rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'") {
            try run("DROP TRIGGER \(name)")
        }
    }

    func problem(_ sql: String) -> BenchError {
        BenchError("\(String(cString: sqlite3_errmsg(handle))) in: \(sql.prefix(300))")
    }
}
