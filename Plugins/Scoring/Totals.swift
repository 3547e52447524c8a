import TrellisKernel

/// The sums of the ledger per lead.
struct Totals {
    let model: ScoringModel
    let tx: Transaction

    /// Every total of a batch is summed here: what is told apart by products, and not asked where it is known, takes
    /// half the time.
    private static let axes = "sum(points * (axis = 'fit')), sum(points * (axis <> 'fit')), sum(points)"
    private static let decays = "max(coalesce(half_life, fade, lifetime) IS NOT NULL)"

    /// Whether a row of `scoring_totals` is of a model that is no more: nobody keeps it.
    static let isForgotten = """
        NOT EXISTS (SELECT 1 FROM subscribers
                    WHERE subscribers.id = 'scoring/score' || iif(scoring_totals.model = 'main', '', '-' || scoring_totals.model))
        """

    /// The leads of the batch that took another one in.
    static let kept = "SELECT json_extract(body, '$.into') FROM batch WHERE kind = 'lead.merged'"

    /// Adds the new entries to the totals. Where points decay, the total is summed anew afterwards. An entry may name a
    /// time to come, as that of a client whose clock is ahead; no total is as of one.
    ///
    /// - Parameter summed: the last entry that is in the totals already.
    func add(after summed: Int64) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO scoring_totals (lead_id, model, fit, engagement, score, decays, as_of)
                SELECT lead_id, \(model.literal), \(Totals.axes), \(model.hasDecay ? Totals.decays : "0"), min(max(at), :now)
                FROM scoring_ledger NOT INDEXED WHERE id > :summed GROUP BY lead_id
                ON CONFLICT (lead_id, model) DO UPDATE SET
                    fit = fit + excluded.fit, engagement = engagement + excluded.engagement, score = score + excluded.score,
                    decays = max(decays, excluded.decays), as_of = max(as_of, excluded.as_of)
                """
        ).execute(arguments: ["summed": summed, "now": tx.stamp])
    }

    /// Sums the totals of leads whose points decay.
    ///
    /// - Parameters:
    ///   - leads: a SELECT of their ids.
    ///   - expression: SQL over `scoring_totals AS s`: as of when. It may ask for `:moment`.
    ///   - last: the last entry before the batch, which the SELECT may ask for.
    func sumAnew(_ leads: String, at expression: String, moment: String, after last: Int64 = 0) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE scoring_totals SET engagement = total.points, score = fit + total.points, as_of = total.at
                FROM (SELECT e.lead_id, due.at, sum(\(Weight.points("e", at: "due.at"))) AS points
                      FROM (SELECT s.lead_id, \(expression) AS at FROM scoring_totals AS s
                            WHERE s.decays AND s.model = \(model.literal) AND s.lead_id IN (\(leads))) AS due
                      CROSS JOIN scoring_ledger AS e ON e.lead_id = due.lead_id
                      WHERE e.axis = 'engagement' AND e.model = \(model.literal) GROUP BY e.lead_id) AS total
                WHERE scoring_totals.lead_id = total.lead_id AND scoring_totals.model = \(model.literal)
                """
        ).execute(arguments: Totals.arguments(["last": last, "moment": moment], in: leads + expression))
    }

    /// The entries of a merged lead already belong to the lead that stayed; now its total does too. One that came back
    /// from the trash within the batch has a total of its own again. New entries are added later.
    ///
    /// - Returns: what adds those leads to a SELECT: they have a new total without a new entry.
    func unite(through last: Int64) throws -> String {
        let kept = Totals.kept
        let gone = "SELECT lead_id FROM batch WHERE kind = 'lead.merged'"
        try tx.db.execute(
            sql: """
                DELETE FROM scoring_totals WHERE lead_id IN (\(gone)) AND model = \(model.literal);
                DELETE FROM scoring_standings WHERE lead_id IN (\(gone)) AND model = \(model.literal);
                """)
        try tx.db.execute(
            sql: """
                INSERT OR REPLACE INTO scoring_totals (lead_id, model, fit, engagement, score, decays, as_of)
                SELECT lead_id, \(model.literal), \(Totals.axes), \(Totals.decays), :now FROM scoring_ledger
                WHERE (lead_id IN (\(kept)) OR lead_id IN (SELECT id FROM leads WHERE id IN (\(gone)))) AND id <= :last AND model = \(model.literal)
                GROUP BY lead_id
                """, arguments: ["now": tx.stamp, "last": last])
        return " UNION \(kept)"
    }

    /// The arguments that a statement names.
    static func arguments(_ all: [String: (any DatabaseValueConvertible)?], in sql: String) -> StatementArguments {
        StatementArguments(all.filter { sql.contains(":\($0.key)") })
    }
}
