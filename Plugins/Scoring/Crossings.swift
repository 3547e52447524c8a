import TrellisKernel

/// Leads that come over a threshold, and those that fall under one again.
struct Crossings {
    let settings: ScoringSettings
    let tx: Transaction
    /// Whether the log is replayed: then it is noted who was above what, and what followed from that has been.
    let isReplay: Bool

    /// Of leads with new points or other columns: who comes over moves to the stage, once until it falls under it.
    ///
    /// - Parameters:
    ///   - united: what adds leads with a new total without a new entry.
    ///   - changed: what adds leads for which a predicate may have another answer.
    func settle(after last: Int64, united: String, changed: String, _ kinds: Set<String>) throws {
        let posted = "\(Ledger.posted)\(united)"
        let lower = "\(Ledger.posted) AND points < 0\(united)"
        for threshold in settings.thresholds {
            if threshold.value.onCreate {
                guard kinds.contains("lead.created") else { continue }
                try tx.moveStage(
                    to: threshold.name, leads: "SELECT lead_id FROM batch WHERE kind = 'lead.created'")
                continue
            }
            let asked = threshold.value.when == nil ? "" : changed
            try fall(threshold, among: lower + asked, ["last": last])
            try rise(threshold, among: posted + asked, unless: "NOT st.is_rearmed", ["last": last])
        }
    }

    /// Of leads that time alone may have taken over or under one. Who was given back earns it with new points only.
    func settleReviewed() throws {
        let reviewed = "SELECT lead_id FROM temp.scoring_reviewed"
        for threshold in settings.thresholds where !threshold.value.onCreate {
            try fall(threshold, among: reviewed, [:])
            try rise(threshold, among: reviewed, unless: "true", [:])
        }
    }

    /// A lead that is back at an earlier stage may reach the threshold once more.
    func rearm() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE scoring_standings SET is_rearmed = 1
                WHERE lead_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.stage_changed' AND origin <> 'plugin:scoring')
                  AND (SELECT position FROM stages WHERE name = threshold)
                      > (SELECT s.position FROM leads AS l JOIN stages AS s ON s.name = l.stage WHERE l.id = lead_id AND NOT s.is_side)
                """
        ).execute()
    }

    private func rise(
        _ threshold: Named<ScoringSettings.Threshold>, among leads: String, unless standing: String,
        _ arguments: StatementArguments
    ) throws {
        try tx.scratchTable("scoring_crossing", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_crossing
                SELECT who.lead_id FROM (\(Crossings.above(threshold.value, settings, among: leads))) AS who
                WHERE NOT EXISTS (SELECT 1 FROM scoring_standings AS st
                                  WHERE st.lead_id = who.lead_id AND st.threshold = \(threshold.name.sqlLiteral) AND \(standing))
                """
        ).execute(arguments: arguments)
        guard tx.db.changesCount > 0 else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO scoring_standings (lead_id, threshold, since)
                SELECT lead_id, ?, coalesce((SELECT as_of FROM scoring_scores AS s WHERE s.lead_id = c.lead_id), ?) FROM temp.scoring_crossing AS c
                """
        ).execute(arguments: [threshold.name, tx.stamp])
        guard !isReplay else { return }
        try tx.moveStage(to: threshold.name, leads: "SELECT lead_id FROM temp.scoring_crossing")
    }

    private func fall(
        _ threshold: Named<ScoringSettings.Threshold>, among leads: String, _ arguments: StatementArguments
    ) throws {
        let name = threshold.name.sqlLiteral
        try tx.scratchTable("scoring_falling", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_falling
                SELECT DISTINCT st.lead_id FROM (\(leads)) AS looked
                CROSS JOIN scoring_standings AS st ON st.lead_id = looked.lead_id AND st.threshold = \(name)
                WHERE st.lead_id NOT IN (\(Crossings.above(
                    threshold.value, settings, among: "st.lead_id", slack: threshold.value.hysteresis)))
                """
        ).execute(arguments: arguments)
        guard tx.db.changesCount > 0 else { return }
        try tx.db.cachedStatement(
            sql:
                "DELETE FROM scoring_standings WHERE threshold = \(name) AND lead_id IN (SELECT lead_id FROM temp.scoring_falling)"
        ).execute()
        guard !isReplay else { return }
        try tx.emit(
            "score.fell",
            forEach: """
                SELECT lead_id, (SELECT max(id) FROM batch WHERE batch.lead_id = f.lead_id) AS cause_id,
                       json_object('threshold', \(name)) AS body
                FROM temp.scoring_falling AS f ORDER BY lead_id
                """)
    }

    /// A SELECT of the leads, among some, that are above a threshold.
    ///
    /// - Parameters:
    ///   - leads: a SELECT of ids; nil for all.
    ///   - slack: how far below it still counts.
    ///   - isNow: whether points are weighed as of `:now`, and not as of the moment that a score names.
    static func above(
        _ threshold: ScoringSettings.Threshold, _ settings: ScoringSettings, among leads: String?, slack: Int = 0,
        isNow: Bool = false
    ) -> String {
        let engagement =
            isNow && settings.hasDecay
            ? """
            CASE WHEN s.decays THEN (SELECT coalesce(sum(\(Weight.points("e", at: ":now"))), 0) FROM scoring_entries AS e
                                     WHERE e.lead_id = s.lead_id AND e.axis = 'engagement') ELSE s.engagement END
            """ : "s.engagement"
        let score = isNow && settings.hasDecay ? "s.fit + \(engagement)" : "s.score"
        let grade = threshold.grade.flatMap { grade in settings.grades.first { $0.name == grade.value }?.value }
        let axes = [
            threshold.score.map { "\(score) >= \($0 - slack)" },
            threshold.engagement.map { "\(engagement) >= \($0 - slack)" },
            threshold.fit.map { "s.fit >= \($0)" }, grade.map { "s.fit >= \($0)" },
        ].compactMap { $0 }
        guard !axes.isEmpty else {
            // Who has no points yet may be what the predicate asks for.
            return """
                SELECT leads.id AS lead_id FROM leads
                WHERE \(leads.map { "leads.id IN (\($0)) AND " } ?? "")(\(threshold.when?.value ?? "false")
                )
                """
        }
        let conditions =
            (leads.map { ["s.lead_id IN (\($0))"] } ?? []) + axes
            + (threshold.when.map { ["EXISTS (SELECT 1 FROM leads WHERE leads.id = s.lead_id AND (\($0.value)\n))"] }
                ?? [])
        return "SELECT s.lead_id FROM scoring_scores AS s WHERE \(conditions.joined(separator: " AND "))"
    }
}
