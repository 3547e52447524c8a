import TrellisKernel

/// What another config would make of the scores: the log is replayed by its rules on a copy of the file.
struct ScoreDifference {
    let before: ScoringSettings
    let trial: TrialCopy

    /// Leads named in the note.
    static let most = 10

    func result() throws -> CommandResult {
        let kernel = trial.kernel
        guard let after = kernel.plugins.lazy.compactMap({ $0 as? Scoring }).first?.settings else {
            throw KernelError.data("Scoring is off in that config: no lead would have a score.")
        }
        // Both as of one moment: what time takes is no difference between two configs.
        let moment = Timestamp.text(kernel.clock.now())
        try kernel.write(origin: "cli") { tx in
            try weigh(before, at: moment, tx)
            try tx.scratchTable(
                "scoring_before",
                columns: "lead_id INTEGER, model TEXT, score REAL, stage TEXT, PRIMARY KEY (lead_id, model)")
            for model in models(before, after) {
                try tx.db.execute(
                    sql: """
                        INSERT INTO temp.scoring_before
                        SELECT l.id, :model, coalesce(s.score, 0), l.stage
                        FROM leads AS l LEFT JOIN scoring_totals AS s ON s.lead_id = l.id AND s.model = :model
                        """, arguments: ["model": model])
            }
            try tx.scratchTable(
                "scoring_reached", columns: "side TEXT, model TEXT, threshold TEXT, stage TEXT, lead_id INTEGER")
            try reach("before", before, tx)
        }
        _ = try Rebuild(kernel).run(Scoring.name)
        return try kernel.write(origin: "cli") { tx in
            try weigh(after, at: moment, tx)
            try reach("after", after, tx)
            return .tableWithNote(
                try thresholds(tx.db), try models(before, after).map { try note($0, tx.db) }.joined(separator: "\n"))
        }
    }

    /// The names of the models of either config, `main` first.
    private func models(_ before: ScoringSettings, _ after: ScoringSettings) -> [String] {
        let names = before.all.map(\.name)
        return names + after.all.map(\.name).filter { !names.contains($0) }
    }

    /// Sums all totals of the copy as of a moment.
    private func weigh(_ settings: ScoringSettings, at moment: String, _ tx: Transaction) throws {
        for model in settings.all {
            try Totals(model: model, tx: tx).sumAnew(
                "SELECT lead_id FROM scoring_totals", at: ":moment", moment: moment)
        }
    }

    private func reach(_ side: String, _ settings: ScoringSettings, _ tx: Transaction) throws {
        for model in settings.all {
            for threshold in model.thresholds {
                let who =
                    threshold.value.onCreate
                    ? "SELECT id AS lead_id FROM leads" : Crossings.above(threshold.value, model, among: nil)
                try tx.db.execute(
                    sql: "INSERT INTO temp.scoring_reached SELECT ?, ?, ?, ?, lead_id FROM (\(who))",
                    arguments: [side, model.name, threshold.name, model.stage(of: threshold)])
            }
        }
    }

    private func thresholds(_ db: Database) throws -> Table {
        let other = """
            (SELECT 1 FROM temp.scoring_reached AS o
             WHERE o.model = r.model AND o.threshold = r.threshold AND o.lead_id = r.lead_id AND o.side <> r.side)
            """
        return Table(
            columns: ["threshold", "now", "then", "come_over", "fall_under", "move_there", "model"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT r.threshold, count(*) FILTER (WHERE r.side = 'before'), count(*) FILTER (WHERE r.side = 'after'),
                           count(*) FILTER (WHERE r.side = 'after' AND NOT EXISTS \(other)),
                           count(*) FILTER (WHERE r.side = 'before' AND NOT EXISTS \(other)),
                           (SELECT count(*) FROM leads AS l JOIN temp.scoring_before AS b ON b.lead_id = l.id AND b.model = r.model
                            WHERE l.stage = r.stage AND b.stage <> l.stage), r.model
                    FROM temp.scoring_reached AS r LEFT JOIN stages AS t ON t.name = r.stage
                    GROUP BY r.model, r.threshold ORDER BY r.model <> 'main', r.model, t.position, r.threshold
                    """))
    }

    /// `12 of 50 leads get another score. ann@a.example: 20 → 55`
    private func note(_ model: String, _ db: Database) throws -> String {
        let changes = """
            FROM temp.scoring_before AS b JOIN leads AS l ON l.id = b.lead_id
            LEFT JOIN scoring_totals AS s ON s.lead_id = b.lead_id AND s.model = b.model
            WHERE b.model = \(model.sqlLiteral) AND abs(coalesce(s.score, 0) - b.score) > 0.05
            """
        let count = try Int.fetchOne(db, sql: "SELECT count(*) \(changes)") ?? 0
        let all = try Int.fetchOne(db, sql: "SELECT count(DISTINCT lead_id) FROM temp.scoring_before") ?? 0
        let largest = try String.fetchAll(
            db,
            sql: """
                SELECT coalesce(l.email, l.external_id, l.phone, 'lead ' || l.id) || ': ' || round(b.score, 1) || ' → ' || round(coalesce(s.score, 0), 1)
                \(changes) ORDER BY abs(coalesce(s.score, 0) - b.score) DESC, l.id LIMIT \(ScoreDifference.most)
                """)
        let score = model == ScoringModel.main ? "another score" : "another score of \(model)"
        let sentence = count == 0 ? "No lead gets \(score)." : "\(count) of \(all) leads get \(score), these the most:"
        return ([sentence] + largest.map { "  \($0)" }).joined(separator: "\n")
    }
}
