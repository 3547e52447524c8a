import Foundation

/// A Maildir into which a mail server or a fetcher puts what comes back (https://cr.yp.to/proto/maildir.html).
///
/// A mail moves from `new/` to `cur/` after it is committed, and is never deleted. Whoever is stopped between the two
/// finds it in `new/` again, where its digest tells that it is done.
public struct ReturnInbox: Sendable {
    public let folder: String
    /// How many mails are taken in one round; the rest is there for the next one.
    public static let roundMax = 500

    public init(folder: String) {
        self.folder = folder
    }

    /// Hands every new mail to `take`, oldest first as far as the names tell, and moves it on afterwards.
    ///
    /// - Parameter moves: false leaves them where they are, for a dry run.
    /// - Returns: how many there were.
    /// - Throws: what `take` throws: then this mail and the later ones stay where they are. ``KernelError/usage(_:)``
    ///   where the folder cannot be read.
    @discardableResult
    public func each(moves: Bool = true, _ take: ([UInt8]) throws -> Void) throws -> Int {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder + "/new")
        } catch {
            throw KernelError.usage(
                "\(folder)/new cannot be read. A Maildir is a folder with new/, cur/ and tmp/; make it, or name another one."
            )
        }
        var count = 0
        for name in names.sorted() where !name.hasPrefix(".") && count < ReturnInbox.roundMax {
            guard let bytes = ReturnInbox.content(of: "\(folder)/new/\(name)") else { continue }
            try take(bytes)
            count += 1
            if moves { try move(name) }
        }
        return count
    }

    /// Only plain files: whoever may write into the folder could put a pipe there, or a link to somewhere else. Nil
    /// also where another program has moved it meanwhile.
    private static func content(of path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return bytes(of: file)
    }

    /// What is kept of a mail, read from an open file or pipe; the rest is left in it.
    public static func bytes(of file: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < ReceivedMail.bytesMax {
            let count = read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    /// Marked as seen. A name that already holds flags is not of a new mail, and keeps them.
    private func move(_ name: String) throws {
        let seen = name.contains(":") ? name : name + ":2,S"
        mkdir(folder + "/cur", 0o700)
        guard rename("\(folder)/new/\(name)", "\(folder)/cur/\(seen)") == 0 || errno == ENOENT else {
            throw KernelError.usage(
                "A mail was read and cannot be moved to \(folder)/cur. Let the user who runs this write there; the mail is not taken in twice."
            )
        }
    }
}

extension Kernel {
    /// What the kernel does beside the log.
    var ownChores: [Chore] {
        guard let folder = config.site.mail.inbox.map(config.path) else { return [] }
        return [
            Chore("read returned mail", every: .seconds(30)) { kernel in
                let mailroom = Mailroom(kernel)
                // A backlog is worked off at once, in rounds that each read the folder anew.
                while try ReturnInbox(folder: folder).each({ try mailroom.take($0) }) == ReturnInbox.roundMax {}
            }
        ]
    }
}
