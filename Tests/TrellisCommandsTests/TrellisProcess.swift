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
        try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
    }

    @discardableResult
    func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try run(TrellisProcess.path, arguments, environment: environment)
    }

    func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "TRELLIS_SECRET": "a secret for tests only",
            "TRELLIS_ADMIN_TOKEN": "a token for tests only, and long enough",
        ]
        .merging(environment) { $1 }
        let (output, errors) = (folder + "/.output", folder + "/.errors")
        for path in [output, errors] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
        try process.run()
        process.waitUntilExit()
        return Outcome(
            code: process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
            output: try String(contentsOfFile: output, encoding: .utf8),
            errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
}
