import TrellisKernel

/// What a change does to the scores.
enum ScorePlan {
    /// A difference of less is one of rounding.
    private static let least = 0.05

    static func changes(_ plan: Plan, _ db: Database) throws -> [PlannedChange] {
        try PlannedChange.rows(
            of: Scoring.name, db,
            """
            SELECT iif(model = 'main', 'score', 'score ' || model), iif(shift > 0, 'rise', 'fall'), count(*) FROM (
                SELECT m.model, coalesce(n.score, 0) - coalesce(o.score, 0) AS shift
                FROM (SELECT model FROM main.scoring_totals UNION SELECT model FROM \(plan.before("scoring_totals"))) AS m
                CROSS JOIN main.leads AS l LEFT JOIN main.scoring_totals AS n ON n.lead_id = l.id AND n.model = m.model
                LEFT JOIN \(plan.before("scoring_totals")) AS o ON o.lead_id = l.id AND o.model = m.model)
            WHERE abs(shift) > \(least) GROUP BY model, 2 ORDER BY model <> 'main', model, 2 DESC
            """)
    }
}
