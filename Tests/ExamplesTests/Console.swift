import ArgumentParser
import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisCommands

/// What the pages of documentation have a reader type, at a CRM in a folder of its own.
struct Console {
    let crm: ExampleFolder

    init(_ crm: ExampleFolder) {
        self.crm = crm
    }

    /// The commands of a block: a line each, where no quote goes on, without its remarks.
    static func commands(_ block: String) -> [String] {
        var (commands, quote, isRemark) = ([""], Character?.none, false)
        var characters = block.makeIterator()
        while let character = characters.next() {
            switch (character, quote) {
            case ("\n", nil):
                commands.append("")
                isRemark = false
                continue
            case ("#", nil): isRemark = true
            case ("\\", _):
                commands[commands.count - 1] += [character, characters.next() ?? " "]
                continue
            default: break
            }
            if isRemark { continue }
            if character == quote { quote = nil } else if quote == nil, "\"'".contains(character) { quote = character }
            commands[commands.count - 1].append(character)
        }
        return commands.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// Does what a command does.
    ///
    /// - Returns: what it prints, where a page shows it; nothing for one that is done for what follows.
    func run(_ command: String) async throws -> [String] {
        if let match = command.wholeMatch(of: /trellis trace (\S+)/) {
            let trace = try crm.kernel.trace(String(match.1))
            return try TraceCommand.lines(trace, crm.kernel, TextStyle(isColoured: false))
        }
        if let match = command.wholeMatch(of: /trellis as-of '([^']+)' "(.+)"/) {
            return try asOf(String(match.1), String(match.2))
        }
        if let match = command.wholeMatch(of: /(?:trellis sql|sqlite3 crm\.sqlite) "(SELECT .+)"/) {
            return lines(try crm.reading().table(String(match.1)))
        }
        if let match = command.wholeMatch(of: /trellis sql ([a-z-]+) --(\w+) (\w+)(?: --format csv)?/) {
            return try crm.query(String(match.1), [String(match.2): String(match.3)])
        }
        if command == "trellis undo" {
            let undone = try Undo(crm.kernel, user: "you").undo()
            return [UndoCommand.sentence(undone.id, rows: undone.rows)]
        }
        try await change(command)
        return []
    }

    private func lines(_ table: Table) -> [String] {
        TableFormat.table.rendered(table, width: 120, colour: false).split(separator: "\n").map(String.init)
    }

    private func asOf(_ moment: String, _ sql: String) throws -> [String] {
        let place = crm.kernel.config.site.site.place
        let moment = try PastMoment(moment, in: place, now: crm.clock.clock.now())
        let reader = try PastReader(path: crm.kernel.config.databasePath, moment: moment, plugins: shippedPlugins)
        let table = try reader.connection.table(moment.spelled(sql))
        let doubts = try reader.doubts()
        return [reader.heading(in: place)] + [try reader.beginning()].compactMap(\.self) + lines(table) + doubts
    }

    /// Commands that are typed for what they do.
    private func change(_ command: String) async throws {
        let words = command.split(separator: " ").map(String.init)
        switch words.prefix(2).joined(separator: " ") {
        case "trellis check": _ = try ExampleFolder.config(crm.folder)
        case "trellis capture": _ = try CaptureCommand.parse(Array(words.dropFirst(2))).take(crm.kernel)
        case "trellis record": try RecordCommand.parse(Array(words.dropFirst(2))).record(on: crm.kernel)
        case "trellis work": try await crm.work()
        case "export TRELLIS_SECRET=$(openssl": break
        case "sqlite3 crm.sqlite":
            try foreign(try #require(command.wholeMatch(of: /sqlite3 crm\.sqlite "(.+)"/)).1)
        case "python3 -c":
            try foreign(try #require(command.firstMatch(of: /crm\.execute\(\\"(.+)\\"\)/)).1)
        default: Issue.record("nobody knows how '\(command)' is run")
        }
    }

    /// As another client writes.
    private func foreign(_ sql: Substring) throws {
        _ = try SQLConnection(path: crm.kernel.config.databasePath, access: .write).run(String(sql)) { _ in true }
    }
}
