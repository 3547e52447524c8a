import Foundation
import Synchronization

/// A program that a test started. Foundation's own may die while it starts one in a process with a thousand open
/// files (https://github.com/swiftlang/swift-corelibs-foundation/pull/5472), and this suite has as many.
///
/// It is waited for from its start on, also where its test forgets it: who tests that a process ends waits for any, and
/// one that nobody takes away is all it ever sees (`waitid(P_ALL, …, WNOWAIT)`).
final class ChildProgram {
    struct NotStarted: Error {
        let code: Int32
    }

    let processIdentifier: pid_t
    private let end = End()

    private final class End: Sendable {
        let status = Mutex<Int32?>(nil)
        let isThere = DispatchGroup()
    }

    /// - Parameters:
    ///   - environment: all of it; nothing is inherited.
    ///   - input: without it, nothing is to be read.
    ///   - output: without it, what is written is lost.
    init(
        _ program: String, _ arguments: [String], in folder: String, _ environment: [String: String],
        input: FileHandle? = nil, output: FileHandle? = nil, errors: FileHandle
    ) throws {
        var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (number, end) in [input, output, errors].enumerated() {
            if let end {
                posix_spawn_file_actions_adddup2(&actions, end.fileDescriptor, Int32(number))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
            }
        }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        // A shell that becomes the program: posix_spawn(3) knows no folder in POSIX.
        let words = (["sh", "-c", "cd \"$0\" && exec \"$@\"", folder, program] + arguments).map { strdup($0) } + [nil]
        let settings = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var process = pid_t()
        let code = posix_spawn(&process, "/bin/sh", &actions, &attributes, words, settings)
        guard code == 0 else { throw NotStarted(code: code) }
        processIdentifier = process
        end.isThere.enter()
        Thread.detachNewThread { [end, process] in
            var status = Int32(0)
            while waitpid(process, &status, 0) == -1, errno == EINTR {}
            end.status.withLock { $0 = status }
            end.isThere.leave()
        }
    }

    var isRunning: Bool { end.status.withLock { $0 == nil } }

    /// The code it ended with; where a signal ended it, 128 and the signal.
    var terminationStatus: Int32 {
        waitUntilExit()
        let status = end.status.withLock { $0 ?? 0 }
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    func terminate() {
        if isRunning { kill(processIdentifier, SIGTERM) }
    }

    func waitUntilExit() { end.isThere.wait() }
}
