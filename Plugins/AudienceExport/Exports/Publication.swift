import Foundation
import TrellisKernel

/// Gives files their names when their receipts are in the database, and not before: a file without receipts could be
/// uploaded, and nobody in it would ever be taken off again. What a crash leaves between the two is finished later.
enum Publication {
    /// What a file is called as long as it is not published, after its name.
    static let suffix = ".part"

    /// Renames the files after the commit. Where the transaction is undone, or the savepoint the export stands in, they
    /// are removed.
    static func promise(_ paths: [String], of export: Int64, _ tx: Transaction) throws {
        guard !paths.isEmpty else { return }
        for path in paths {
            try tx.db.execute(
                sql: "INSERT INTO audiences_unpublished (export_id, path) VALUES (?, ?)",
                arguments: [export, absolute(path)])
        }
        tx.db.afterNextTransaction(
            onCommit: { db in
                let isKept = try? Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM audiences_unpublished WHERE export_id = ?)",
                    arguments: [export])
                // Where even that cannot be read, the files wait for the next start.
                guard let isKept else { return }
                for path in paths { if isKept { _ = rename(path + suffix, path) } else { discard(path) } }
            }, onRollback: { _ in paths.forEach(discard) })
    }

    /// The path as it is called from everywhere.
    static func absolute(_ path: String) -> String {
        (path as NSString).isAbsolutePath ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }

    /// Publishes what was committed and not renamed any more, before anything new is written under the same name.
    static func finish(_ tx: Transaction) throws {
        let rows = try Row.fetchAll(tx.db.cachedStatement(sql: "SELECT export_id, path FROM audiences_unpublished"))
        for row in rows {
            let path: String = row["path"]
            // What cannot be renamed now stays to be renamed the next time.
            let isThere = FileManager.default.fileExists(atPath: path + suffix)
            guard !isThere || rename(path + suffix, path) == 0 else { continue }
            try tx.db.cachedStatement(sql: "DELETE FROM audiences_unpublished WHERE export_id = ? AND path = ?")
                .execute(arguments: [row["export_id"] as Int64, path])
        }
    }

    /// Removes what a crash left in a folder before its transaction was committed: hashes of people, and no receipts.
    static func sweep(_ folder: String, of audience: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix("\(audience)-") && name.hasSuffix(".csv\(suffix)") {
            discard("\(folder)/\(name.dropLast(suffix.count))")
        }
    }

    /// Tells whoever waits for the files that they are there.
    ///
    /// - Throws: ``KernelError/data(_:)`` where one could not be given its name.
    static func confirm(_ paths: [String]) throws {
        for path in paths where FileManager.default.fileExists(atPath: path + suffix) {
            throw KernelError.data(
                "\(path)\(suffix) is complete and could not be renamed to \(path). Make room for the name, and rename it."
            )
        }
    }

    private static func discard(_ path: String) {
        try? FileManager.default.removeItem(atPath: path + suffix)
    }
}
