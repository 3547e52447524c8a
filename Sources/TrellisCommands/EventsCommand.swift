import ArgumentParser
import Foundation
import TrellisKernel

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "The log, and events that could not be handled.",
        subcommands: [List.self, Kinds.self, Parked.self, Retry.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "The newest events.")
        @OptionGroup var global: GlobalOptions
        @Option(help: "Only this kind.")
        var kind: String?
        @Option(help: "How many.")
        var last = 20

        func run() throws {
            let kernel = try global.open(checks: false)
            try kernel.read { db in
                Table(
                    columns: ["id", "at", "kind", "lead_id", "body", "origin", "cause_id"],
                    try Row.fetchAll(
                        db,
                        sql:
                            "SELECT id, at, kind, lead_id, body, origin, cause_id FROM events WHERE :kind IS NULL OR kind = :kind ORDER BY id DESC LIMIT :last",
                        arguments: ["kind": kind, "last": last]))
            }.show(global.format)
        }
    }

    struct Kinds: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kinds", abstract: "Every kind of event with its fields.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let kernel = try global.open(checks: false)
            let counts = try kernel.read { db in
                try Row.fetchAll(db, sql: "SELECT kind, count(*) FROM events GROUP BY kind").reduce(
                    into: [String: Int64]()
                ) { $0[$1[0]] = $1[1] }
            }
            let rows = kernel.kinds.values.sorted { $0.kind < $1.kind }.map { declaration in
                [
                    Cell.text(declaration.kind),
                    .text(declaration.fields.map { "\($0.name): \($0.value.rawValue)" }.joined(separator: ", ")),
                    .integer(counts[declaration.kind] ?? 0),
                ]
            }
            Table(columns: ["kind", "fields", "events"], rows: rows).show(global.format)
        }
    }

    struct Parked: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "parked", abstract: "Events a subscriber could not handle.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let kernel = try global.open(checks: false)
            try kernel.read { db in
                Table(
                    columns: ["event", "subscriber", "attempts", "retry_at", "error"],
                    try Row.fetchAll(
                        db,
                        sql:
                            "SELECT event_id, subscriber, attempts, coalesce(retry_at, 'by hand'), error FROM parked_events ORDER BY event_id"
                    ))
            }.show(global.format)
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Let a parked event be handled again by the next worker, after the events that came since.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The event; all of them without it.")
        var event: Int64?

        func run() throws {
            let kernel = try global.open(checks: false)
            let count = try kernel.write(origin: "cli") { tx in
                try tx.db.execute(
                    sql: "UPDATE parked_events SET retry_at = ?, attempts = 0 WHERE ? IS NULL OR event_id = ?",
                    arguments: [tx.stamp, event, event])
                return tx.db.changesCount
            }
            guard count > 0 else {
                throw KernelError.data("Nothing is parked\(event.map { " at event \($0)" } ?? "").")
            }
            print("\(count) will be tried again when 'trellis work' runs.")
        }
    }
}
