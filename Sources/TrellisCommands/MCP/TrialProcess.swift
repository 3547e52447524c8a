import Foundation
import TrellisKernel

/// A command of this program as a process of its own, on behalf of somebody who waits for an answer: it is ended once
/// its time is up, and the copy of the file it made goes with its folder for temporary files. It leaves out the words
/// of errors that may carry values of the file.
struct TrialProcess: Sendable {
    struct Outcome: Sendable, Hashable {
        let code: Int32
        let output: String
        /// What it said on its standard error.
        let notes: String
    }

    /// The program: this one, by its path.
    let program: String
    var secondsMax = TrialProcess.secondsMost

    /// Seconds: an assistant does not wait much longer for an answer.
    static let secondsMost = 120
    /// Seconds to end in order, once told to.
    private static let graceSeconds = 5
    /// Of what it writes no more is read.
    private static let bytesMax = 1 << 20

    /// Runs it and waits: blocks its thread for as long as it may take.
    ///
    /// - Parameter input: what it finds on its standard input.
    /// - Throws: ``KernelError/usage(_:)`` where its time was up; what Foundation says where it cannot be started.
    func run(_ words: [String], input: String? = nil) throws -> Outcome {
        let folder = NSTemporaryDirectory() + "/trellis-trial-process-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (question, output, notes) = (folder + "/question", folder + "/output", folder + "/notes")
        for (path, text) in [(question, input ?? ""), (output, ""), (notes, "")] {
            try Data(text.utf8).write(to: URL(filePath: path))
        }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging([
            "TMPDIR": folder, UntoldWords.variable: "1",
        ]) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: question))
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: notes))
        try end(process)
        return Outcome(
            code: process.terminationStatus, output: try TrialProcess.text(output),
            notes: try TrialProcess.text(notes))
    }

    /// Starts it and waits for its end, which is brought about where it takes too long.
    private func end(_ process: Process) throws {
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        guard ended.wait(timeout: .now() + .seconds(secondsMax)) == .timedOut else { return }
        process.terminate()
        if ended.wait(timeout: .now() + .seconds(TrialProcess.graceSeconds)) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            ended.wait()
        }
        throw KernelError.usage("It took longer than \(secondsMax) s and was stopped. In a shell it may take its time.")
    }

    private static func text(_ path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        return String(decoding: try file.read(upToCount: bytesMax) ?? Data(), as: UTF8.self)
    }
}
