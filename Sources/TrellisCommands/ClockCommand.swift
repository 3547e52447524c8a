import ArgumentParser
import TrellisKernel

struct ClockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clock",
        abstract: "When the clock of the machine jumped, which holds all sending, and to accept it as it is.",
        subcommands: [List.self, Accept.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "The jumps, the newest first.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let kernel = try global.open(checks: false)
            let jumps = try kernel.read { db in
                Table(
                    columns: ["noticed_at", "expected_at", "settled_at", "settled_by"],
                    try Row.fetchAll(
                        db,
                        sql:
                            "SELECT noticed_at, expected_at, settled_at, settled_by FROM clock_jumps ORDER BY id DESC LIMIT 50"
                    ))
            }
            if jumps.rows.isEmpty, global.format == .table { return print("The clock has not jumped.") }
            jumps.show(global.format)
        }
    }

    struct Accept: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "accept",
            abstract: "Take the clock as it is: the time since it was last right counts as a stop.")
        @OptionGroup var global: GlobalOptions

        private static let sentence = """
            The clock is taken as it is, once 'trellis work' or 'trellis serve' runs. The time since it was last right counts as a stop:
            what came due in it is shifted, sent or passed over as 'late:' of each sequence says.
            """

        func run() throws {
            let kernel = try global.open(checks: false)
            let count = try kernel.write(origin: "cli") { try $0.acceptClockJumps(by: "cli") }
            print(count == 0 ? "Nothing was held." : Accept.sentence)
        }
    }
}
