import TrellisKernel

/// A day later the first wait of every lead is over: a message each, and on to the next wait.
enum TickJob {
    static let ours = Phase("tick") { workspace in
        let kernel = try workspace.kernel(.ours, at: Workspace.tickedAt)
        var watch = Stopwatch()
        try EventPump(kernel).runUntilIdle()
        watch.note("pump")
        try kernel.close()
        watch.note("close")
        return watch.measurement
    }

    static let limit = Phase("tick-limit") { workspace in
        let database = try RawDatabase(path: workspace.limitPath)
        var watch = Stopwatch()
        try database.run(
            """
            BEGIN IMMEDIATE;
            INSERT INTO outbox_messages (key, purpose, origin, lead_id, template, cause_id, ready_at, created_at)
            SELECT 'drip:welcome:2:lead ' || lead_id || ':cycle ' || cycle, 'marketing', 'plugin:drip', lead_id, 'first', event_id,
                   '\(Workspace.tickedAt)', '\(Workspace.tickedAt)'
            FROM drip_enrolments NOT INDEXED WHERE state = 'active' AND due_at <= '\(Workspace.tickedAt)';
            """)
        watch.note("messages")
        try database.run(
            """
            UPDATE drip_enrolments SET step = 3, due_at = '2026-03-06 09:01:00.000', resting_at = 2, arrived_at = '\(Workspace.tickedAt)',
                since_event = (SELECT max(id) FROM events)
            WHERE state = 'active' AND due_at <= '\(Workspace.tickedAt)';
            """)
        watch.note("enrolments")
        try database.run("COMMIT")
        watch.note("commit")
        return watch.measurement
    }
}
