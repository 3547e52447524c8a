import ArgumentParser
import Testing

@testable import TrellisCommands

struct SQLCommandTests {
    @Test func `options of the command may stand after the query, among its parameters`() throws {
        var command = try SQLCommand.parse([
            "hot-leads", "--country", "DE", "--format", "csv", "--limit", "5", "--days", "7",
        ])
        try command.takeOwnOptions()
        #expect(command.parameters == ["--country", "DE", "--days", "7"])
        #expect(command.format == "csv")
        #expect(command.limit == 5)
    }

    @Test func `an option without its value is refused`() throws {
        var command = try SQLCommand.parse(["hot-leads", "--format"])
        #expect {
            try command.takeOwnOptions()
        } throws: { "\($0)" == "--format needs a value." }
    }

    @Test(arguments: [["--limit", "x"], ["--limit", "-1"]])
    func `a limit is a number of rows`(words: [String]) throws {
        var command = try SQLCommand.parse(["SELECT 1"] + words)
        #expect {
            try command.ask()
        } throws: { "\($0)" == "--limit takes a number of rows, 0 meaning all, got '\(words[1])'." }
    }

    @Test func `a statement that fails in a pipe decides how the command ends, and the others are run`() throws {
        let trellis = try TrellisProcess()
        #expect(try trellis.run("init").code == 0 && trellis.run("import", "leads.csv").code == 0)
        let piped = { (text: String) in
            try trellis.run(
                "/bin/bash", ["-c", "printf '%s' \"$0\" | \"$1\" sql --format csv", text, TrellisProcess.path])
        }
        let failed = try piped("SELECT bad;\nSELECT 7 AS seven;\n")
        #expect(
            failed.code == 65 && failed.errors.contains("no such column: bad") && failed.output.contains("seven\n7"))
        #expect(try piped("SELECT 7;\nSELECT bad").code == 65)
        #expect(try piped(".nonsense\nSELECT 7;\n.quit\n").code == 64)
        #expect(try piped("SELECT 7;\n.quit\nSELECT bad;").code == 0)
    }
}
