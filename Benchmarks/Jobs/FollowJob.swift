import TrellisKernel

/// A thousand leads change among all: their scores, their audiences and what else follows from it, and nothing of the
/// leads that did not change.
enum FollowJob {
    /// So many leads change, however many there are.
    static let changes = 1000

    /// Every so-manyth lead, so that they lie in pages of their own.
    private static func change(_ leads: Int) -> String {
        """
        UPDATE leads SET title = 'Head of ' || coalesce(title, 'all'), updated_at = '\(Workspace.tickedAt)'
        WHERE id IN (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < \(changes))
                     SELECT 1 + (n - 1) * \(max(1, leads / changes)) FROM n)
        """
    }

    static let ours = Phase("follow") { workspace in
        let kernel = try workspace.kernel(.ours, at: Workspace.tickedAt, for: .everyday)
        // What is due anyway is no part of it.
        try EventPump(kernel).runUntilIdle()
        var watch = Stopwatch()
        let sql = change(workspace.leads)
        try kernel.write(origin: "bench") { try $0.db.execute(sql: sql) }
        watch.note("change")
        try EventPump(kernel).runUntilIdle()
        watch.note("pump")
        try kernel.close()
        watch.note("close")
        return watch.measurement
    }

    /// The change, its events, the points of fit that change and the audience that asks for them, each with a statement
    /// over the changed leads alone.
    static let limit = Phase("follow-limit") { workspace in
        let database = try RawDatabase(path: workspace.limitPath)
        try database.run("CREATE TEMP TABLE changed (lead_id INTEGER PRIMARY KEY)")
        var watch = Stopwatch()
        try database.run(
            """
            BEGIN IMMEDIATE;
            \(change(workspace.leads));
            INSERT INTO changed SELECT id FROM leads WHERE id % \(max(1, workspace.leads / changes)) = 1 % \(max(1, workspace.leads / changes));
            INSERT INTO events (kind, lead_id, origin, at, body)
            SELECT 'lead.updated', lead_id, 'bench', '\(Workspace.tickedAt)', '{"columns":["title"]}' FROM changed;
            UPDATE scoring_totals SET fit = fit + 20, score = score + 20 WHERE lead_id IN (SELECT lead_id FROM changed);
            INSERT INTO audiences_members (audience, lead_id, since)
            SELECT 'warm', s.lead_id, '\(Workspace.tickedAt)' FROM changed AS c JOIN scoring_scores AS s ON s.lead_id = c.lead_id
            WHERE s.score >= 30 AND NOT EXISTS (
                SELECT 1 FROM audiences_members AS m WHERE m.audience = 'warm' AND m.lead_id = s.lead_id AND m.until IS NULL);
            COMMIT;
            """)
        watch.note("all")
        return watch.measurement
    }
}
