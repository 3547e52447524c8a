import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisCommands

/// Documentation/YourCRMInSQL.md is run from its first line to its last, and shows what came out. With `RECORD=1` it is
/// written anew.
@Suite struct YourCRMInSQLTests {
    private static let path = repository.appending(path: "Documentation/YourCRMInSQL.md")

    /// A piece of the page: words, or a block with what it shows below.
    private enum Piece {
        case words([String])
        case question(String, table: [String])
        case writing(at: String, sql: String)
        case console([(command: String, output: [String])])
    }

    private func pieces(of page: String) -> [Piece] {
        var (pieces, words) = ([Piece](), [String]())
        var lines = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
        while let line = lines.popFirst() {
            guard line == "```sql" || line == "```console" else {
                words.append(line)
                continue
            }
            let block = Array(lines.prefix { $0 != "```" })
            lines = lines.dropFirst(block.count + 1)
            if !words.isEmpty { pieces.append(.words(words)) }
            words = []
            if line == "```console" {
                pieces.append(.console(commands(block)))
            } else if let first = block.first, first.hasPrefix("-- 20") {
                pieces.append(.writing(at: String(first.dropFirst(3)), sql: block.joined(separator: "\n")))
            } else {
                let table = lines.drop { $0.isEmpty }.prefix { $0.hasPrefix("|") }
                if !table.isEmpty { lines = lines[table.endIndex...] }
                pieces.append(.question(block.joined(separator: "\n"), table: Array(table)))
            }
        }
        return pieces + [.words(words)]
    }

    private func commands(_ block: [String]) -> [(command: String, output: [String])] {
        block.reduce(into: []) { commands, line in
            if line.hasPrefix("$ ") {
                commands.append((String(line.dropFirst(2)), []))
            } else if !commands.isEmpty {
                commands[commands.count - 1].output.append(line)
            }
        }
    }

    // MARK: - Running

    private func crm() async throws -> ExampleFolder {
        let crm = try ExampleFolder("Starter", at: "2026-11-20 12:00:00")
        try crm.importing("leads.csv")
        try crm.importing("activities.csv", into: .activities)
        try await crm.work()
        return crm
    }

    /// The page with what its blocks give.
    private func written(_ pieces: [Piece], on crm: ExampleFolder) async throws -> [String] {
        var page: [String] = []
        for piece in pieces {
            switch piece {
            case .words(let lines): page += lines
            case .question(let sql, _):
                page +=
                    ["```sql"] + sql.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) + [
                        "```", "",
                    ]
                page += try table(sql, crm)
            case .writing(let at, let sql):
                page += ["```sql"] + sql.split(separator: "\n").map(String.init) + ["```"]
                crm.clock.set(at)
                let clock = crm.clock.clock
                let writing = try HandWriting(path: crm.kernel.config.databasePath, user: "you", now: { clock.now() })
                _ = try writing.run(sql) { _ in true }
                try await crm.work()
            case .console(let commands):
                page.append("```console")
                for command in commands {
                    page += ["$ " + command.command] + (try await Console(crm).run(command.command))
                    try await crm.work()
                }
                page.append("```")
            }
        }
        return page
    }

    private func table(_ sql: String, _ crm: ExampleFolder) throws -> [String] {
        let table = try crm.reading().table(sql)
        #expect(!table.rows.isEmpty, "\(sql)")
        return TableFormat.markdown.rendered(table, width: 1_000, colour: false).split(separator: "\n").map(String.init)
    }

    // MARK: - The test

    @Test func `every block of the page gives what the page shows`() async throws {
        let page = try String(contentsOf: Self.path, encoding: .utf8)
        #expect(
            page.contains(
                "```sh\ntrellis init\ntrellis import leads.csv\ntrellis import activities.csv --into activities\ntrellis work --until-idle\n```"
            ))
        let crm = try await crm()
        let fresh = try await written(pieces(of: page), on: crm).joined(separator: "\n")
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            try fresh.write(to: Self.path, atomically: true, encoding: .utf8)
        }
        let (shown, got) = (
            page.split(separator: "\n", omittingEmptySubsequences: false),
            fresh.split(separator: "\n", omittingEmptySubsequences: false)
        )
        for (index, line) in got.enumerated() {
            #expect(index < shown.count && shown[index] == line, "line \(index + 1)")
            guard index < shown.count, shown[index] == line else { break }
        }
        #expect(shown.count == got.count)
        #expect(try crm.troubles() == [])
    }

    @Test func `every block of SQL and every command is run`() throws {
        let page = try String(contentsOf: Self.path, encoding: .utf8)
        let all = pieces(of: page)
        let questions = all.filter { if case .question = $0 { true } else { false } }
        let commands = all.flatMap { piece in if case .console(let list) = piece { list } else { [] } }
        #expect(questions.count >= 15 && commands.count >= 5)
        #expect(page.matches(of: /(?m)^```sql$/).count == questions.count + 1)
    }
}
