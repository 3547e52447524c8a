import ArgumentParser
import Foundation
import TrellisKernel

struct PluginsCommand: ParsableCommand {
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

    struct RebuildCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild", abstract: "Empty a plugin's tables and replay the log into it.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The plugin.")
        var name: String

        func run() throws {
            let kernel = try global.open(for: .bulk)
            let start = ContinuousClock.now
            var bar = ProgressBar.onStandardError(label: "rebuilding", noun: "events") { ContinuousClock.now - start }
            let events = try Rebuild(kernel).run(name) { bar.update(fraction: nil, rows: $0) }
            bar.finish()
            print("Replayed \(events) events into \(name).")
        }
    }
}

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

struct OutboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "What is to be sent and what became of it.",
        subcommands: [List.self, Resolve.self, Retry.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "The newest messages.")
        @OptionGroup var global: GlobalOptions
        @Option(help: "Only this state: waiting, sent, held, cancelled, refused, unknown, failed.")
        var state: String?
        @Option(help: "How many.")
        var last = 20

        func run() throws {
            let kernel = try global.open(checks: false)
            try kernel.read { db in
                Table(
                    columns: ["id", "state", "mail", "lead_id", "ready_at", "attempts", "reason", "key"],
                    try Row.fetchAll(
                        db,
                        sql: """
                            SELECT id, state, template, lead_id, ready_at, attempts, reason, key FROM outbox_messages
                            WHERE :state IS NULL OR state = :state ORDER BY id DESC LIMIT :last
                            """, arguments: ["state": state, "last": last]))
            }.show(global.format)
        }
    }

    struct Resolve: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resolve",
            abstract: "Decide about a message whose outcome nobody knows: it arrived, or it is sent again.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The message.")
        var message: Int64
        @Flag(help: "Send it again, with the same Message-ID.")
        var resend = false
        @Flag(help: "Take it for sent.")
        var accept = false

        func run() throws {
            guard resend != accept else { throw KernelError.usage("Say either --resend or --accept.") }
            let kernel = try global.open(checks: false)
            let changed = try kernel.write(origin: "cli") { tx in try tx.resolveUnknown(message, resend: resend) }
            guard changed else { throw KernelError.data("Message \(message) is not unknown.") }
            print(resend ? "Message \(message) will be sent again." : "Message \(message) counts as sent.")
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry", abstract: "Send held or failed messages again, once what held them is mended.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The message; all that are held or failed without it.")
        var message: Int64?

        func run() throws {
            let kernel = try global.open(checks: false)
            let count = try kernel.write(origin: "cli") { tx in
                try tx.db.execute(
                    sql: """
                        UPDATE outbox_messages SET state = 'waiting', ready_at = :now, settled_at = NULL, reason = NULL
                        WHERE state IN ('held', 'failed') AND (:id IS NULL OR id = :id)
                        """, arguments: ["now": tx.stamp, "id": message])
                return tx.db.changesCount
            }
            print("\(count) message\(count == 1 ? "" : "s") will be tried again when 'trellis work' runs.")
        }
    }
}

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

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the database, while it is in use, into a file that is checked before it gets its name.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The new file.")
    var file: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let bytes = try Backup.make(kernel, to: file)
        print("\(file): \(String(format: "%.1f", Double(bytes) / 1_000_000)) MB, checked.")
    }
}

struct EraseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract:
            "Remove a person: lead, contact, consents, mails. Counts stay, and a keyed hash keeps the address out.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The e-mail address.")
    var email: String

    func run() throws {
        let kernel = try global.open(checks: false)
        let count = try Person(email: email).erase(kernel)
        print(
            count == 0
                ? "Nobody of that address was here; it is kept out from now on."
                : "Erased. Backups made before still hold the person.")
    }
}

struct ExportPersonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-person", abstract: "Everything that is kept about a person, as JSON.")
    @OptionGroup var global: GlobalOptions
    @Argument(help: "The e-mail address.")
    var email: String

    func run() throws {
        let kernel = try global.open(checks: false)
        print(try Person(email: email).export(kernel).text(isIndented: true))
    }
}
