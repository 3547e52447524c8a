import Foundation

/// Why the kernel refused. Each sentence says what is wrong, then what to do; ``exitCode`` is what a command ends with.
public enum KernelError: Error, Sendable, Equatable, CustomStringConvertible {
    case noConfig(String)
    case noFile(String)
    case noFolder(String)
    case folderMissing(String)
    case cannotListen(address: String, setting: String, reason: ListeningFault)
    case folderNotWritable(String)
    case fileNotWritable(String)
    case fileNotReadable(String)
    case notADatabase(String)
    case foreignDatabase(String)
    case noDatabase(String)
    case damaged(String, String)
    case migrationEdited(String)
    case migrationUnknown(String)
    case migrationOutOfSequence(String, expected: String)
    case migrationFailed(String, String)
    case secondWorker(pid: Int32?)
    case lockedForOpening(String)
    case busy
    case diskFull
    case diskError(String)
    case durabilityNotSet
    case duplicateHook(HookID)
    case noLead(String)
    case noSecret
    case cannotCreate(String)
    case cannotCopy(String, neededMegabytes: Int64, freeMegabytes: Int64)
    case usage(String)
    case data(String)

    /// Why an address cannot be listened on.
    public enum ListeningFault: Sendable, Equatable {
        case taken
        case notPermitted
        case notOurs
    }

    /// Whether it goes away without anybody changing the config or the file: who can wait tries again.
    public var passes: Bool { self == .busy || self == .diskFull }

    /// After sysexits(3).
    public var exitCode: Int32 {
        switch self {
        case .usage: 64
        case .noLead, .data: 65
        case .noConfig, .noDatabase, .noFile: 66
        case .noFolder, .cannotCreate, .folderMissing: 73
        case .damaged, .diskFull, .cannotCopy, .diskError, .durabilityNotSet, .notADatabase: 74
        case .secondWorker, .busy, .lockedForOpening, .cannotListen(_, _, .taken): 75
        case .cannotListen(_, _, .notPermitted), .folderNotWritable, .fileNotWritable, .fileNotReadable: 77
        case .foreignDatabase, .migrationEdited, .migrationUnknown, .migrationOutOfSequence, .migrationFailed,
            .duplicateHook, .noSecret, .cannotListen(_, _, .notOurs):
            78
        }
    }

    public var description: String {
        switch self {
        case .noConfig(let file): "There is no \(file). Write one with 'trellis init', or name it with --config."
        case .noFile(let path): "There is no file \(path). Check its name."
        case .folderMissing(let path): "The folder \(path) does not exist. Make it first, or name a file in another."
        case .cannotListen(let address, let setting, .taken):
            "Another process already listens on \(address). Stop it, or set another port in \(setting)."
        case .cannotListen(let address, let setting, .notPermitted):
            "Listening on \(address) is not permitted. Set a port from 1024 up in \(setting), and put a proxy in front of it."
        case .cannotListen(let address, let setting, .notOurs):
            "\(address) is no address of this machine. Set one in \(setting), such as 127.0.0.1:8080."
        case .noFolder(let path):
            "The folder \(path) does not exist. Make it first, or change 'database' in the config."
        case .cannotCreate(let path):
            "The file \(path) cannot be written. Name one in a folder that is there and that you may write to."
        case .folderNotWritable(let path):
            "The folder \(path.isEmpty ? "." : path) cannot be written to, and SQLite keeps files beside the database. Change its owner or permissions."
        case .fileNotWritable(let path): "The database \(path) is read-only. Change its owner or permissions."
        case .fileNotReadable(let path): "\(path) cannot be read. Change its owner or permissions."
        case .notADatabase(let path):
            "\(path) is not a SQLite database, or its first page is damaged. Name another file under 'database', or restore a backup."
        case .foreignDatabase(let path):
            "\(path) is a SQLite database of another program. Name another file under 'database' in the config."
        case .noDatabase(let path):
            "There is no database \(path) yet. Check its name, or make it with 'trellis import' or 'trellis work --until-idle'."
        case .damaged(let path, let detail):
            "The database \(path) is damaged (\(detail)). Nothing was written. Restore the newest backup, "
                + "or save what is readable with: sqlite3 \(path) .recover > saved.sql"
        case .migrationEdited(let id):
            "The migration \(id) was edited after it was applied here. Restore its text, and put the change into a new file."
        case .migrationUnknown(let id):
            "This database was migrated by a newer trellis (\(id)). Upgrade the program, or restore the backup made before the upgrade."
        case .migrationOutOfSequence(let id, let expected):
            "The migration \(id) is out of sequence: the next must be numbered \(expected). Rename it."
        case .migrationFailed(let id, let reason):
            "The migration \(id) failed and the database is as it was before: \(reason)"
        case .secondWorker(let pid):
            "Another worker\(pid.map { " (pid \($0))" } ?? "") already runs this database. Stop it first, or let it do the work."
        case .lockedForOpening(let path):
            "Another process is opening or migrating \(path) for more than 30 seconds. Try again."
        case .busy:
            "The database was locked by another program for more than 10 seconds; nothing was written. "
                + "Close the shell or tool that holds a transaction open, and try again."
        case .cannotCopy(let folder, let needed, let free):
            "A copy of the file takes about \(needed) MB, and \(folder) has \(free) MB left. Free some space, or name a folder with more room: TMPDIR=/var/tmp."
        case .diskFull: "The disk is full; nothing of this step was written. Free some space and try again."
        case .diskError(let detail):
            "The disk reported an error (\(detail)); Trellis stopped to protect the data. Check the disk, then start again."
        case .durabilityNotSet:
            "SQLite did not accept synchronous=FULL, so that a power cut could lose what was acknowledged. Trellis does not run like that."
        case .duplicateHook(let id): "Two hooks are called \(id). Rename one: its name keys its cursor."
        case .noLead(let reference): "There is no lead '\(reference)'. Give an id, an e-mail address, or external:ID."
        case .noSecret:
            "site.secret is not set, and this step needs it. Put secret: ${TRELLIS_SECRET} under site: and the value in .env."
        case .usage(let sentence), .data(let sentence): sentence
        }
    }

    /// Why a file that is named cannot be read: none is there, it is a folder, or it may not be.
    public static func unreadable(_ path: String) -> KernelError {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return .noFile(path) }
        return isFolder.boolValue ? .usage("\(path) is a folder. Name a file.") : .fileNotReadable(path)
    }

    /// Why a file that is named cannot be written: its folder is not there, it is a folder, or it may not be.
    public static func unwritable(_ path: String) -> KernelError {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            return .usage("\(path) is a folder. Name a file.")
        }
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty || FileManager.default.fileExists(atPath: folder)
            ? .cannotCreate(path) : .folderMissing(folder)
    }

    /// Runs `body`, and says what an error of SQLite about the file means to a person.
    static func translating<T>(_ path: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw from(error, path: path) ?? error
        }
    }

    /// What an error of SQLite means to a person; nil where it is not about the file or the disk.
    static func from(_ error: DatabaseError, path: String) -> KernelError? {
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: .busy
        case .SQLITE_FULL: .diskFull
        case .SQLITE_IOERR: .diskError(error.message ?? "I/O error")
        case .SQLITE_CORRUPT: .damaged(path, error.message ?? "malformed")
        case .SQLITE_NOTADB: .notADatabase(path)
        case .SQLITE_READONLY: .fileNotWritable(path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM: .folderNotWritable(path)
        default: nil
        }
    }
}
