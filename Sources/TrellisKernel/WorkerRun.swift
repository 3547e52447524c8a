import Foundation

/// The start of a worker, and what every plugin is told of it.
enum WorkerRun {
    /// Notes the start, closes the run of a worker that died, and lets every plugin take up its work, all in one
    /// transaction.
    static func begin(_ kernel: Kernel) throws -> (id: Int64, isAfterCrash: Bool) {
        try kernel.write(origin: "kernel") { tx in
            let crashed =
                try Bool.fetchOne(tx.db, sql: "SELECT EXISTS (SELECT 1 FROM worker_runs WHERE ended_at IS NULL)")
                ?? false
            let last = try String.fetchOne(
                tx.db, sql: "SELECT max(coalesce(seen_at, nullif(ended_at, 'crashed'), started_at)) FROM worker_runs")
            try tx.db.execute(sql: "UPDATE worker_runs SET ended_at = 'crashed' WHERE ended_at IS NULL")
            try tx.db.execute(
                sql: "INSERT INTO worker_runs (pid, started_at, seen_at) VALUES (?, ?, ?)",
                arguments: [ProcessInfo.processInfo.processIdentifier, tx.stamp, tx.stamp])
            let id = tx.db.lastInsertedRowID
            try ConfigHistory.takeUp(kernel, tx)
            for plugin in kernel.plugins {
                let name = type(of: plugin).name
                let since = try WorkerRun.lastWork(of: name, last, tx.db)
                try plugin.begin(since: since.flatMap { Timestamp.date($0) }, tx.acting(as: "plugin:\(name)"))
            }
            try KernelContext(origin: "kernel").enter(tx.db, stamp: tx.stamp)
            return (id, crashed)
        }
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
