import Foundation
import Testing
import TrellisKernel
import TrellisTesting

/// The chapters of README.md that a reader types: every block of commands is run, in their order and on one CRM, and
/// the block below it is what the last of them prints. With `RECORD=1` the README is written anew.
@Suite struct ReadmeWalkTests {
    private static let path = repository.appending(path: "README.md")
    private static let chapters = ["## A whole CRM", "## Ask it in SQL", "### Any SQLite client may write"]
    /// When the walk of the README begins.
    private static let begin = "2026-11-23 21:52:35.000"

    /// The lines of the README with what the commands print, and the commands.
    private func walked(_ page: String) async throws -> (lines: [String], commands: [String]) {
        // Points fade by the clock of the machine where SQL asks it: the walk begins a moment ago, and the README shows
        // it whole minutes apart.
        let second = try #require(Timestamp.date(Self.begin)).timeIntervalSince1970.truncatingRemainder(dividingBy: 60)
        let minute = (Date.now.timeIntervalSince1970 / 60).rounded(.down) - 1
        let begin = Date(timeIntervalSince1970: minute * 60 + second)
        let crm = try ExampleFolder("Examples/readme", at: Timestamp.text(begin))
        var (lines, commands, printed, isTyped) = ([String](), [String](), [String](), false)
        var rest = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
        while let line = rest.popFirst() {
            lines.append(line)
            if line.hasPrefix("## ") || line.hasPrefix("### ") { isTyped = Self.chapters.contains(line) }
            guard line.hasPrefix("```") else { continue }
            var block = Array(rest.prefix { $0 != "```" })
            rest = rest.dropFirst(block.count)
            if isTyped, line == "```sh" {
                for command in Console.commands(block.joined(separator: "\n")) {
                    commands.append(command)
                    crm.clock.advance(by: "1s")
                    printed = try await Console(crm).run(command)
                }
            } else if isTyped, line == "```" {
                let isForeign = commands.contains { $0.hasPrefix("sqlite3") }
                block = printed.map { moved($0, from: begin, all: isForeign ? crm.clock.clock.now() : nil) }
            }
            lines += block + rest.prefix(1)
            rest = rest.dropFirst()
        }
        #expect(try crm.troubles() == [])
        return (lines, commands)
    }

    /// A line with the times of the README.
    ///
    /// - Parameter now: in place of every time: rows of another client have that of the machine, to the millisecond.
    private func moved(_ line: String, from begin: Date, all now: Date?) -> String {
        line.replacing(/\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?/) { match in
            guard let time = now ?? Timestamp.date(match.0), let shown = Timestamp.date(Self.begin) else {
                return match.0
            }
            return Timestamp.text(shown + time.timeIntervalSince(begin)).prefix(match.0.count)
        }
    }

    @Test func `every command of the walk does what the README says, and prints what it shows`() async throws {
        let page = try String(contentsOf: Self.path, encoding: .utf8)
        let (fresh, commands) = try await walked(page)
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            try fresh.joined(separator: "\n").write(to: Self.path, atomically: true, encoding: .utf8)
        }
        let shown = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for (index, line) in fresh.enumerated() {
            #expect(index < shown.count && shown[index] == line, "README.md, line \(index + 1)")
            guard index < shown.count, shown[index] == line else { break }
        }
        #expect(shown.count == fresh.count)
        #expect(
            commands.count { $0.hasPrefix("trellis work") } == 3
                && commands.count { $0.hasPrefix("trellis trace") } == 2)
    }

    @Test func `the walk reaches the goal that the README names`() async throws {
        let (lines, _) = try await walked(try String(contentsOf: Self.path, encoding: .utf8))
        #expect(
            lines.contains { $0.hasPrefix("  sequence: after-the-checklist: goal (survey.booked), 2026-11-23 21:52") })
        #expect(lines.contains { $0.hasPrefix("Lead 1: Nora, nora@example.org, mql") })
        #expect(lines.contains { $0.hasPrefix("Lead 2: Otto, otto@example.org, lead") })
    }
}
