import ArgumentParser
import Foundation
import TrellisKernel

struct TrashCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trash", abstract: "Rows that were deleted, whoever deleted them, for \(Trash.days) days.",
        subcommands: [List.self, Restore.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "What is in the trash.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let kernel = try global.open(checks: false)
            try kernel.read { db in
                Table(
                    columns: ["id", "table", "row", "deleted_at", "by"],
                    try Row.fetchAll(
                        db,
                        sql: "SELECT id, table_name, row_id, deleted_at, origin FROM trash ORDER BY id DESC LIMIT 200"))
            }.show(global.format)
        }
    }

    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "restore", abstract: "Put rows back as they were.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "Entries of the trash.")
        var ids: [Int64] = []
        @Option(help: "All that were deleted since this time, UTC.")
        var since: String?

        func run() throws {
            guard !ids.isEmpty || since != nil else {
                throw KernelError.usage("Name entries of the trash, or --since a time.")
            }
            let kernel = try global.open(checks: false)
            let count = try Trash.restore(kernel, ids: ids.isEmpty ? nil : ids, since: since)
            print("\(count) row\(count == 1 ? "" : "s") restored.")
        }
    }
}
