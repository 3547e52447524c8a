import TrellisKernel

/// Posts a batch of events to the ledger, brings the totals up to date, and moves the stages of leads that reached a
/// threshold.
struct Ledger {
    let rules: ScoringRules
    let tx: Transaction

    func post() throws {
        let kinds = try tx.kindsInBatch()
        let last =
            try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT coalesce(max(id), 0) FROM scoring_entries")) ?? 0
        if let fitOfNew = rules.fitOfNew, kinds.contains("lead.created") {
            try tx.db.cachedStatement(sql: fitOfNew).execute()
        }
        if let fitOfChanged = rules.fitOfChanged,
            !kinds.isDisjoint(with: ["lead.updated", "lead.restored", "lead.merged"])
        {
            try tx.db.cachedStatement(sql: fitOfChanged).execute()
        }
        for rule in rules.settings.engagement where kinds.contains(rule.value.on.value) {
            let sql = ScoringRules.engagement(rule.value, from: tx.relation(of: rule.value.on.value))
            try tx.db.cachedStatement(sql: sql).execute(arguments: [
                "rule": rule.name, "points": rule.value.points, "half_life": rule.value.halfLife?.seconds,
            ])
        }
        let hasMerged = kinds.contains("lead.merged")
        if hasMerged { try unite(through: last) }
        // Leads that took another one in have a new total without a new entry.
        let united = hasMerged ? " UNION \(Ledger.keptLeads)" : ""
        try total(after: last, united)
        try moveStages(after: last, united)
    }

    private static let keptLeads = "SELECT json_extract(body, '$.into') FROM batch WHERE kind = 'lead.merged'"

    /// Adds the new entries to the totals. Where points decay, the total is summed anew, as of the newest entry: not
    /// as of this moment, or an event handled a second late would be worth a little less, and just miss a threshold.
    private func total(after last: Int64, _ united: String) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO scoring_scores (lead_id, fit, engagement, score, decays, as_of)
                SELECT lead_id, sum(CASE axis WHEN 'fit' THEN points ELSE 0 END), sum(CASE axis WHEN 'fit' THEN 0 ELSE points END), sum(points),
                       max(half_life IS NOT NULL), max(at)
                FROM scoring_entries NOT INDEXED WHERE id > :last GROUP BY lead_id
                ON CONFLICT (lead_id) DO UPDATE SET
                    fit = fit + excluded.fit, engagement = engagement + excluded.engagement, score = score + excluded.score,
                    decays = max(decays, excluded.decays), as_of = max(as_of, excluded.as_of)
                """
        ).execute(arguments: ["last": last])
        guard rules.settings.engagement.contains(where: { $0.value.halfLife != nil }) else { return }
        try tx.db.cachedStatement(
            sql: """
                UPDATE scoring_scores SET engagement = now.points, score = fit + now.points, as_of = now.at
                FROM (SELECT e.lead_id, latest.at, sum(points * CASE WHEN half_life IS NULL THEN 1
                             ELSE pow(0.5, (julianday(latest.at) - julianday(e.at)) * 86400 / half_life) END) AS points
                      FROM (SELECT lead_id, max(at) AS at FROM scoring_entries
                            WHERE lead_id IN (SELECT s.lead_id FROM scoring_entries AS new CROSS JOIN scoring_scores AS s ON s.lead_id = new.lead_id
                                              WHERE new.id > :last AND s.decays\(united))
                            GROUP BY lead_id) AS latest
                      CROSS JOIN scoring_entries AS e ON e.lead_id = latest.lead_id
                      WHERE e.axis = 'engagement' GROUP BY e.lead_id) AS now
                WHERE scoring_scores.lead_id = now.lead_id
                """
        ).execute(arguments: ["last": last])
    }

    /// The entries of a merged lead already belong to the lead that stayed; now its total does too. New ones are
    /// added later.
    private func unite(through last: Int64) throws {
        try tx.db.execute(
            sql: """
                DELETE FROM scoring_scores WHERE lead_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.merged');
                """)
        try tx.db.execute(
            sql: """
                INSERT OR REPLACE INTO scoring_scores (lead_id, fit, engagement, score, decays, as_of)
                SELECT lead_id, sum(CASE axis WHEN 'fit' THEN points ELSE 0 END), sum(CASE axis WHEN 'fit' THEN 0 ELSE points END), sum(points),
                       max(half_life IS NOT NULL), :now
                FROM scoring_entries
                WHERE lead_id IN (\(Ledger.keptLeads)) AND id <= :last
                GROUP BY lead_id
                """, arguments: ["now": tx.stamp, "last": last])
    }

    private func moveStages(after last: Int64, _ united: String) throws {
        for threshold in rules.settings.thresholds {
            try tx.moveStage(
                to: threshold.name,
                leads: """
                    SELECT lead_id FROM scoring_scores
                    WHERE lead_id IN (SELECT lead_id FROM scoring_entries WHERE id > :last\(united)) AND score >= :score AND fit >= :fit
                    """,
                arguments: ["last": last, "score": threshold.value.score, "fit": threshold.value.fit ?? -1_000_000])
        }
    }
}
