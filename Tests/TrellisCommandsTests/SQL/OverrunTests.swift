import Foundation
import Testing

@testable import TrellisCommands

/// What one function does for minutes ends with the process that calls it.
struct OverrunTests {
    private let trellis: TrellisProcess
    /// Looks for a megabyte at each place of four; SQLite asks nobody meanwhile.
    private let busy = "SELECT instr(hex(zeroblob(2000000)), hex(zeroblob(500000)) || '1')"
    private let late =
        "The statement took longer than 0.3 s and was stopped. Ask for less, or give it longer with --seconds."

    init() throws {
        trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("import", "leads.csv").code == 0)
    }

    /// A pipe of the shell: `$0` is the program, `$1` what the script is given.
    private func piped(_ script: String, _ text: String) throws -> TrellisProcess.Outcome {
        try trellis.run("/bin/bash", ["-c", "set -o pipefail; \(script)", TrellisProcess.path, text])
    }

    @Test func `a statement is stopped in the middle of a function, a second after its time`() throws {
        let start = ContinuousClock.now
        let outcome = try trellis.run("sql", busy, "--seconds", "0.3")
        let elapsed = ContinuousClock.now - start
        #expect(outcome.code == 65 && outcome.errors == "trellis: \(late)\n", "\(outcome)")
        // The time of the statement, a second, and what a machine that does other things needs to start it.
        #expect(elapsed > .seconds(1.2) && elapsed < .seconds(30), "\(elapsed)")
    }

    @Test func `statements of a pipe before it are answered, and those behind it are not`() throws {
        let outcome = try piped(
            "printf '%s' \"$1\" | \"$0\" sql --seconds 0.3 --format csv", "SELECT 7 AS seven;\n\(busy);\nSELECT 8;\n")
        #expect(outcome.code == 65 && outcome.output == "seven\n7\n", "\(outcome)")
        #expect(outcome.errors == "trellis: \(late) What follows it was not run.\n")
    }

    @Test func `the time of whoever takes the rows is none of the statement`() throws {
        let outcome = try piped(
            "\"$0\" sql --seconds 0.1 --format csv \"$1\" | (sleep 2; wc -c)",
            "SELECT hex(zeroblob(100000)) AS x FROM json_each('[1,2,3,4]')")
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
        #expect(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines) == "800006")
    }

    @Test func `a program that gives rows again and again is not ended between two of them`() throws {
        // Some hundredths of a second for each row, and far fewer steps than those after which SQLite asks what time
        // it is.
        let outcome = try trellis.run(
            "sql", "--seconds", "0.1", "--format", "csv",
            """
            SELECT instr(hex(zeroblob(40000)), hex(zeroblob(20000)) || value) AS place
              FROM json_each('[1' || replace(hex(zeroblob(59)), '00', ',1') || ']')
            """)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
        #expect(outcome.output == "place\n" + String(repeating: "0\n", count: 60))
    }

    @Test func `the prompt begins anew`() async throws {
        let terminal = try PseudoTerminal()
        let running = try trellis.start(on: terminal, "sql", "--seconds", "0.3")
        defer { running.process.terminate() }
        var shown = ""
        func beginnings() -> Int { shown.components(separatedBy: "A statement ends with ';'.").count - 1 }
        func sees(_ isThere: () -> Bool) async throws -> Bool {
            for _ in 0..<2_400 where !isThere() {
                try await Task.sleep(for: .milliseconds(50))
                shown += terminal.written
            }
            return isThere()
        }
        try #require(await sees { beginnings() == 1 && shown.contains("trellis> ") }, "\(shown)")
        try #require(terminal.enter("\(busy);\n"))
        try #require(await sees { beginnings() == 2 }, "\(shown) \(running.errors)")
        #expect(running.errors.contains(late))
        try #require(terminal.enter("SELECT 6 * 7 AS answer;\n"))
        try #require(await sees { shown.contains("42") }, "\(shown)")
        try #require(terminal.enter(".quit\n"))
        try #require(await sees { !running.process.isRunning }, "\(shown)")
        #expect(running.process.terminationStatus == 0)
    }
}
