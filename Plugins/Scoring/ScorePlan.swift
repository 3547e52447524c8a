import TrellisKernel

/// What a change does to the scores.
enum ScorePlan {
    /// A difference of less is one of rounding.
    private static let least = 0.05

    static func changes(_ plan: Plan, _ db: Database) throws -> [PlannedChange] {
        try PlannedChange.rows(
            of: Scoring.name, db,
            """
            SELECT 'score', iif(shift > 0, 'rise', 'fall'), count(*) FROM (
                SELECT coalesce(n.score, 0) - coalesce(o.score, 0) AS shift
                FROM main.leads AS l LEFT JOIN main.scoring_scores AS n ON n.lead_id = l.id
                LEFT JOIN \(plan.before("scoring_scores")) AS o ON o.lead_id = l.id)
            WHERE abs(shift) > \(least) GROUP BY 2 ORDER BY 2 DESC
            """)
    }
}
