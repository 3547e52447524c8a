import TrellisKernel

/// What a change does to the scores, and to who stands above which threshold.
struct ScorePlan {
    let settings: ScoringSettings
    let plan: Plan
    let db: Database

    /// A difference of less is one of rounding.
    private static let least = 0.05
    /// What a row of a threshold is called, from `model` and `threshold`.
    private static let item = "'threshold ' || threshold || iif(model = 'main', '', ' of ' || model)"
    private static let order = "model <> 'main', model, threshold"

    func changes() throws -> [PlannedChange] {
        try scores() + crossings() + told()
    }

    private func scores() throws -> [PlannedChange] {
        try PlannedChange.leads(
            of: Scoring.name, plan, db, order: "item <> 'score', item, change DESC",
            """
            SELECT iif(model = 'main', 'score', 'score ' || model), iif(shift > 0, 'rise', 'fall'), lead_id FROM (
                SELECT m.model, l.id AS lead_id, coalesce(n.score, 0) - coalesce(o.score, 0) AS shift
                FROM (SELECT model FROM main.scoring_totals UNION SELECT model FROM \(plan.before("scoring_totals"))) AS m
                CROSS JOIN main.leads AS l LEFT JOIN main.scoring_totals AS n ON n.lead_id = l.id AND n.model = m.model
                LEFT JOIN \(plan.before("scoring_totals")) AS o ON o.lead_id = l.id AND o.model = m.model)
            WHERE abs(shift) > \(ScorePlan.least)
            """)
    }

    /// Leads that stand above a threshold with the change and not without it, and the other way round.
    private func crossings() throws -> [PlannedChange] {
        let (now, then) = ("main.scoring_standings", plan.before("scoring_standings"))
        func only(_ table: String, not other: String, _ change: String) -> String {
            """
            SELECT s.model, s.threshold, \(change) AS change, s.lead_id FROM \(table) AS s WHERE NOT EXISTS (
                SELECT 1 FROM \(other) AS o WHERE o.lead_id = s.lead_id AND o.model = s.model AND o.threshold = s.threshold)
            """
        }
        let known = settings.all.flatMap { model in model.thresholds.map { "\(model.name) \($0.name)".sqlLiteral } }
        let falls = """
            iif(s.model || ' ' || s.threshold IN (\(known.joined(separator: ", "))), 'fall below', 'leave, for it is not in the config')
            """
        return try PlannedChange.leads(
            of: Scoring.name, plan, db, order: "item GLOB '* of *', item, change DESC",
            """
            SELECT \(ScorePlan.item), change, lead_id
            FROM (\(only(now, not: then, "'reach'")) UNION ALL \(only(then, not: now, falls)))
            """)
    }

    /// Leads of which the log tells more or less of a threshold with the change: what follows from it, a sequence or a
    /// hook in SQL, begins with what is told. Who falls below because the log is weighed anew is told of nowhere, and
    /// who reaches it again was told of.
    private func told() throws -> [PlannedChange] {
        func events(_ file: String, _ count: Int) -> String {
            """
            SELECT kind, coalesce(json_extract(body, '$.model'), 'main') AS model, json_extract(body, '$.threshold') AS threshold,
                   lead_id, \(count) AS n FROM \(file).events
            WHERE kind IN ('score.reached', 'score.fell') AND json_extract(body, '$.threshold') IS NOT NULL
            """
        }
        return try PlannedChange.rows(
            of: Scoring.name, db,
            """
            SELECT \(ScorePlan.item), kind || iif(n > 0, ' logged', ' not logged'), sum(abs(n)) FROM (
                SELECT kind, model, threshold, lead_id, sum(n) AS n FROM (\(events("main", 1)) UNION ALL \(events("before", -1)))
                GROUP BY kind, model, threshold, lead_id HAVING sum(n) <> 0)
            GROUP BY kind, model, threshold, n > 0 ORDER BY \(ScorePlan.order), kind DESC, n > 0 DESC
            """)
    }
}
