import Foundation
import Synchronization

/// Brings a database up to date: the kernel first, then the plugins that are on or paused, then the site. Forward only.
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
        let isNew = try writer.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") == 0 }
        return isNew ? try MigratedImage.of(self).fill(writer, now: now) : try change(writer, now: now)
    }

    /// Applies what is missing to a file that has something in it.
    fileprivate func change(_ writer: some DatabaseWriter, now: Date) throws -> [String] {
        try writer.writeWithoutTransaction { db in
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

/// What a new file has in it, made once in memory for all new files of the process: the check of a config and the file
/// it is for are copies of the same pages (https://www.sqlite.org/backup.html), which takes a millisecond. It stays in
/// memory, about a megabyte for each set of migrations.
private struct MigratedImage: Sendable {
    private let queue: DatabaseQueue
    private let ids: [String]

    private static let made = Mutex<[[String]: MigratedImage]>([:])

    static func of(_ migrator: Migrator) throws -> MigratedImage {
        let texts = migrator.folders.flatMap { folder in
            folder.files.flatMap { ["\(folder.owner)/\($0.name)", $0.sql] }
        }
        return try made.withLock { made in
            if let image = made[texts] { return image }
            let queue = try DatabaseQueue()
            // The copy takes the mark of the file along: a process that dies right after it leaves a file of ours.
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA application_id = \(Store.applicationID)") }
            let ids = try migrator.change(queue, now: Date(timeIntervalSince1970: 0))
            let image = MigratedImage(queue: queue, ids: ids)
            made[texts] = image
            return image
        }
    }

    /// Makes an empty database like it, at once; then notes when that was.
    ///
    /// - Returns: the ids of the files.
    func fill(_ writer: some DatabaseWriter, now: Date) throws -> [String] {
        try queue.backup(to: writer)
        try writer.write {
            try $0.execute(sql: "UPDATE migrations SET applied_at = ?", arguments: [Timestamp.text(now)])
        }
        return ids
    }
}
