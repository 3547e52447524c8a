import TrellisKernel

/// Looks at leads again when time alone may have taken them over or under a threshold, or made them idle.
///
/// When that is cannot be solved for many decays at once, but it has a bound: points that halve in different times fall
/// no faster than all of them in the shortest. At the bound the lead is looked at, and the next one is reckoned.
struct Reviews {
    let model: ScoringModel
    let tx: Transaction

    /// Leads in one transaction.
    static let most = 5000

    /// Whether time does anything at all.
    private var isNeeded: Bool {
        model.idleAfter != nil || (model.hasDecay && model.thresholds.contains { !$0.value.onCreate })
    }

    /// Fills `temp.scoring_reviewed` with leads whose review was due when the event of it came; a replay of the log
    /// finds the same.
    ///
    /// - Returns: when that was; nil where none was due.
    func begin() throws -> String? {
        let moment =
            try String.fetchOne(
                tx.db.cachedStatement(sql: "SELECT min(?, max(at)) FROM batch WHERE kind = 'scoring.review_due'"),
                arguments: [tx.stamp]) ?? tx.stamp
        try tx.scratchTable("scoring_reviewed", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_reviewed
                SELECT lead_id FROM scoring_totals WHERE review_at <= ? AND model = \(model.literal)
                ORDER BY review_at LIMIT \(Reviews.most)
                """
        ).execute(arguments: [moment])
        let count = tx.db.changesCount
        if count == Reviews.most {
            try tx.schedule(
                "scoring.review_due",
                forEach: "SELECT NULL AS key, :now AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
                arguments: ["now": tx.stamp])
        }
        return count > 0 ? moment : nil
    }

    /// Sets when each of these leads is looked at next, and makes the appointments, to the quarter of an hour.
    func plan(after last: Int64, among leads: String) throws {
        guard isNeeded else { return }
        let weight = Weight.points("e", at: "s.as_of")
        let smooth = "e.lifetime IS NULL AND coalesce(e.half_life, e.fade) IS NOT NULL"
        let arguments = Totals.arguments(["last": last], in: leads)
        try tx.db.cachedStatement(
            sql: """
                UPDATE scoring_totals SET review_at = CASE WHEN plan.wait IS NOT NULL
                    THEN strftime('%Y-%m-%d %H:%M:%f', plan.since, '+' || CAST(ceil(plan.wait) AS INTEGER) || ' seconds') END
                FROM (
                    SELECT lead_id, as_of AS since, (SELECT min(wait) FROM (\(waits))) AS wait FROM (
                        SELECT s.lead_id, s.as_of, s.score, s.engagement,
                               sum(CASE WHEN \(smooth) AND e.points > 0 THEN \(weight) ELSE 0 END) AS falling,
                               sum(CASE WHEN \(smooth) AND e.points < 0 THEN -(\(weight)) ELSE 0 END) AS rising,
                               min(CASE WHEN e.points <> 0 THEN e.half_life END) AS half_life, min(CASE WHEN e.points <> 0 THEN e.fade END) AS fade,
                               min(CASE WHEN \(Weight.end(of: "e")) > s.as_of THEN \(Weight.end(of: "e")) END) AS ends_at,
                               max(CASE WHEN e.rule <> '\(Idleness.rule)' THEN e.at END) AS engaged_at
                        FROM scoring_totals AS s CROSS JOIN scoring_ledger AS e ON e.lead_id = s.lead_id AND e.model = s.model AND e.axis = 'engagement'
                        WHERE s.model = \(model.literal) AND s.lead_id IN (\(leads)) GROUP BY s.lead_id) AS lead) AS plan
                WHERE scoring_totals.lead_id = plan.lead_id AND scoring_totals.model = \(model.literal)
                """
        ).execute(arguments: arguments)
        let quarter =
            "strftime('%Y-%m-%d %H:%M:%f', (CAST(strftime('%s', review_at) AS INTEGER) / 900 + 1) * 900, 'unixepoch')"
        // What is past already, as after a replay of the log, is looked at right away.
        let due = "CASE WHEN review_at <= :now THEN :now ELSE \(quarter) END"
        try tx.schedule(
            "scoring.review_due",
            forEach: """
                SELECT DISTINCT 'scoring.review_due ' || due AS key, due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body
                FROM (SELECT \(due) AS due FROM scoring_totals WHERE review_at IS NOT NULL AND model = \(model.literal) AND lead_id IN (\(leads)))
                """, arguments: arguments &+ ["now": tx.stamp])
    }

    /// Whether there is anything to take back. Points that add up to nothing may be worth something the day after,
    /// where some of them decay.
    private var hasMore: String {
        """
        EXISTS (SELECT 1 FROM scoring_ledger AS left_over
                WHERE left_over.lead_id = lead.lead_id AND left_over.model = \(model.literal) AND left_over.axis = 'engagement'
                GROUP BY left_over.at, left_over.half_life, left_over.fade, left_over.lifetime HAVING sum(left_over.points) <> 0)
        """
    }

    /// SELECTs of `wait`, in seconds, over the columns of a lead: everything that may come next by time alone.
    private var waits: String {
        var waits = ["SELECT (julianday(ends_at) - julianday(as_of)) * 86400 AS wait WHERE ends_at IS NOT NULL"]
        if let idle = model.idleAfter {
            waits.append(
                "SELECT max((julianday(engaged_at) - julianday(as_of)) * 86400 + \(idle.seconds), 0) WHERE \(hasMore)")
        }
        for threshold in model.thresholds where !threshold.value.onCreate {
            let isAbove = """
                EXISTS (SELECT 1 FROM scoring_standings AS st
                        WHERE st.lead_id = lead.lead_id AND st.model = \(model.literal) AND st.threshold = \(threshold.name.sqlLiteral))
                """
            for (axis, least) in [("score", threshold.value.score), ("engagement", threshold.value.engagement)] {
                guard let least else { continue }
                let low = least - threshold.value.hysteresis
                waits.append("SELECT \(bound("falling", room: "\(axis) - \(low)")) WHERE \(isAbove)")
                waits.append(
                    "SELECT \(bound("rising", room: "\(least) - \(axis)")) WHERE \(axis) < \(least) AND NOT \(isAbove)")
            }
        }
        return waits.joined(separator: " UNION ALL ")
    }

    /// The least time in which decaying points can lose more than there is room for; NULL where they never can.
    private func bound(_ points: String, room: String) -> String {
        let part = "max(\(room), 0) / \(points)"
        return """
            CASE WHEN \(points) > \(room) AND \(points) > 0 THEN
                max(60.0, min(coalesce(-half_life * log2(1 - \(part)), 1e12), coalesce(fade * \(part), 1e12))) END
            """
    }
}
