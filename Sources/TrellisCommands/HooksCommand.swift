import ArgumentParser
import TrellisKernel

struct HooksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hooks", abstract: "The hooks of the config: plugins written in SQL.",
        subcommands: [List.self, Test.self, Move.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Every hook, whether it is on, and what waits for it.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let kernel = try global.open(checks: false)
            let table = try HookOverview(kernel).table()
            table.show(global.format)
            if table.rows.isEmpty, global.format == .table {
                TrellisProgram.note("The config has no hooks yet. The chapter 'Hooks in SQL' of the README shows how.")
            }
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Run a hook over what is recorded, show what it would do, and take it back: nothing is written.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "Its name under hooks:.")
        var name: String
        @Option(help: "Of how many of the newest events of its kinds; of a filter, of the newest leads or messages.")
        var last = 1000

        func run() throws {
            let kernel = try global.open(checks: false)
            let outcome = try HookTrial(kernel).run(name, last: last)
            if global.format == .table {
                let hook = kernel.config.site.hooks.first { $0.name == name }
                let noun = hook?.value.filter.map(\.rawValue) ?? "event"
                print(
                    "\(name) was given \(outcome.looked) \(noun)\(outcome.looked == 1 ? "" : "s"). Nothing was written."
                )
                guard !outcome.rows.rows.isEmpty else { return print("It would do nothing.") }
            }
            outcome.counts.show(global.format)
            outcome.rows.show(global.format)
            if global.format == .table, outcome.total > outcome.rows.rows.count {
                print("These are the first \(outcome.rows.rows.count) of \(outcome.total).")
            }
        }
    }

    struct Move: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "move", abstract: "Let a hook begin at another place of the log.",
            discussion: "With 'first' it handles every event again, also those it has handled.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "Its name under hooks:.")
        var name: String
        @Option(help: "next (what happens from now on) or first (the first event of the log).")
        var to: SQLHookSettings.Origin

        func run() throws {
            try HookOverview(global.open(checks: false)).move(name, to: to)
            print(to == .next ? "\(name) begins with what happens next." : "\(name) begins with the first event.")
        }
    }
}

extension SQLHookSettings.Origin: ExpressibleByArgument {}
