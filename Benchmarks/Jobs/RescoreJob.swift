import TrellisKernel

/// Leads did something for a day, and the rules became twenty: ten over what a lead is, ten over what it does. Every
/// lead is scored anew; who comes over the threshold is handed to a rep, and who is warm by the new scores enters or
/// leaves the audience.
enum RescoreJob {
    static let ours = Phase("rescore") { workspace in
        try live(workspace.oursPath)
        // The others have read what was done: that is no part of it.
        let before = try workspace.kernel(.ours, at: Workspace.tickedAt)
        try EventPump(before).runUntilIdle()
        try before.close()
        let kernel = try workspace.kernel(.ours, at: Workspace.tickedAt, rules: .mixed)
        var watch = Stopwatch()
        _ = try Rebuild(kernel).run("scoring")
        watch.note("rebuild")
        try kernel.close()
        watch.note("close")
        return watch.measurement
    }

    static let limit = Phase("rescore-limit") { workspace in
        try live(workspace.limitPath)
        let database = try RawDatabase(path: workspace.limitPath)
        let now = "'\(Workspace.tickedAt)'"
        var watch = Stopwatch()
        try database.run(
            "BEGIN IMMEDIATE; DELETE FROM scoring_ledger; DELETE FROM scoring_totals; DELETE FROM scoring_standings;")
        watch.note("empty")
        try score(.mixed, database, &watch)
        let above = "SELECT lead_id FROM scoring_scores WHERE score >= \(ScoreRules.mixed.threshold)"
        try database.run(
            "INSERT INTO scoring_standings (lead_id, model, threshold, since) SELECT lead_id, 'main', 'mql', \(now) FROM (\(above))"
        )
        // Who was handed over by the ten rules stays so. What a replay moves follows from no single event.
        let reached = ImportLimit.Reached(
            leads: "SELECT id AS lead_id FROM leads WHERE id IN (\(above)) AND stage = 'lead'", cause: "NULL", depth: 0)
        try ImportLimit.handOff(reached, database, reps: Site.reps(for: workspace.leads), now: now)
        watch.note("hand off")
        try database.run(
            """
            UPDATE audiences_members SET until = \(now) WHERE audience = 'warm' AND until IS NULL
            AND lead_id NOT IN (SELECT lead_id FROM scoring_scores WHERE score >= 30);
            INSERT INTO audiences_members (audience, lead_id, since)
            SELECT 'warm', lead_id, \(now) FROM scoring_scores WHERE score >= 30
            AND lead_id NOT IN (SELECT lead_id FROM audiences_members WHERE audience = 'warm' AND until IS NULL) ORDER BY lead_id
            """)
        watch.note("audiences")
        try database.run("COMMIT")
        watch.note("commit")
        return watch.measurement
    }

    /// Writes the day into the log, the same on both sides, before anything is measured. The little cache keeps it out
    /// of the memory that is measured.
    private static func live(_ path: String) throws {
        let database = try RawDatabase(path: path)
        try database.run("PRAGMA cache_size = -16384; \(Act.day)")
    }

    /// The ledger and the totals: each total is written once, of the fit that the columns give and the sum of what was
    /// just entered.
    private static func score(_ rules: ScoreRules, _ database: RawDatabase, _ watch: inout Stopwatch) throws {
        let created = "(SELECT id, lead_id FROM events NOT INDEXED WHERE kind = 'lead.created') AS created"
        try ImportLimit.enterFit(
            rules, database, event: "created.id",
            from: "\(created) CROSS JOIN leads ON leads.id = created.lead_id")
        watch.note("fit")
        let last = Int(try database.rows("SELECT coalesce(max(id), 0) FROM scoring_ledger")[0]) ?? 0
        for act in rules.acts {
            try database.run(
                "INSERT INTO scoring_ledger (lead_id, rule, axis, points, event_id, at) \(act.entries)")
        }
        watch.note("engagement")
        let (sum, any) = ImportLimit.fit(of: rules)
        try database.run(
            """
            CREATE TEMP TABLE engaged (lead_id INTEGER PRIMARY KEY, points INTEGER NOT NULL);
            INSERT INTO temp.engaged
            SELECT lead_id, sum(points) FROM scoring_ledger NOT INDEXED WHERE id > \(last) GROUP BY lead_id;
            INSERT INTO scoring_totals (lead_id, model, fit, engagement, score, decays, as_of)
            SELECT id, 'main', fit, engagement, fit + engagement, 0, '\(Workspace.importedAt)' FROM (
                SELECT leads.id, \(sum) AS fit, coalesce(e.points, 0) AS engagement
                FROM leads LEFT JOIN temp.engaged AS e ON e.lead_id = leads.id WHERE e.points IS NOT NULL OR \(any))
            """)
        watch.note("totals")
    }
}
