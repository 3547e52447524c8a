import Foundation
import Logging

/// A copy of the file under a config: what would happen is done there, and looked at. The file itself is only read, no
/// mail leaves the copy, and it is gone with this object.
///
/// The copy takes as much room as the file, in the folder for temporary files (`TMPDIR`).
public final class TrialCopy {
    /// The copy, open. Files that its plugins write, such as exports, go to a folder beside it.
    public let kernel: Kernel
    private let folder: String

    /// Says nothing short of a disaster: what goes wrong in a copy stands in its tables.
    public static let logger: Logger = {
        var logger = Logger(label: "trellis.trial")
        logger.logLevel = .critical
        return logger
    }()

    /// Copies a file under a config that is read and checked already, with a clock of its own.
    ///
    /// - Parameters:
    ///   - database: the file to copy; somebody may be using it.
    ///   - config: what the copy is opened with; its own `database` is not touched.
    ///   - clock: the time in the copy: that of a ``TrialClock``, or the machine's.
    ///   - temporary: the folder it gets a folder of its own in.
    /// - Throws: ``KernelError`` where there is no such file, or no room for the copy; ``ConfigProblems`` where the
    ///   config does not fit it.
    public init(
        of database: String, config: Config, plugins: [any Plugin.Type], clock: KernelClock = .system,
        logger: Logger = TrialCopy.logger, in temporary: String = NSTemporaryDirectory()
    ) throws {
        var config = config
        folder = URL(filePath: temporary).appending(path: "trellis-trial-" + UUID().uuidString).path()
        try TrialCopy.checkRoom(for: database, in: temporary)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        do {
            config.site.database = folder + "/copy.sqlite"
            config.outputFolder = folder + "/files"
            try TrialCopy.copy(database, to: config.site.database)
            kernel = try Kernel(
                config: config, plugins: plugins, clock: clock, logger: logger, workload: .trial, adopting: true)
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    /// Copies the file of a kernel under another config, which is read and checked here.
    ///
    /// - Parameter file: the other config; its own `database` is not touched.
    /// - Throws: ``ConfigProblems`` for what is wrong with it, ``KernelError`` where it cannot be read or the copy not
    ///   made.
    public convenience init(of original: Kernel, config file: String) throws {
        try self.init(
            of: original.config.databasePath, config: try TrialCopy.config(file, original.pluginTypes),
            plugins: original.pluginTypes, clock: original.clock, logger: original.logger)
    }

    /// Reads a config that is named besides the configuration: 'trellis init' would not write that one.
    private static func config(_ file: String, _ plugins: [any Plugin.Type]) throws -> Config {
        do {
            return try Config.checked(file: file, plugins: plugins).config
        } catch KernelError.noConfig {
            throw KernelError.unreadable(file)
        }
    }

    deinit {
        try? kernel.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Keeps what the copy holds now as a file of its own.
    ///
    /// - Returns: its size in bytes.
    /// - Throws: ``KernelError`` where the file is there already or cannot be written.
    @discardableResult
    public func keep(as path: String) throws -> Int64 {
        try Backup.make(kernel, to: path)
    }

    /// Page by page, while others go on (https://www.sqlite.org/backup.html); the original is only read.
    private static func copy(_ database: String, to path: String) throws {
        try KernelError.translating(database) {
            let original = try ReadingQueue.open(database)
            try PrivateFile.make(path)
            let copy = try DatabaseQueue(path: path)
            try original.backup(to: copy)
            try copy.close()
            try original.close()
        }
    }

    /// A copy that fills the disk would stop whoever works beside it.
    private static func checkRoom(for database: String, in folder: String) throws {
        let files = FileManager.default
        guard let size = try? files.attributesOfItem(atPath: database)[.size] as? NSNumber else {
            throw KernelError.noDatabase(database)
        }
        guard let free = try? files.attributesOfFileSystem(forPath: folder)[.systemFreeSize] as? NSNumber else {
            return
        }
        try checkRoom(bytes: size.int64Value, free: free.int64Value, folder)
    }

    static func checkRoom(bytes: Int64, free: Int64, _ folder: String) throws {
        // A month of events beside what is there; a file that grows more says so when the disk is full.
        let (needed, megabyte) = (bytes / 2 * 3, Int64(1_000_000))
        guard free < needed else { return }
        throw KernelError.cannotCopy(
            folder, neededMegabytes: needed / megabyte + 1, freeMegabytes: free / megabyte)
    }
}
