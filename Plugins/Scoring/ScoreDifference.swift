import TrellisKernel

/// What another config would make of the scores: the log is replayed by its rules on a copy of the file.
struct ScoreDifference {
    let before: ScoringSettings
    let trial: TrialCopy

    /// Leads named in the note.
    static let most = 10

    func result() throws -> CommandResult {
        let kernel = trial.kernel
        guard let after = kernel.plugins.lazy.compactMap({ $0 as? Scoring }).first?.rules.settings else {
            throw KernelError.data("Scoring is off in that config: no lead would have a score.")
        }
        // Both as of one moment: what time takes is no difference between two configs.
        let moment = Timestamp.text(kernel.clock.now())
        try kernel.write(origin: "cli") { tx in
            try weigh(before, at: moment, tx)
            try tx.scratchTable("scoring_before", columns: "lead_id INTEGER PRIMARY KEY, score REAL, stage TEXT")
            try tx.db.execute(
                sql: """
                    INSERT INTO temp.scoring_before
                    SELECT l.id, coalesce(s.score, 0), l.stage FROM leads AS l LEFT JOIN scoring_scores AS s ON s.lead_id = l.id
                    """)
            try tx.scratchTable("scoring_reached", columns: "side TEXT, threshold TEXT, lead_id INTEGER")
            try reach("before", before, tx)
        }
        _ = try Rebuild(kernel).run(Scoring.name)
        return try kernel.write(origin: "cli") { tx in
            try weigh(after, at: moment, tx)
            try reach("after", after, tx)
            return .tableWithNote(try thresholds(tx.db), try note(tx.db))
        }
    }

    /// Sums all totals of the copy as of a moment.
    private func weigh(_ settings: ScoringSettings, at moment: String, _ tx: Transaction) throws {
        try Totals(rules: ScoringRules(settings), tx: tx).sumAnew(
            "SELECT lead_id FROM scoring_scores", at: ":moment", moment: moment)
    }

    private func reach(_ side: String, _ settings: ScoringSettings, _ tx: Transaction) throws {
        for threshold in settings.thresholds {
            let who =
                threshold.value.onCreate
                ? "SELECT id AS lead_id FROM leads" : Crossings.above(threshold.value, settings, among: nil)
            try tx.db.execute(
                sql: "INSERT INTO temp.scoring_reached SELECT ?, ?, lead_id FROM (\(who))",
                arguments: [side, threshold.name])
        }
    }

    private func thresholds(_ db: Database) throws -> Table {
        let other =
            "(SELECT 1 FROM temp.scoring_reached AS o WHERE o.threshold = r.threshold AND o.lead_id = r.lead_id AND o.side <> r.side)"
        return Table(
            columns: ["threshold", "now", "then", "come_over", "fall_under", "move_there"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT t.name, count(*) FILTER (WHERE r.side = 'before'), count(*) FILTER (WHERE r.side = 'after'),
                           count(*) FILTER (WHERE r.side = 'after' AND NOT EXISTS \(other)),
                           count(*) FILTER (WHERE r.side = 'before' AND NOT EXISTS \(other)),
                           (SELECT count(*) FROM leads AS l JOIN temp.scoring_before AS b ON b.lead_id = l.id
                            WHERE l.stage = t.name AND b.stage <> l.stage)
                    FROM stages AS t JOIN temp.scoring_reached AS r ON r.threshold = t.name GROUP BY t.name ORDER BY t.position
                    """))
    }

    /// `12 of 50 leads get another score. ann@a.example: 20 → 55`
    private func note(_ db: Database) throws -> String {
        let changes = """
            FROM temp.scoring_before AS b JOIN leads AS l ON l.id = b.lead_id LEFT JOIN scoring_scores AS s ON s.lead_id = b.lead_id
            WHERE abs(coalesce(s.score, 0) - b.score) > 0.05
            """
        let count = try Int.fetchOne(db, sql: "SELECT count(*) \(changes)") ?? 0
        let all = try Int.fetchOne(db, sql: "SELECT count(*) FROM temp.scoring_before") ?? 0
        let largest = try String.fetchAll(
            db,
            sql: """
                SELECT coalesce(l.email, l.external_id, l.phone, 'lead ' || l.id) || ': ' || round(b.score, 1) || ' → ' || round(coalesce(s.score, 0), 1)
                \(changes) ORDER BY abs(coalesce(s.score, 0) - b.score) DESC, l.id LIMIT \(ScoreDifference.most)
                """)
        let sentence =
            count == 0 ? "No lead gets another score." : "\(count) of \(all) leads get another score, these the most:"
        return ([sentence] + largest.map { "  \($0)" }).joined(separator: "\n")
    }
}
