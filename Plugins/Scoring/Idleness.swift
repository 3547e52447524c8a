import TrellisKernel

/// `scoring.idle_after`: takes back what a lead had from before it did nothing for so long.
///
/// An entry is taken back by another that decays as it does, so that both are nothing together for ever. Whether a lead
/// was idle is read from the gaps of its ledger: a replayed log comes to the same.
struct Idleness {
    let model: ScoringModel
    let tx: Transaction

    /// The rule that such entries name.
    static let rule = "(idle)"

    /// - Parameters:
    ///   - touched: a SELECT of the leads to look at.
    ///   - reviewedAt: the moment of a review; nil where none is due.
    func takeBack(after last: Int64, among touched: String, reviewedAt: String?) throws {
        guard let span = model.idleAfter else { return }
        let long = "'-\(span.seconds) seconds'"
        try tx.scratchTable("scoring_gaps", columns: "lead_id INTEGER PRIMARY KEY, event_id INTEGER")
        let done = "model = \(model.literal) AND axis = 'engagement' AND rule <> '\(Idleness.rule)'"
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_gaps
                SELECT lead_id, max(event_id) FROM (
                    SELECT lead_id, event_id, at, lag(at) OVER (PARTITION BY lead_id ORDER BY event_id, id) AS before_at
                    FROM scoring_ledger WHERE \(done) AND lead_id IN (\(touched)))
                WHERE before_at <= strftime('%Y-%m-%d %H:%M:%f', at, \(long)) GROUP BY lead_id
                """
        ).execute(arguments: ["last": last])
        if let reviewedAt {
            try tx.db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO temp.scoring_gaps
                    SELECT lead_id, (SELECT max(id) FROM batch WHERE kind = 'scoring.review_due') FROM temp.scoring_reviewed AS r
                    WHERE (SELECT max(at) FROM scoring_ledger AS e WHERE e.lead_id = r.lead_id AND \(done))
                          <= strftime('%Y-%m-%d %H:%M:%f', ?, \(long))
                    """
            ).execute(arguments: [reviewedAt])
        }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO scoring_ledger (model, lead_id, rule, axis, points, half_life, fade, lifetime, event_id, at)
                SELECT \(model.literal), e.lead_id, '\(Idleness.rule)', 'engagement', -sum(e.points), e.half_life, e.fade, e.lifetime, gap.event_id, e.at
                FROM temp.scoring_gaps AS gap CROSS JOIN scoring_ledger AS e ON e.lead_id = gap.lead_id
                WHERE e.model = \(model.literal) AND e.axis = 'engagement'
                  AND (e.event_id < gap.event_id OR (e.rule = '\(Idleness.rule)' AND e.event_id = gap.event_id))
                GROUP BY e.lead_id, e.at, e.half_life, e.fade, e.lifetime HAVING sum(e.points) <> 0
                """
        ).execute()
    }
}
