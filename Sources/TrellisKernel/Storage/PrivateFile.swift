import Foundation

/// A file that its owner alone may read, for what holds personal data. SQLite gives the files beside a database the
/// mode of the database (https://www.sqlite.org/src/file/src/os_unix.c, `findCreateFileMode`).
enum PrivateFile {
    /// Makes an empty file; one that is there stays as it is.
    ///
    /// - Returns: whether it was made here.
    /// - Throws: ``KernelError`` where it cannot be made.
    @discardableResult
    static func make(_ path: String) throws -> Bool {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor < 0 else {
            close(descriptor)
            return true
        }
        switch errno {
        case EEXIST: return false
        case ENOSPC, EDQUOT: throw KernelError.diskFull
        default: throw KernelError.unwritable(path)
        }
    }

    /// Waits until what a file or a folder holds is on the disk.
    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw KernelError.diskError(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw KernelError.diskError(String(cString: strerror(errno))) }
    }
}
