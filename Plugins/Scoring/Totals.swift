import TrellisKernel

/// The sums of the ledger per lead.
struct Totals {
    let rules: ScoringRules
    let tx: Transaction

    /// Every total of a batch is summed here: what is told apart by products, and not asked where it is known, takes
    /// half the time.
    private static let axes = "sum(points * (axis = 'fit')), sum(points * (axis <> 'fit')), sum(points)"
    private static let decays = "max(coalesce(half_life, fade, lifetime) IS NOT NULL)"

    /// Adds the new entries to the totals. Where points decay, the total is summed anew afterwards.
    ///
    /// - Parameter summed: the last entry that is in the totals already.
    func add(after summed: Int64) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO scoring_scores (lead_id, fit, engagement, score, decays, as_of)
                SELECT lead_id, \(Totals.axes), \(rules.settings.hasDecay ? Totals.decays : "0"), max(at)
                FROM scoring_entries NOT INDEXED WHERE id > :summed GROUP BY lead_id
                ON CONFLICT (lead_id) DO UPDATE SET
                    fit = fit + excluded.fit, engagement = engagement + excluded.engagement, score = score + excluded.score,
                    decays = max(decays, excluded.decays), as_of = max(as_of, excluded.as_of)
                """
        ).execute(arguments: ["summed": summed])
    }

    /// Sums the totals of leads whose points decay.
    ///
    /// - Parameters:
    ///   - leads: a SELECT of their ids.
    ///   - expression: SQL over `scoring_scores AS s`: as of when. It may ask for `:moment`.
    ///   - last: the last entry before the batch, which the SELECT may ask for.
    func sumAnew(_ leads: String, at expression: String, moment: String, after last: Int64 = 0) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE scoring_scores SET engagement = total.points, score = fit + total.points, as_of = total.at
                FROM (SELECT e.lead_id, due.at, sum(\(Weight.points("e", at: "due.at"))) AS points
                      FROM (SELECT s.lead_id, \(expression) AS at FROM scoring_scores AS s
                            WHERE s.decays AND s.lead_id IN (\(leads))) AS due
                      CROSS JOIN scoring_entries AS e ON e.lead_id = due.lead_id
                      WHERE e.axis = 'engagement' GROUP BY e.lead_id) AS total
                WHERE scoring_scores.lead_id = total.lead_id
                """
        ).execute(arguments: Totals.arguments(["last": last, "moment": moment], in: leads + expression))
    }

    /// The entries of a merged lead already belong to the lead that stayed; now its total does too. One that came back
    /// from the trash within the batch has a total of its own again. New entries are added later.
    ///
    /// - Returns: what adds those leads to a SELECT: they have a new total without a new entry.
    func unite(through last: Int64) throws -> String {
        let kept = "SELECT json_extract(body, '$.into') FROM batch WHERE kind = 'lead.merged'"
        let gone = "SELECT lead_id FROM batch WHERE kind = 'lead.merged'"
        try tx.db.execute(
            sql: """
                DELETE FROM scoring_scores WHERE lead_id IN (\(gone));
                DELETE FROM scoring_standings WHERE lead_id IN (\(gone));
                """)
        try tx.db.execute(
            sql: """
                INSERT OR REPLACE INTO scoring_scores (lead_id, fit, engagement, score, decays, as_of)
                SELECT lead_id, \(Totals.axes), \(Totals.decays), :now FROM scoring_entries
                WHERE (lead_id IN (\(kept)) OR lead_id IN (SELECT id FROM leads WHERE id IN (\(gone)))) AND id <= :last
                GROUP BY lead_id
                """, arguments: ["now": tx.stamp, "last": last])
        return " UNION \(kept)"
    }

    /// The arguments that a statement names.
    static func arguments(_ all: [String: (any DatabaseValueConvertible)?], in sql: String) -> StatementArguments {
        StatementArguments(all.filter { sql.contains(":\($0.key)") })
    }
}
