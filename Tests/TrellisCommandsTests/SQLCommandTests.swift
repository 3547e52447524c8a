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
}
