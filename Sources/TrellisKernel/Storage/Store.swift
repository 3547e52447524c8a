import CTrellisSQLite
import Foundation

/// The open database file: its pool, its guards and its settings.
struct Store: Sendable {
    let path: String
    let pool: DatabasePool
    private let times = StatementTimes.fromEnvironment()

    /// "TRLS": tells a Trellis file from other SQLite files (https://www.sqlite.org/pragma.html#pragma_application_id).
    static let applicationID = 0x5452_4C53
    /// How long a writer waits for another process before it says so.
    static let busyTimeoutSeconds = 10.0
    init(path: String, clock: KernelClock, workload: Workload) throws {
        self.path = path
        try Store.checkFolder(of: path)
        try PrivateFile.make(path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(Store.busyTimeoutSeconds)
        configuration.maximumReaderCount = 3
        configuration.transactionClock = .custom { _ in clock.now() }
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            if clock.rulesSQL, let handle = db.sqliteConnection { try UnrealTime.install(clock, on: handle) }
        }
        do {
            let mayCopy = try Store.worker(on: path) == nil
            pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction {
                try Store.prepareWriter($0, workload, mayCopy: mayCopy)
                times?.watch($0)
            }
        } catch let error as DatabaseError {
            throw KernelError.from(error, path: path) ?? error
        }
    }

    /// The pool sets synchronous=NORMAL when it opens, which could lose acknowledged rows in a power cut: so set it
    /// after, and look.
    ///
    /// - Parameter mayCopy: whether this process may copy the write-ahead log into the file. Beside a worker only the
    ///   worker does: before SQLite 3.51.3 a copy by one process at the instant another writes could, rarely, damage
    ///   the log (https://www.sqlite.org/wal.html).
    private static func prepareWriter(_ db: Database, _ workload: Workload, mayCopy: Bool) throws {
        try db.execute(
            sql: """
                PRAGMA synchronous = \(workload.isDurable ? "FULL" : "OFF");
                PRAGMA cache_size = -\(workload.cacheKibibytes);
                PRAGMA journal_size_limit = \(workload.checkpointPages * 8192);
                PRAGMA wal_autocheckpoint = \(mayCopy ? workload.checkpointPages : 0);
                \(BatchWindow.schema)
                """)
        guard try !workload.isDurable || Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
            throw KernelError.durabilityNotSet
        }
    }

    /// Closes the readers first: only a writer that closes last takes the write-ahead log away, and the pool closes it
    /// first (https://github.com/groue/GRDB.swift/issues/739).
    func close() throws {
        pool.releaseMemory()
        try pool.close()
        times?.print()
    }

    /// Refuses a file of another program before anything is written to it, and marks a new one as ours.
    func claim() throws {
        let (mark, tables) = try pool.read { db in
            (
                try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
                try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
            )
        }
        if mark == Store.applicationID { return }
        guard mark == 0, tables == 0 else { throw KernelError.foreignDatabase(path) }
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA application_id = \(Store.applicationID)")
        }
    }

    /// The pid of the worker on a file; nil where none is. 0 where it did not sign.
    static func worker(on path: String) throws -> Int32? {
        let lock = path + "-worker"
        guard FileManager.default.fileExists(atPath: lock), try FileLock(path: lock) == nil else { return nil }
        return FileLock.signature(path: lock) ?? 0
    }

    private static func checkFolder(of path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        let here = folder.isEmpty ? "." : folder
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: here, isDirectory: &isFolder), isFolder.boolValue else {
            throw KernelError.noFolder(here)
        }
        guard FileManager.default.isWritableFile(atPath: here), Store.isWritable(here) else {
            throw KernelError.folderNotWritable(here)
        }
        if FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.isReadableFile(atPath: path) else { throw KernelError.fileNotReadable(path) }
            guard FileManager.default.isWritableFile(atPath: path) else { throw KernelError.fileNotWritable(path) }
        }
    }

    /// Whether the file system takes writes at all: a read-only mount answers yes to its owner when asked for
    /// permissions.
    private static func isWritable(_ folder: String) -> Bool {
        access(folder, W_OK) == 0
    }
}
