import Foundation
import Testing
import TrellisKernel

@testable import TrellisCommands

@Suite struct TrialProcessTests {
    @Test func `it is asked on its input, and all that it says is heard`() throws {
        let outcome = try TrialProcess(program: "/bin/sh").run(["-c", "cat; echo so >&2; exit 3"], input: "hello")
        #expect(outcome == TrialProcess.Outcome(code: 3, output: "hello", notes: "so\n"))
        #expect(try TrialProcess(program: "/bin/sh").run(["-c", "cat"]).output == "")
    }

    @Test func `one that takes too long is ended`() {
        let trials = TrialProcess(program: "/bin/sh", secondsMax: 0)
        #expect(throws: KernelError.usage("It took longer than 0 s and was stopped. In a shell it may take its time."))
        {
            try trials.run(["-c", "exec sleep 600"])
        }
    }

    @Test func `its temporary files are gone with it`() throws {
        let outcome = try TrialProcess(program: "/bin/sh").run(
            ["-c", "touch \"$TMPDIR/copy\"; ls \"$TMPDIR/copy\""])
        #expect(outcome.code == 0 && outcome.output.hasSuffix("/copy\n"), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: outcome.output.trimmingCharacters(in: .newlines)))
    }

    @Test func `a program that is not there is an error`() {
        #expect(throws: (any Error).self) { try TrialProcess(program: "/no/such/program").run([]) }
    }
}
