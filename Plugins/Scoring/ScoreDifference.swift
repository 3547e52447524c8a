import TrellisKernel

/// What another config would make of the scores: the log is replayed by its rules on a copy of the file.
struct ScoreDifference {
    let before: ScoringSettings
    let trial: TrialCopy
    /// Whether the leads that cross a threshold are asked for, in place of how many.
    var listsLeads = false

    /// Leads named in the note, for each change of each threshold.
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
                "scoring_reached",
                columns: """
                    side TEXT, model TEXT, threshold TEXT, stage TEXT, lead_id INTEGER, PRIMARY KEY (model, threshold, lead_id, side)
                    """)
            try reach("before", before, tx)
        }
        _ = try Rebuild(kernel).run(Scoring.name)
        return try kernel.write(origin: "cli") { tx in
            try weigh(after, at: moment, tx)
            try reach("after", after, tx)
            guard !listsLeads else { return .table(try crossers(tx.db)) }
            let notes = try crossersInWords(tx.db) + models(before, after).map { try note($0, tx.db) }
            return .tableWithNote(try thresholds(tx.db), notes.joined(separator: "\n"))
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

    /// What there is where the lead of `scoring_reached AS r` is above the threshold by the other config too.
    private static let other = """
        (SELECT 1 FROM temp.scoring_reached AS o
         WHERE o.model = r.model AND o.threshold = r.threshold AND o.lead_id = r.lead_id AND o.side <> r.side)
        """
    private static let name = "coalesce(l.email, l.external_id, l.phone, 'lead ' || l.id)"

    private func thresholds(_ db: Database) throws -> Table {
        let other = ScoreDifference.other
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

    /// A SELECT of who comes over a threshold or falls under one: with the highest score first, or the lowest.
    private static let crossers = """
        SELECT r.threshold, iif(r.side = 'after', 'come_over', 'fall_under') AS change, \(name) AS lead, round(b.score, 1) AS before,
               round(coalesce(s.score, 0), 1) AS after, r.model, l.id AS lead_id, t.position, count(*) OVER same AS leads, row_number() OVER best AS place
        FROM temp.scoring_reached AS r JOIN leads AS l ON l.id = r.lead_id
        JOIN temp.scoring_before AS b ON b.lead_id = r.lead_id AND b.model = r.model
        LEFT JOIN scoring_totals AS s ON s.lead_id = r.lead_id AND s.model = r.model LEFT JOIN stages AS t ON t.name = r.stage
        WHERE NOT EXISTS \(other)
        WINDOW same AS (PARTITION BY r.model, r.threshold, r.side),
               best AS (PARTITION BY r.model, r.threshold, r.side ORDER BY iif(r.side = 'after', -1, 1) * coalesce(s.score, 0), l.id)
        """
    private static let order = "ORDER BY model <> 'main', model, position, threshold, change, place"

    private func crossers(_ db: Database) throws -> Table {
        let columns = ["threshold", "change", "lead", "before", "after", "model", "lead_id"]
        let list = columns.joined(separator: ", ")
        let sql = "SELECT \(list) FROM (\(ScoreDifference.crossers)) \(ScoreDifference.order)"
        return Table(columns: columns, try Row.fetchAll(db, sql: sql))
    }

    /// `2 leads come over mql:`, and who they are: `ann@a.example: 20.0 → 55.0`
    private func crossersInWords(_ db: Database) throws -> [String] {
        let most = ScoreDifference.most
        return try Row.fetchAll(
            db,
            sql: """
                SELECT threshold, change = 'come_over' AS is_over, model, leads, place, lead || ': ' || before || ' → ' || after AS line
                FROM (\(ScoreDifference.crossers)) WHERE place <= \(most) \(ScoreDifference.order)
                """
        ).map { row in
            let (line, place, leads): (String, Int, Int) = (row["line"], row["place"], row["leads"])
            guard place == 1 else { return "  \(line)" }
            let (threshold, model, isOver): (String, String, Bool) = (row["threshold"], row["model"], row["is_over"])
            let verb = leads == 1 ? (isOver ? "comes over" : "falls under") : (isOver ? "come over" : "fall under")
            let whose = model == ScoringModel.main ? "" : " of \(model)"
            let some = leads > most ? ", \(most) of them:" : ":"
            return "\(leads) lead\(leads == 1 ? "" : "s") \(verb) \(threshold)\(whose)\(some)\n  \(line)"
        }
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
                SELECT \(ScoreDifference.name) || ': ' || round(b.score, 1) || ' → ' || round(coalesce(s.score, 0), 1)
                \(changes) ORDER BY abs(coalesce(s.score, 0) - b.score) DESC, l.id LIMIT \(ScoreDifference.most)
                """)
        let score = model == ScoringModel.main ? "another score" : "another score of \(model)"
        let sentence = count == 0 ? "No lead gets \(score)." : "\(count) of \(all) leads get \(score), these the most:"
        return ([sentence] + largest.map { "  \($0)" }).joined(separator: "\n")
    }
}
