import ArgumentParser
import Foundation
import TrellisKernel

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The configs that were in force: list them, compare them, go back.",
        subcommands: [Log.self, Diff.self, Rollback.self], defaultSubcommand: Log.self)

    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Each config that was in force, the newest first: when, who, how and why.")

        @OptionGroup var global: GlobalOptions

        func run() throws {
            let history = try ConfigHistory(of: global.databasePath())
            guard !history.entries.isEmpty || global.json else {
                print("No config was noted yet: the first is when 'trellis work' or 'trellis serve' starts.")
                return
            }
            let rows = history.entries.reversed().map { entry -> [Cell] in
                let previous = history.entries.last { $0.id < entry.id }?.text
                let lines = LineDifference(previous ?? "", entry.text)
                return [
                    .integer(entry.id), .text(entry.at), .text(entry.author), .text(entry.way.rawValue),
                    .integer(Int64(lines.added)), .integer(Int64(lines.removed)), entry.note.map(Cell.text) ?? .null,
                ]
            }
            Table(columns: ["config", "at", "author", "way", "lines_added", "lines_removed", "note"], rows: rows)
                .show(global.format)
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How the text of a config differs from another.",
            discussion: "Without numbers, the config in force against the file as it stands; with one, that against it."
        )

        @OptionGroup var global: GlobalOptions
        @Argument(help: "The number of the older one; the one in force without it.")
        var from: Int64?
        @Argument(help: "The number of the newer one; the file as it stands without it.")
        var to: Int64?

        func run() throws {
            let history = try ConfigHistory(of: global.databasePath())
            guard let old = try from.map({ try history.entry($0) }) ?? history.current else {
                guard !global.json else { return print("null") }
                print("No config was noted yet: the first is when 'trellis work' or 'trellis serve' starts.")
                return
            }
            let new = try to.map { try history.entry($0).text } ?? global.load().text
            let lines = LineDifference(old.text, new)
            guard !global.json else {
                let document: [(key: String, value: JSONValue)] = [
                    ("from", .integer(old.id)), ("to", to.map(JSONValue.integer) ?? .string(global.config)),
                    ("added", .integer(Int64(lines.added))), ("removed", .integer(Int64(lines.removed))),
                    ("lines", .array(lines.added + lines.removed > 0 ? lines.unified().map(JSONValue.string) : [])),
                ]
                return print(JSONValue.object(document).text(isIndented: true))
            }
            guard lines.added + lines.removed > 0 else {
                print("They are the same.")
                return
            }
            let style = TextStyle(isColoured: Terminal.attached(to: STDOUT_FILENO).allowsColour)
            print("--- config \(old.id)\n+++ \(to.map { "config \($0)" } ?? global.config)")
            for line in lines.unified() {
                switch line.first {
                case "+": print(style.green(line))
                case "-": print(style.red(line))
                default: print(line)
                }
            }
        }
    }

    struct Rollback: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put an earlier config into force again, as 'trellis apply' does.")

        @OptionGroup var global: GlobalOptions
        @Argument(help: "Its number; the one before the one in force without it.")
        var id: Int64?
        @OptionGroup var options: AdoptionOptions

        func run() async throws {
            let entry = try ConfigHistory(of: global.databasePath()).entry(id)
            let after = try global.placed(entry.text)
            try after.check(plugins: TrellisProgram.plugins)
            let change = try ConfigChange(to: after, plugins: TrellisProgram.plugins)
            try await Application(
                change: change, way: .rollback, global: global, options: options,
                note: options.note ?? "back to config \(entry.id)"
            ).run()
        }
    }
}
