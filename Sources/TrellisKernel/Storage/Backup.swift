import Foundation

/// A backup that was looked at: made by SQLite, checked, and only then given its name.
public enum Backup {
    /// Copies the database, while it is in use, into a new file that its owner alone may read. Its folder is made where
    /// it is not there.
    ///
    /// - Returns: the size of the copy in bytes.
    /// - Throws: ``KernelError`` where the file is there already or the disk is full; no half copy is left.
    public static func make(_ kernel: Kernel, to path: String) throws -> Int64 {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw KernelError.usage("\(path) is there already. Name another file; a backup never overwrites one.")
        }
        let folder = try makeFolder(of: path)
        let draft = path + ".part"
        try? FileManager.default.removeItem(atPath: draft)
        do {
            try begin(draft, of: path)
            try kernel.store.pool.writeWithoutTransaction { db in
                try db.execute(sql: "VACUUM INTO ?", arguments: [draft])
            }
            try verify(draft, like: kernel)
            // SQLite does not wait for the disk here. The copy gets its name once it is whole on the disk, and the name
            // is only safe once its folder is there too.
            try PrivateFile.sync(draft)
            guard rename(draft, path) == 0 else { throw KernelError.diskError(String(cString: strerror(errno))) }
            try PrivateFile.sync(folder)
        } catch {
            try? FileManager.default.removeItem(atPath: draft)
            if let failure = error as? DatabaseError { throw KernelError.from(failure, path: path) ?? failure }
            throw error
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.size] as? NSNumber)?.int64Value ?? 0
    }

    private static func begin(_ draft: String, of path: String) throws {
        do {
            guard try PrivateFile.make(draft) else { throw KernelError.cannotCreate(draft) }
        } catch KernelError.cannotCreate {
            throw KernelError.cannotCreate(path)
        }
    }

    private static func makeFolder(of path: String) throws -> String {
        let folder = (path as NSString).deletingLastPathComponent
        guard !folder.isEmpty else { return "." }
        guard !FileManager.default.fileExists(atPath: folder) else { return folder }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw KernelError.unwritable(path)
        }
        return folder
    }

    private static func verify(_ path: String, like kernel: Kernel) throws {
        let copy = try SQLConnection(path: path, access: .read)
        let counts = "SELECT (SELECT count(*) FROM leads) AS leads, (SELECT count(*) FROM migrations) AS migrations"
        guard try copy.table(counts).rows.first?.first != nil else { throw KernelError.damaged(path, "no leads table") }
        let check = try ReadingQueue.open(path).read {
            try String.fetchAll($0, sql: "PRAGMA integrity_check(1)")
        }
        guard check == ["ok"] else { throw KernelError.damaged(path, check.first ?? "integrity check failed") }
    }
}
