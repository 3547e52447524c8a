import Foundation

/// Brings a database up to date: the kernel first, then the plugins that are on, then the site. Forward only.
///
/// The text of every applied file is kept in `migrations`, so that an edited one is noticed and the database
/// documents itself.
struct Migrator {
    let folders: [MigrationFolder]
    let path: String

    /// Applies what is missing, each file in its own transaction. Returns the ids applied.
    func migrate(_ writer: some DatabaseWriter, now: Date) throws -> [String] {
        try refuse(try writer.read(applied))
        var done: [String] = []
        for folder in folders {
            for file in folder.files
            where try !writer.read(applied).contains(where: { $0.id == "\(folder.owner)/\(file.name)" }) {
                try apply(file, of: folder.owner, to: writer, now: now)
                done.append("\(folder.owner)/\(file.name)")
            }
        }
        return done
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

    /// After https://www.sqlite.org/lang_altertable.html#otheralter: foreign keys off, change, check, commit.
    private func apply(_ file: MigrationFile, of owner: String, to writer: some DatabaseWriter, now: Date) throws {
        let id = "\(owner)/\(file.name)"
        do {
            try writer.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA foreign_keys = OFF")
                defer { try? db.execute(sql: "PRAGMA foreign_keys = ON") }
                try db.inTransaction(.immediate) {
                    try db.execute(
                        sql: """
                            CREATE TABLE IF NOT EXISTS migrations (
                                id         TEXT PRIMARY KEY, -- owner/0001_name
                                sql        TEXT NOT NULL,    -- the file as it was applied
                                applied_at TEXT NOT NULL
                            ) STRICT
                            """)
                    try db.execute(sql: file.sql)
                    try db.checkForeignKeys()
                    try db.execute(
                        sql: "INSERT INTO migrations (id, sql, applied_at) VALUES (?, ?, ?)",
                        arguments: [id, file.sql, Timestamp.text(now)])
                    return .commit
                }
            }
        } catch let error as DatabaseError {
            throw KernelError.from(error, path: path) ?? KernelError.migrationFailed(id, error.message ?? "\(error)")
        }
    }
}
