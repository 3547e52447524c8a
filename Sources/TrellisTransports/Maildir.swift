import Foundation

/// A folder of mails, one file each, that any mail program can open (https://cr.yp.to/proto/maildir.html).
///
/// A file is written and synced in `tmp/` and only then renamed into `new/`, so that a reader never sees half
/// a mail, whenever the power goes.
public struct Maildir: Sendable {
    /// The folder that holds `tmp/`, `new/` and `cur/`. Its parent must be there; the rest is made on
    /// delivery.
    public let folder: String

    public init(folder: String) {
        self.folder = folder
    }

    /// Delivers one message, once.
    ///
    /// When the call returns, the mail survives a power loss. A delivery repeated after a crash writes over
    /// its own unfinished file. Finding a mail that was already read costs a look through `cur/`, since a
    /// mail program renames it there.
    ///
    /// - Parameters:
    ///   - bytes: the message as it shall stand in the file.
    ///   - name: the message's stable name, 1 to 200 of the characters `A-Z a-z 0-9 . _ = -`, no leading dot.
    /// - Returns: false when the message already stands in `new/` or, under any flags, in `cur/`.
    /// - Throws: ``MaildirProblem``; nothing is left in `new/` then.
    public func deliver(_ bytes: [UInt8], name: String) throws(MaildirProblem) -> Bool {
        guard Self.isName(name) else { throw .badName }
        try makeFolders()
        // A mail only ever moves from new/ to cur/: looking in this order cannot miss it on its way.
        let delivered = "\(folder)/new/\(name)"
        if try exists(delivered) {
            // Its rename may date from just before a crash, and not have reached the disk.
            try syncFolder(folder + "/new")
            return false
        }
        if try wasRead(name) { return false }
        let unfinished = "\(folder)/tmp/\(name)"
        do throws(MaildirProblem) {
            try store(bytes, in: unfinished)
            guard rename(unfinished, delivered) == 0 else { throw problem("move into new/", unfinished) }
        } catch {
            // A disk that is full should at least get this back.
            unlink(unfinished)
            throw error
        }
        try syncFolder(folder + "/new")
        return true
    }

    /// Long enough for a hash and a readable part; with its flags it stays below the 255 of most file
    /// systems.
    private static let nameLengthMax = 200

    private static func isName(_ name: String) -> Bool {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._=-".utf8)
        return (1...nameLengthMax).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy(allowed.contains)
    }
}

extension Maildir {
    /// Makes what is missing, readable by its owner alone, and syncs the folder above what was made.
    private func makeFolders() throws(MaildirProblem) {
        if try make(folder) { try syncFolder((folder as NSString).deletingLastPathComponent) }
        var made = false
        for part in ["tmp", "new", "cur"] where try make("\(folder)/\(part)") {
            made = true
        }
        if made { try syncFolder(folder) }
    }

    private func make(_ path: String) throws(MaildirProblem) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw problem("make the folder", path) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw problem("look at", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw MaildirProblem(step: "make the folder", path: path, code: ENOTDIR)
        }
        return false
    }

    private func exists(_ path: String) throws(MaildirProblem) -> Bool {
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT else { throw problem("look for", path) }
        return false
    }

    /// True when `cur/` holds the name, bare or followed by `:2,` and flags.
    private func wasRead(_ name: String) throws(MaildirProblem) -> Bool {
        let path = folder + "/cur"
        guard let entries = opendir(path) else { throw problem("look through", path) }
        defer { closedir(entries) }
        let prefix = Array(name.utf8)
        while true {
            // Only errno tells the end of the folder from a failure, readdir(3).
            errno = 0
            guard let entry = readdir(entries) else {
                guard errno == 0 else { throw problem("look through", path) }
                return false
            }
            let matches = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                guard bytes.starts(with: prefix), bytes.count > prefix.count else { return false }
                return bytes[prefix.count] == 0 || bytes[prefix.count] == UInt8(ascii: ":")
            }
            if matches { return true }
        }
    }

    private func store(_ bytes: [UInt8], in path: String) throws(MaildirProblem) {
        let file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw problem("create", path) }
        do throws(MaildirProblem) {
            var offset = 0
            while offset < bytes.count {
                let written = bytes.withUnsafeBytes { buffer in
                    write(file, buffer.baseAddress.map { $0 + offset }, bytes.count - offset)
                }
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw problem("write", path) }
                offset += written
            }
            try sync(file, path: path)
        } catch {
            close(file)
            throw error
        }
        // Some network file systems report a full disk only here. On Linux the descriptor is gone after
        // EINTR.
        guard close(file) == 0 || errno == EINTR else { throw problem("close", path) }
    }

    private func syncFolder(_ path: String) throws(MaildirProblem) {
        let path = path.isEmpty ? "." : path
        let file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw problem("open", path) }
        defer { close(file) }
        do throws(MaildirProblem) {
            try sync(file, path: path)
        } catch {
            // Some file systems cannot sync a folder and say so; their renames are as safe as they get.
            guard error.code == EINVAL || error.code == ENOTSUP else { throw error }
        }
    }

    private func sync(_ file: Int32, path: String) throws(MaildirProblem) {
        while fsync(file) != 0 {
            guard errno == EINTR else { throw problem("sync", path) }
        }
    }

    private func problem(_ step: String, _ path: String) -> MaildirProblem {
        MaildirProblem(step: step, path: path, code: errno)
    }
}

/// Why a message was not put into the folder.
public enum MaildirProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// ENOSPC or EDQUOT: worth a retry once there is room.
    case diskFull(path: String, code: Int32)
    /// EACCES, EPERM or EROFS: somebody has to change the folder.
    case noPermission(path: String, code: Int32)
    /// Any other failure; the step reads as "could not STEP PATH".
    case failed(step: String, path: String, code: Int32)
    /// The message's name could leave the folder or be taken for something else.
    case badName

    init(step: String, path: String, code: Int32) {
        switch code {
        case ENOSPC, EDQUOT: self = .diskFull(path: path, code: code)
        case EACCES, EPERM, EROFS: self = .noPermission(path: path, code: code)
        default: self = .failed(step: step, path: path, code: code)
        }
    }

    /// The system's error number, 0 for a bad name.
    public var code: Int32 {
        switch self {
        case .diskFull(_, let code), .noPermission(_, let code), .failed(_, _, let code): code
        case .badName: 0
        }
    }

    /// The file or folder concerned, nil for a bad name.
    public var path: String? {
        switch self {
        case .diskFull(let path, _), .noPermission(let path, _), .failed(_, let path, _): path
        case .badName: nil
        }
    }

    public var description: String {
        switch self {
        case .diskFull(let path, let code):
            "\(path): the disk or its quota is full (errno \(code)). Make room; the mail waits in the outbox."
        case .noPermission(let path, let code):
            "\(path): no permission to write there (errno \(code)). "
                + "Give the folder to the user who runs this, or choose another one."
        case .failed(let step, let path, let code):
            "\(path): could not \(step): \(String(cString: strerror(code))) (errno \(code)). "
                + "Check that the path is a folder on a working disk and that its parent is there."
        case .badName:
            "A message's name for its file must be 1 to 200 of the characters A-Z a-z 0-9 . _ = - "
                + "without a leading dot. Correct what makes it."
        }
    }
}
