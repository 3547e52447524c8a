import Foundation

/// Brings a database up to date: the kernel first, then the plugins that are on, then the site. Forward only.
///
/// The text of every applied file is kept in `migrations`, so that an edited one is noticed and the database
/// documents itself.
struct Migrator {
    let folders: [MigrationFolder]
    let path: String

    /// Applies what is missing in one transaction: the file is as it was, or as this program wants it. Returns the ids
    /// applied.
    ///
    /// - Throws: ``KernelError/migrationFailed(_:_:)`` with the file at which it ended.
    func migrate(_ writer: some DatabaseWriter, now: Date) throws -> [String] {
        let applied = try writer.read(applied)
        try refuse(applied)
        guard !missing(Set(applied.map(\.id))).isEmpty else { return [] }
        return try writer.writeWithoutTransaction { db in
            // After https://www.sqlite.org/lang_altertable.html#otheralter: foreign keys off, change, check, commit.
            try db.execute(sql: "PRAGMA foreign_keys = OFF")
            defer { try? db.execute(sql: "PRAGMA foreign_keys = ON") }
            var done: [String] = []
            try db.inTransaction(.immediate) {
                try db.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS migrations (
                            id         TEXT PRIMARY KEY, -- owner/0001_name
                            sql        TEXT NOT NULL,    -- the file as it was applied
                            applied_at TEXT NOT NULL
                        ) STRICT
                        """)
                // Another process may have been here meanwhile.
                for (id, file) in missing(try String.fetchSet(db, sql: "SELECT id FROM migrations")) {
                    try apply(file, as: id, db, now: now)
                    done.append(id)
                }
                return .commit
            }
            return done
        }
    }

    /// The files that are not applied yet, in their order, with their ids.
    private func missing(_ applied: Set<String>) -> [(id: String, file: MigrationFile)] {
        folders.flatMap { folder in folder.files.map { ("\(folder.owner)/\($0.name)", $0) } }
            .filter { !applied.contains($0.0) }
    }

    /// Refuses a file that this program must not touch, before anything is written.
    func refuse(_ applied: [(id: String, sql: String)]) throws {
        for folder in folders {
            for (index, file) in folder.files.enumerated() where file.number != index + 1 {
                throw KernelError.migrationOutOfSequence(
                    "\(folder.owner)/\(file.name)", expected: String(format: "%04d", index + 1))
            }
            for row in applied where row.id.hasPrefix(folder.owner + "/") {
                guard let file = folder.files.first(where: { "\(folder.owner)/\($0.name)" == row.id }) else {
                    throw KernelError.migrationUnknown(row.id)
                }
                guard file.sql == row.sql else { throw KernelError.migrationEdited(row.id) }
            }
        }
    }

    func applied(_ db: Database) throws -> [(id: String, sql: String)] {
        guard try db.tableExists("migrations") else { return [] }
        return try Row.fetchAll(db, sql: "SELECT id, sql FROM migrations ORDER BY rowid").map { ($0[0], $0[1]) }
    }

    private func apply(_ file: MigrationFile, as id: String, _ db: Database, now: Date) throws {
        do {
            try db.execute(sql: file.sql)
            try db.checkForeignKeys()
            try db.execute(
                sql: "INSERT INTO migrations (id, sql, applied_at) VALUES (?, ?, ?)",
                arguments: [id, file.sql, Timestamp.text(now)])
        } catch let error as DatabaseError {
            throw KernelError.from(error, path: path) ?? KernelError.migrationFailed(id, error.message ?? "\(error)")
        }
    }
}
