import TrellisKernel

/// The rules became twenty: every lead is scored anew, and who is warm by the new scores enters or leaves the audience.
enum RescoreJob {
    static let ours = Phase("rescore") { workspace in
        let kernel = try workspace.kernel(.ours, at: Workspace.tickedAt, rules: .twenty)
        var watch = Stopwatch()
        _ = try Rebuild(kernel).run("scoring")
        watch.note("rebuild")
        try kernel.close()
        watch.note("close")
        return watch.measurement
    }

    static let limit = Phase("rescore-limit") { workspace in
        let database = try RawDatabase(path: workspace.limitPath)
        var watch = Stopwatch()
        try database.run(
            "BEGIN IMMEDIATE; DELETE FROM scoring_ledger; DELETE FROM scoring_totals; DELETE FROM scoring_standings;")
        watch.note("empty")
        try ImportLimit.score(
            .twenty, database, event: "created.id",
            from:
                "(SELECT id, lead_id FROM events NOT INDEXED WHERE kind = 'lead.created') AS created CROSS JOIN leads ON leads.id = created.lead_id"
        )
        watch.note("score")
        try database.run(
            """
            UPDATE audiences_members SET until = '\(Workspace.tickedAt)' WHERE audience = 'warm' AND until IS NULL
            AND lead_id NOT IN (SELECT lead_id FROM scoring_scores WHERE score >= 30);
            INSERT INTO audiences_members (audience, lead_id, since)
            SELECT 'warm', lead_id, '\(Workspace.tickedAt)' FROM scoring_scores WHERE score >= 30
            AND lead_id NOT IN (SELECT lead_id FROM audiences_members WHERE audience = 'warm' AND until IS NULL) ORDER BY lead_id
            """)
        watch.note("audiences")
        try database.run("COMMIT")
        watch.note("commit")
        return watch.measurement
    }
}
