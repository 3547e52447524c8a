import Figures
import TrellisKernel

/// Every KPI and ladder read as a whole, one after the other, beside one pass over the log.
enum ViewsJob {
    static let ours = Phase("views") { workspace in
        let kernel = try workspace.kernel(.ours, at: Workspace.tickedAt, plugins: [Figures.self])
        // The figures are kept from the log: reading it is the work of the worker, once.
        try EventPump(kernel).runUntilIdle()
        let names = try kernel.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_schema WHERE type = 'view' AND (name LIKE 'kpi\\_%' ESCAPE '\\' OR name LIKE 'ladder\\_%' ESCAPE '\\'
                        OR name IN ('funnel_steps', 'pipeline_alarms')) ORDER BY name
                    """)
        }
        var (watch, lines) = (Stopwatch(), [String]())
        for name in names {
            let begin = ContinuousClock.now
            let rows = try kernel.read { try Row.fetchAll($0, sql: "SELECT * FROM \(name)").count }
            let milliseconds = Stopwatch.seconds(ContinuousClock.now - begin) * 1000
            lines.append("\(name): \(Int(milliseconds.rounded())) ms, \(rows) rows")
        }
        watch.note(lines)
        let measurement = watch.measurement
        try kernel.close()
        return measurement
    }

    static let limit = Phase("views-limit") { workspace in
        let database = try RawDatabase(path: workspace.oursPath)
        var watch = Stopwatch()
        _ = try database.rows(
            "SELECT kind, substr(at, 1, 7), count(*), count(DISTINCT lead_id) FROM events GROUP BY 1, 2")
        watch.note("a pass over the log")
        return watch.measurement
    }
}
