import TrellisKernel

/// Points a person gives or takes: a row with the reason, a fact, and an entry of the ledger like any other.
struct Adjustment {
    let lead: Int64
    let model: String
    let axis: String
    let points: Int
    let author: String
    let reason: String

    /// The rule that such entries name.
    static let rule = "(by hand)"
    static let pointsMax = 1000

    func make(_ tx: Transaction) throws {
        try tx.db.execute(
            sql:
                "INSERT INTO scoring_adjustments (lead_id, model, axis, points, author, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [lead, model, axis, points, author, reason, tx.stamp])
        try tx.emit(
            "score.adjusted",
            forEach: """
                SELECT lead_id, NULL AS cause_id, json_object('adjustment', id, 'axis', axis, 'points', points, 'model', model) AS body
                FROM scoring_adjustments WHERE id = :adjustment
                """, arguments: ["adjustment": tx.db.lastInsertedRowID])
    }

    /// Entries for those of the batch. What an erased person was given stays as a number, without the words.
    static func post(_ kinds: Set<String>, _ model: ScoringModel, _ tx: Transaction) throws {
        if kinds.contains("score.adjusted") {
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO scoring_ledger (model, lead_id, rule, axis, points, event_id, at)
                    SELECT a.model, a.lead_id, '\(rule)', a.axis, a.points, b.id, b.at
                    FROM batch AS b CROSS JOIN scoring_adjustments AS a ON a.id = json_extract(b.body, '$.adjustment')
                    WHERE b.kind = 'score.adjusted' AND a.model = \(model.literal) ORDER BY b.id
                    """
            ).execute()
        }
        if kinds.contains("lead.erased") {
            try tx.db.cachedStatement(
                sql: """
                    UPDATE scoring_adjustments SET reason = '' WHERE lead_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.erased')
                    """
            ).execute()
        }
    }
}
