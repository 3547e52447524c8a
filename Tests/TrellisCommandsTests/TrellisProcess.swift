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
        let process: Process
        fileprivate let errorFile: String

        var errors: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }
    }

    /// Starts it, and does not wait.
    func start(_ arguments: String...) throws -> Running {
        let (output, errors) = (folder + "/.started-output", folder + "/.started-errors")
        return Running(
            process: try begin(TrellisProcess.path, arguments, [:], output: output, errors: errors), errorFile: errors)
    }

    private func begin(
        _ program: String, _ arguments: [String], _ environment: [String: String], output: String, errors: String
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "TRELLIS_SECRET": "a secret for tests only",
            "TRELLIS_ADMIN_TOKEN": "a token for tests only, and long enough",
        ]
        .merging(environment) { $1 }
        for path in [output, errors] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
        try process.run()
        return process
    }

    func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let (output, errors) = (folder + "/.output", folder + "/.errors")
        let process = try begin(program, arguments, environment, output: output, errors: errors)
        process.waitUntilExit()
        return Outcome(
            code: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}
