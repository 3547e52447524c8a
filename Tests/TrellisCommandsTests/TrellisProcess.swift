import Foundation

/// The built program, run as a person runs it: in a folder of its own, with an environment of its own.
final class TrellisProcess {
    struct Outcome {
        let code: Int32
        let output: String
        let errors: String
    }

    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "trellis-process-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The program stands beside the test bundle.
    static var path: String {
        let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        let beside = bundle.appending(path: "trellis").path()
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : root + "/.build/debug/trellis"
    }

    static var root: String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .path()
    }

    func write(_ text: String, to name: String) throws {
        let file = URL(filePath: folder + "/" + name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    @discardableResult
    func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try run(TrellisProcess.path, arguments, environment: environment)
    }

    /// The program while it runs, with what it said so far.
    struct Running {
        let process: ChildProgram
        fileprivate let errorFile: String

        var errors: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }
    }

    /// Starts it, and does not wait.
    func start(_ arguments: String...) throws -> Running {
        let errors = folder + "/.started-errors"
        let output = try file(folder + "/.started-output")
        return Running(
            process: try begin(TrellisProcess.path, arguments, [:], output: output, errors: errors), errorFile: errors)
    }

    /// Starts it with a terminal as its standard input and output, and does not wait.
    func start(on terminal: PseudoTerminal, _ arguments: String...) throws -> Running {
        let (end, errors) = (FileHandle(fileDescriptor: terminal.end), folder + "/.started-errors")
        return Running(
            process: try begin(TrellisProcess.path, arguments, [:], input: end, output: end, errors: errors),
            errorFile: errors)
    }

    /// Runs it with a terminal as its standard output, which takes a few lines and waits for nobody to read more.
    func runOnTerminal(_ arguments: [String]) throws -> Outcome {
        let terminal = try PseudoTerminal()
        let errors = folder + "/.errors"
        let process = try begin(
            TrellisProcess.path, arguments, [:], output: FileHandle(fileDescriptor: terminal.end), errors: errors)
        process.waitUntilExit()
        return Outcome(
            code: process.terminationStatus, output: terminal.all,
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }

    private func file(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    private func begin(
        _ program: String, _ arguments: [String], _ environment: [String: String], input: FileHandle? = nil,
        output: FileHandle, errors: String
    ) throws -> ChildProgram {
        let environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "TRELLIS_SECRET": "a secret for tests only",
            "TRELLIS_ADMIN_TOKEN": "a token for tests only, and long enough",
        ].merging(environment) { $1 }
        return try ChildProgram(
            program, arguments, in: folder, environment, input: input, output: output, errors: try file(errors))
    }

    func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let (output, errors) = (folder + "/.output", folder + "/.errors")
        let process = try begin(program, arguments, environment, output: try file(output), errors: errors)
        process.waitUntilExit()
        return Outcome(
            code: process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}

/// A terminal of its own, whose other end a test holds.
final class PseudoTerminal {
    /// What a test types on, and reads from.
    let controller: Int32
    /// What a program has in place of a terminal.
    let end: Int32

    struct Missing: Error {}

    init() throws {
        controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // Unlocks the other end and asks for its number (ioctl_tty(2)).
        var (locked, number) = (Int32(0), UInt32(0))
        guard ioctl(controller, 0x4004_5431, &locked) == 0, ioctl(controller, 0x8004_5430, &number) == 0 else {
            end = -1
            throw Missing()
        }
        end = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    }

    deinit {
        close(end)
        close(controller)
    }

    func enter(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Foundation.write(controller, bytes, bytes.count) == bytes.count
    }

    /// What was written to it and not read yet, up to 4096 bytes; it waits for nothing.
    var written: String { String(decoding: bytes(), as: UTF8.self) }

    /// All that was written to it by a program that has ended: the system hands it on piece by piece.
    var all: String {
        var (bytes, ready) = ([UInt8](), pollfd(fd: controller, events: Int16(POLLIN), revents: 0))
        while poll(&ready, 1, 200) == 1 {
            let more = self.bytes()
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func bytes() -> [UInt8] {
        _ = fcntl(controller, F_SETFL, fcntl(controller, F_GETFL) | O_NONBLOCK)
        var block = [UInt8](repeating: 0, count: 4_096)
        let count = read(controller, &block, block.count)
        return Array(block.prefix(max(count, 0)))
    }
}
