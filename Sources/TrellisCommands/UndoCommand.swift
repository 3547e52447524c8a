import ArgumentParser
import Foundation
import TrellisKernel

struct UndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take back what 'trellis sql --write' changed, for \(Undo.days) days.",
        subcommands: [Apply.self, List.self], defaultSubcommand: Apply.self)

    /// What is said of a statement that was taken back.
    static func sentence(_ id: Int64, rows: Int) -> String {
        "Statement \(id) is undone: \(rows) row\(rows == 1 ? "" : "s") put back."
    }

    struct Apply: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply", abstract: "Put the rows of a statement back as they were before it.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "A statement of 'trellis undo list'; without one, the newest that can be undone.")
        var id: Int64?

        func run() throws {
            let kernel = try global.open(checks: false)
            let (id, rows) = try Undo(kernel, user: SQLCommand.user).undo(id)
            print(UndoCommand.sentence(id, rows: rows))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "The statements that were written by hand.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            try Undo.list(try global.open(checks: false)).show(global.format)
        }
    }
}
