import ArgumentParser
import Foundation
import TrellisKernel

struct OutboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "What is to be sent and what became of it.",
        subcommands: [List.self, Resolve.self, Retry.self, Resume.self], defaultSubcommand: List.self)

    /// - Throws: ``KernelError/data(_:)`` where there is no such message.
    private static func state(of message: Int64, _ kernel: Kernel) throws -> String {
        try standing(of: message, kernel).state
    }

    /// The state of a message, and how it goes on from there: a sentence behind a space, or nothing.
    private static func standing(of message: Int64, _ kernel: Kernel) throws -> (state: String, wayOut: String) {
        let row = try kernel.read {
            try Row.fetchOne(
                $0, sql: "SELECT state, held_by, reason FROM outbox_messages WHERE id = ?", arguments: [message])
        }
        guard let row else {
            throw KernelError.data("There is no message \(message). 'trellis outbox list' shows the newest.")
        }
        let (state, holder): (String, String?) = (row["state"], row["held_by"])
        let pause = try pause(kernel)
        let wayOut =
            switch (state, holder) {
            case ("held", MarketingPause.holder): pause.map { " \($0)" } ?? ""
            case ("held", let holder?):
                " \(holder) holds it (\((row["reason"] as String?) ?? "on purpose")): 'trellis status' says how it goes on."
            case ("held", nil), ("failed", _): " Send it again with: trellis outbox retry \(message)"
            case ("unknown", _): " Decide about it with: trellis outbox resolve \(message)"
            default: ""
            }
        return (state, wayOut)
    }

    /// Why marketing mail waits for a person to let it go on; nil where it does not.
    private static func pause(_ kernel: Kernel) throws -> String? {
        try kernel.read { try MarketingPause.cause($0) }.map {
            "Marketing mail is paused, for too much \($0.words). It goes on with: trellis outbox resume"
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "The newest messages.")
        @OptionGroup var global: GlobalOptions
        private static let states = [
            "waiting", "sending", "inflight", "sent", "held", "cancelled", "refused", "unknown", "failed",
        ]
        @Option(help: "Only this state: \(states.joined(separator: ", ")).")
        var state: String?
        @Option(help: "How many.")
        var last = 20

        func run() throws {
            if let state, !List.states.contains(state) {
                throw KernelError.usage(
                    "No message is '\(state)'.\(NearMiss.hint(state, among: List.states)) The states are: \(List.states.joined(separator: ", "))."
                )
            }
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
            abstract: "Decide about messages whose outcome nobody knows: they arrived, or they are sent again.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The message.")
        var message: Int64?
        @Flag(help: "All of them instead of one.")
        var all = false
        @Option(help: "With --all: only those made from this mail.")
        var mail: String?
        @Option(help: "With --all: only those nobody has known of for so long: 2h, 3 days.")
        var olderThan: String?
        @Flag(help: "Send it again, with the same Message-ID.")
        var resend = false
        @Flag(help: "Take it for sent.")
        var accept = false

        func run() throws {
            guard resend != accept else { throw KernelError.usage("Say either --resend or --accept.") }
            guard (message == nil) == all else { throw KernelError.usage("Say either a message or --all.") }
            guard all || (mail == nil && olderThan == nil) else {
                throw KernelError.usage("--mail and --older-than belong beside --all.")
            }
            let kernel = try global.open(checks: false)
            if let message { try resolve(message, kernel) } else { try resolveAll(kernel) }
        }

        private func resolve(_ message: Int64, _ kernel: Kernel) throws {
            let changed = try kernel.write(origin: "cli") { tx in try tx.resolveUnknown(message, resend: resend) }
            guard changed else {
                let (state, wayOut) = try OutboxCommand.standing(of: message, kernel)
                throw KernelError.data(
                    "Message \(message) is \(state): only one that is unknown is decided about.\(wayOut)")
            }
            guard resend else { return print("Message \(message) counts as sent.") }
            let isCalledBack = try OutboxCommand.state(of: message, kernel) == "cancelled"
            print(
                isCalledBack
                    ? "Message \(message) is cancelled: it was called back, and is not wanted any more."
                    : "Message \(message) will be sent again.")
        }

        private func resolveAll(_ kernel: Kernel) throws {
            let age = try olderThan.map { text in
                guard let span = Span(text) else {
                    throw KernelError.usage("--older-than: expected a duration such as 2h or 3 days, got '\(text)'.")
                }
                return Double(span.seconds)
            }
            let (decided, cancelled) = try kernel.write(origin: "cli") { tx in
                try tx.resolveAllUnknown(resend: resend, template: mail, until: age.map { tx.now - $0 })
            }
            let count = "\(decided) message\(decided == 1 ? "" : "s")"
            guard decided > 0 else {
                return print("No message is unknown\(mail == nil && age == nil ? "" : " that fits").")
            }
            guard resend else { return print("\(count) count\(decided == 1 ? "s" : "") as sent.") }
            print(
                "\(count) decided about: \(decided - cancelled) will be sent again when 'trellis work' runs"
                    + (cancelled > 0 ? ", \(cancelled) were called back and are cancelled." : "."))
        }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume",
            abstract: "Let marketing mail go on that paused because too much was called spam, bounced or was refused.")
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let kernel = try global.open(checks: false)
            let outcome = try kernel.write(origin: "cli") {
                tx -> (cause: String, count: Int, later: Int, dropped: Int)? in
                let cause = try MarketingPause.cause(tx.db)
                let waited =
                    try Int.fetchOne(
                        tx.db, sql: "SELECT count(*) FROM outbox_messages WHERE \(MarketingPause.waiting)") ?? 0
                guard let cause, let count = try tx.resumeMarketing(by: "cli") else { return nil }
                let later = try Int.fetchOne(
                    tx.db,
                    sql: "SELECT count(*) FROM outbox_messages WHERE state = 'waiting' AND ready_at > ? AND reason = ?",
                    arguments: [tx.stamp, MarketingPause.pastReason])
                return (cause.words, count, later ?? 0, waited - count)
            }
            guard let (cause, count, later, dropped) = outcome else { return print("Marketing mail is not paused.") }
            print(
                "Marketing mail goes on: \(count) message\(count == 1 ? "" : "s") that waited will be sent when 'trellis work' runs."
                    + (later > 0 ? " Sent later, by as long as it was paused (late: shift): \(later)." : "")
                    + (dropped > 0 ? " Dropped, for they came due while it was paused (late: skip): \(dropped)." : "")
                    + " It was paused, for too much \(cause); what was sent before is not counted again.")
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Send held or failed messages again, and ask a relay that was down at once.")
        @OptionGroup var global: GlobalOptions
        @Argument(help: "The message; all that are held or failed without it.")
        var message: Int64?

        func run() throws {
            let kernel = try global.open(checks: false)
            let count = try kernel.write(origin: "cli") { tx in
                try tx.db.execute(
                    sql: """
                        UPDATE outbox_messages SET state = 'waiting', ready_at = :now, settled_at = NULL, reason = NULL
                        WHERE state IN ('held', 'failed') AND held_by IS NULL AND (:id IS NULL OR id = :id)
                        """, arguments: ["now": tx.stamp, "id": message])
                let count = tx.db.changesCount
                if message == nil {
                    try tx.db.execute(
                        sql: "UPDATE transport_stalls SET retry_at = ? WHERE retry_at > ?",
                        arguments: [tx.stamp, tx.stamp])
                    if tx.db.changesCount > 0 { TrellisProgram.note("The relay is asked again at once.") }
                }
                return count
            }
            if count == 0, let message {
                let (state, wayOut) = try OutboxCommand.standing(of: message, kernel)
                throw KernelError.data(
                    state == "held"
                        ? "Message \(message) is held, and not for a fault of its own.\(wayOut)"
                        : "Message \(message) is \(state): only what is held or failed is tried again.\(wayOut)")
            }
            if message == nil, let pause = try OutboxCommand.pause(kernel) { TrellisProgram.note(pause) }
            print("\(count) message\(count == 1 ? "" : "s") will be tried again when 'trellis work' runs.")
        }
    }
}
