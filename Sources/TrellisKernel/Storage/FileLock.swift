import Foundation

/// An advisory lock on a file of its own beside the database (never on the database: closing any descriptor of that
/// file would drop the locks of SQLite in this process). Released when the value goes or the process dies.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock, waiting at most `seconds`; nil when somebody else holds it.
    init?(path: String, waiting seconds: Int = 0) throws {
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw errno == EACCES || errno == EROFS || errno == EPERM
                ? KernelError.folderNotWritable((path as NSString).deletingLastPathComponent)
                : errno == ENOSPC ? KernelError.diskFull : KernelError.diskError(String(cString: strerror(errno)))
        }
        // A tenth of a second between tries: waiting for a lock is the one place that waits on the wall.
        for attempt in 0... {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
            guard attempt < seconds * 10 else {
                close(descriptor)
                return nil
            }
            usleep(100_000)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Writes who holds it, for whoever is refused.
    func sign(_ pid: Int32) {
        let text = Array("\(pid)\n".utf8)
        ftruncate(descriptor, 0)
        _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Who signed the lock at a path.
    static func signature(path: String) -> Int32? {
        FileManager.default.contents(atPath: path).flatMap {
            Int32(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}
