import ArgumentParser
import Foundation
import TrellisKernel

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract:
            "Is all well: the worker, the backlog, the outbox, and what stands still. Exit 75 while something does.")

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let kernel = try global.open(checks: false)
        let status = StatusLines(kernel)
        let facts = try status.facts()
        let stops = try status.stops()
        if global.json {
            let entries = facts.map { (key: $0.0.replacing(" ", with: "_"), value: JSONValue.string($0.1)) }
            let counts = [
                (key: "stops", value: JSONValue.integer(Int64(stops.rows.count))), (key: "stopped", value: stops.json),
                (key: "figures", value: try StatusFigures(kernel).json),
            ]
            print(JSONValue.object(entries + counts).text())
        } else {
            for (name, value) in facts { print("\(name.padding(toLength: 16, withPad: " ", startingAt: 0)) \(value)") }
            if !stops.rows.isEmpty {
                print("\nStanding still:")
                if let width = Terminal.attached(to: STDOUT_FILENO).width, !StopLines.fit(stops, in: width) {
                    print(StopLines.text(of: stops, width: width))
                } else {
                    stops.show()
                }
            }
        }
        if !stops.rows.isEmpty { throw QuietExit(code: 75) }
    }
}

/// What `trellis status` says.
struct StatusLines {
    private let kernel: Kernel

    init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    /// Events that some subscriber has not handled yet; the largest number of any of them.
    func backlog() throws -> Int {
        try kernel.read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT coalesce(sum((SELECT max(id) FROM events) - last_event_id), 0) FROM subscribers
                    WHERE substr(id, 1, instr(id, '/') - 1) IN (SELECT name FROM plugins WHERE is_on UNION ALL SELECT 'kernel')
                    """) ?? 0
        }
    }

    /// Whether the file as it stands is what the worker goes by.
    private func config(_ current: ConfigHistory.Entry?) -> String {
        guard let current else { return "none in force yet" }
        let since = "in force since \(current.at) UTC"
        return current.text == kernel.config.text
            ? "config \(current.id), \(since)"
            : "not the one in force (config \(current.id), \(since)): see 'trellis plan', then 'trellis apply'"
    }

    func facts() throws -> [(String, String)] {
        let worker =
            try Worker.current(kernel).map { "running, pid \($0)" } ?? "not running; start one with 'trellis work'"
        return try kernel.read { db in
            func text(_ sql: String) throws -> String { try String.fetchOne(db, sql: sql) ?? "none" }
            let off = try String.fetchAll(
                db,
                sql:
                    "SELECT name FROM plugins WHERE NOT is_on AND name IN (SELECT substr(id, 1, instr(id, '/') - 1) FROM subscribers)"
            )
            return try [
                (
                    "database",
                    "\(kernel.config.databasePath), \(try text("SELECT count(*) FROM leads")) leads, \(try text("SELECT count(*) FROM events")) events"
                ),
                ("worker", worker),
                ("config", config(try ConfigHistory(db).current)),
                (
                    "backlog",
                    try text(
                        """
                        SELECT CASE WHEN max((SELECT max(id) FROM events) - last_event_id) > 0
                               THEN max((SELECT max(id) FROM events) - last_event_id) || ' events, oldest waiting for ' || id
                                    || iif(last_event_id < anew_through, ', which is made anew; other plugins wait', '') ELSE 'none' END
                        FROM subscribers WHERE substr(id, 1, instr(id, '/') - 1) IN (SELECT name FROM plugins WHERE is_on UNION ALL SELECT 'kernel')
                        """)
                ),
                ("next appointment", try text("SELECT min(due_at) || ' UTC, ' || kind FROM scheduled_events")),
                (
                    "outbox",
                    try text(
                        "SELECT coalesce(group_concat(n || ' ' || state, ', '), 'empty') FROM (SELECT state, count(*) AS n FROM outbox_messages GROUP BY state)"
                    )
                ),
                (
                    "returned mail",
                    try text(
                        """
                        SELECT coalesce(group_concat(n || ' ' || CASE
                            WHEN n = 1 OR kind IN ('blocked', 'unknown') THEN name
                            WHEN kind LIKE '%reply' THEN replace(name, 'reply', 'replies') ELSE name || 's' END, ', '), 'none')
                        FROM (SELECT kind, replace(kind, '_', ' ') AS name, count(*) AS n FROM mail_returns GROUP BY kind)
                        """)
                ),
                (
                    "waits its time",
                    try text(
                        """
                        SELECT count(*) || ' messages, the next at ' || min(ready_at) || ', the last at ' || max(ready_at) || ' UTC'
                        FROM outbox_messages WHERE state = 'waiting' AND ready_at > \(Timestamp.text(kernel.clock.now()).sqlLiteral) HAVING count(*) > 0
                        """)
                ),
                ("plugins off", off.isEmpty ? "none" : off.joined(separator: ", ")),
                (
                    "unclean stops",
                    try text(
                        "SELECT count(*) || coalesce(', the last began ' || max(started_at), '') FROM worker_runs WHERE ended_at = 'crashed'"
                    )
                ),
            ] + counted(db)
        }
    }

    /// The numbers of the plugins that are not nought.
    private func counted(_ db: Database) throws -> [(String, String)] {
        try kernel.counts.compactMap { count in
            let value = try count.value(db)
            return value == 0 ? nil : (count.name.replacing("_", with: " "), "\(value); \(count.hint)")
        }
    }

    func stops() throws -> Table {
        var table = try kernel.read { db in
            Table(
                columns: ["stop", "subject", "reason", "since"],
                // Two hundred mails that one gap holds are one row, or they would hide the relay that is down.
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT stop, CASE count(*) WHEN 1 THEN max(subject) ELSE count(*) || ', such as ' || min(subject) END AS subject,
                               reason, min(since) AS since
                        FROM kernel_stops GROUP BY stop, reason ORDER BY since LIMIT 200
                        """))
        }
        if let idle = try nobodyWorks() { table.rows.append(idle) }
        if let inbox = StatusLines.closedInbox(kernel.config) { table.rows.append(inbox) }
        if let space = StatusLines.scarceSpace(beside: kernel.config.databasePath) { table.rows.append(space) }
        return table
    }

    /// Something has been due for so long, and nobody works: a process that is gone says nothing itself.
    private static let secondsIdle = 3600.0

    private func nobodyWorks() throws -> [Cell]? {
        guard try Worker.current(kernel) == nil else { return nil }
        let before = Timestamp.text(kernel.clock.now() - StatusLines.secondsIdle)
        let since = try kernel.read { db in
            try String.fetchOne(
                db,
                sql: """
                    SELECT min(due) FROM (
                        SELECT min(ready_at) AS due FROM outbox_messages WHERE state = 'waiting' AND ready_at <= :before
                        UNION ALL
                        SELECT min(due_at) FROM scheduled_events WHERE due_at <= :before AND owner IN (SELECT name FROM plugins WHERE is_on))
                    """, arguments: ["before": before])
        }
        return since.map {
            [
                .text("no worker"), .text(kernel.config.databasePath),
                .text("something is due; run 'trellis serve' or 'trellis work'"), .text($0),
            ]
        }
    }

    /// A folder of returned mail that cannot be read: nothing tells of a bounce that is not taken in.
    private static func closedInbox(_ config: Config) -> [Cell]? {
        guard let inbox = config.site.mail.inbox.map(config.path),
            !FileManager.default.isReadableFile(atPath: inbox + "/new")
        else { return nil }
        let reason = "\(inbox)/new cannot be read: what comes back by mail is not taken in"
        return [.text("returned mail"), .text(inbox), .text(reason), .null]
    }

    /// Below this a file soon takes nothing more: its log alone may grow by as much.
    private static let bytesMin: Int64 = 100_000_000

    /// A stop that no row can tell, because none can be written once it is there.
    private static func scarceSpace(beside path: String) -> [Cell]? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value, free < bytesMin else { return nil }
        let reason = "\(free / 1_000_000) MB are free; a full disk takes no lead and no event"
        return [.text("disk nearly full"), .text(path), .text(reason), .null]
    }
}
