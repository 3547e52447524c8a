import ArgumentParser
import Foundation
import TrellisKernel

struct UndoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take back what 'trellis sql --write' changed, for \(Undo.days) days.",
        subcommands: [Apply.self, List.self], defaultSubcommand: Apply.self)

    /// Those that are named of many.
    private static let namedMax = 10

    /// What is said of newer statements that were passed over; nil where none was.
    static func sentence(passing passed: [String]) -> String? {
        guard !passed.isEmpty else { return nil }
        let more = passed.count > namedMax ? " and \(passed.count - namedMax) more" : ""
        return "Passed over, for it cannot be undone: \(passed.prefix(namedMax).joined(separator: ", "))\(more)."
    }

    /// What is said of a statement that was taken back.
    static func sentence(_ id: Int64, rows: Int) -> String {
        "Statement \(id) is undone: \(rows) row\(rows == 1 ? "" : "s") put back."
    }

    private static func showList(_ global: GlobalOptions) throws {
        try Undo.list(try global.open(checks: false)).show(global.format)
    }

    /// - Throws: ``KernelError/usage(_:)`` for what is no number.
    static func number(_ text: String) throws -> Int64 {
        guard let id = Int64(text) else {
            throw KernelError.usage("'\(text)' is no number of a statement. See: trellis undo list")
        }
        return id
    }

    struct Apply: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply", abstract: "Put the rows of a statement back as they were before it.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "A statement of 'trellis undo list'; without one, the newest that can be undone.")
        var id: String?
        @Flag(name: .customLong("list"), help: .hidden)
        var lists = false

        func run() throws {
            // `undo --list` and `undo --json list` come here too.
            if lists || id == "list" { return try UndoCommand.showList(global) }
            let id = try id.map(UndoCommand.number)
            let kernel = try global.open(checks: false)
            let undone = try Undo(kernel, user: SQLCommand.user).undo(id)
            if let passed = UndoCommand.sentence(passing: undone.passed) { print(passed) }
            print(UndoCommand.sentence(undone.id, rows: undone.rows))
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "The statements that were written by hand.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            try UndoCommand.showList(global)
        }
    }
}
