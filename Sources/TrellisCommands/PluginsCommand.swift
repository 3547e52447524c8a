import ArgumentParser
import Foundation
import TrellisKernel

struct PluginsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins",
        abstract: "Which plugins are on, how far each has read, and what waits while one is off.",
        subcommands: [List.self, RebuildCommand.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "All plugins.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let kernel = try global.open(checks: false)
            try PluginOverview(kernel).table().show(global.format)
        }
    }

    struct RebuildCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild", abstract: "Empty a plugin's tables and replay the log into it.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The plugin.")
        var name: String
        @Flag(help: "Do it although it touches more than limits: allows.")
        var confirm = false

        func run() async throws {
            let kernel = try global.open(for: .bulk)
            let name = name
            try await LimitedChange(kernel, isConfirmed: confirm, doing: "trying it on a copy").hold { copy in
                _ = try Rebuild(copy).run(name)
            }
            let start = ContinuousClock.now
            var bar = ProgressBar.onStandardError(label: "rebuilding", noun: "events") { ContinuousClock.now - start }
            let events = try Rebuild(kernel).run(name) { bar.update(fraction: nil, rows: $0) }
            bar.finish()
            print("Replayed \(events) events into \(name).")
        }
    }
}
