import Foundation

/// The start of a worker, and what every plugin is told of it and of every time the worker was away: it did not run, or
/// its clock was not believed. `worker_runs.seen_at` is the last sign of life by a clock that was believed; the newest
/// run has it.
enum WorkerRun {
    /// Notes the start, closes the run of a worker that died, and lets every plugin take up its work, all in one
    /// transaction.
    static func begin(_ kernel: Kernel) throws -> (id: Int64, isAfterCrash: Bool) {
        try kernel.write(origin: "kernel") { tx in
            let crashed =
                try Bool.fetchOne(tx.db, sql: "SELECT EXISTS (SELECT 1 FROM worker_runs WHERE ended_at IS NULL)")
                ?? false
            let last = try lastSeen(tx.db)
            try tx.db.execute(sql: "UPDATE worker_runs SET ended_at = 'crashed' WHERE ended_at IS NULL")
            let seen = try tx.isClockTrusted ? tx.stamp : last
            try tx.db.execute(
                sql: "INSERT INTO worker_runs (pid, started_at, seen_at) VALUES (?, ?, ?)",
                arguments: [ProcessInfo.processInfo.processIdentifier, tx.stamp, seen])
            let id = tx.db.lastInsertedRowID
            try ConfigHistory.takeUp(kernel, tx)
            try tell(kernel, since: last, isStart: true, tx)
            return (id, crashed)
        }
    }

    /// The clock of a worker that runs is believed again.
    static func goOn(_ run: Int64, _ kernel: Kernel, _ tx: Transaction) throws {
        let last = try lastSeen(tx.db)
        try tx.db.execute(sql: "UPDATE worker_runs SET seen_at = ? WHERE id = ?", arguments: [tx.stamp, run])
        try tell(kernel, since: last, isStart: false, tx)
    }

    private static func tell(_ kernel: Kernel, since last: String?, isStart: Bool, _ tx: Transaction) throws {
        // A clock that is not believed does not say what is late.
        let isTrusted = try tx.isClockTrusted
        for plugin in kernel.plugins {
            let name = type(of: plugin).name
            let since = try WorkerRun.lastWork(of: name, last, tx.db).flatMap { Timestamp.date($0) }
            let acting = try tx.acting(as: "plugin:\(name)")
            if isStart { try plugin.begin(since: since, acting) }
            if isTrusted, let since { try plugin.catchUp(since: since, acting) }
        }
        try KernelContext(origin: "kernel").enter(tx.db, stamp: tx.stamp)
    }

    private static func lastSeen(_ db: Database) throws -> String? {
        try String.fetchOne(
            db,
            sql: """
                SELECT coalesce(seen_at, nullif(ended_at, 'crashed'), started_at) FROM worker_runs ORDER BY id DESC LIMIT 1
                """)
    }

    /// When a plugin worked last: where it was switched off and on again since, before that.
    private static func lastWork(of plugin: String, _ last: String?, _ db: Database) throws -> String? {
        guard let last else { return nil }
        let off = try String.fetchOne(
            db,
            sql: """
                SELECT max(e.at) FROM events AS e JOIN plugins AS p ON p.name = :plugin
                WHERE e.kind = 'plugin.disabled' AND json_extract(e.body, '$.plugin') = :plugin AND p.is_on AND p.changed_at >= :last
                """, arguments: ["plugin": plugin, "last": last])
        return min(off ?? last, last)
    }
}
