import TrellisKernel

/// Leads that come over a threshold, and those that fall under one again.
struct Crossings {
    let model: ScoringModel
    let tx: Transaction
    /// Whether the log is replayed: then it is noted who was above what, and what followed from that has been.
    let isReplay: Bool

    /// Of leads with new points or other columns: who comes over moves to the stage, once until it falls under it.
    ///
    /// - Parameters:
    ///   - united: what adds leads with a new total without a new entry.
    ///   - changed: what adds leads for which a predicate may have another answer.
    func settle(after last: Int64, united: String, changed: String) throws {
        let posted = "\(Ledger.posted)\(united)"
        let lower = "\(Ledger.posted) AND points < 0\(united)"
        for threshold in model.thresholds where !threshold.value.onCreate {
            let asked = threshold.value.when == nil ? "" : changed
            try fall(threshold, among: lower + asked, ["last": last])
            if !united.isEmpty { try disinherit(threshold) }
            try rise(threshold, among: posted + asked, unless: "NOT st.is_rearmed", ["last": last])
        }
    }

    /// Of new leads, where a threshold asks for no more.
    func welcome() throws {
        for threshold in model.thresholds where threshold.value.onCreate {
            try reach(threshold, "SELECT lead_id FROM batch WHERE kind = 'lead.created'")
        }
    }

    /// Of leads that time alone may have taken over or under one. Who was given back earns it with new points only.
    func settleReviewed() throws {
        let reviewed = "SELECT lead_id FROM temp.scoring_reviewed"
        for threshold in model.thresholds where !threshold.value.onCreate {
            try fall(threshold, among: reviewed, [:])
            try rise(threshold, among: reviewed, unless: "true", [:])
        }
    }

    /// Who took over with another lead that it stands above a threshold, and is not at its stage yet, crosses it by the
    /// total of both. After a replay it is moved by where it stands.
    private func disinherit(_ threshold: Named<ScoringModel.Threshold>) throws {
        guard !isReplay, let stage = model.stage(of: threshold) else { return }
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM scoring_standings
                WHERE model = \(model.literal) AND threshold = \(threshold.name.sqlLiteral) AND NOT is_rearmed
                  AND lead_id IN (\(Totals.kept))\(Replay.isBefore(stage))
                """
        ).execute()
    }

    /// A lead that is back at an earlier stage may reach the threshold once more.
    func rearm() throws {
        guard let stage = stageOfThreshold else { return }
        try tx.db.cachedStatement(
            sql: """
                UPDATE scoring_standings SET is_rearmed = 1
                WHERE lead_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.stage_changed' AND origin <> 'plugin:scoring')
                  AND model = \(model.literal) AND (SELECT position FROM stages WHERE name = \(stage))
                      > (SELECT s.position FROM leads AS l JOIN stages AS s ON s.name = l.stage WHERE l.id = lead_id AND NOT s.is_side)
                """
        ).execute()
    }

    /// A SQL expression over `scoring_standings`: the stage that the threshold leads to. Nil where none leads to one.
    private var stageOfThreshold: String? {
        guard !model.isMain else { return "threshold" }
        let cases = model.thresholds.compactMap { threshold in
            model.stage(of: threshold).map { " WHEN \(threshold.name.sqlLiteral) THEN \($0.sqlLiteral)" }
        }
        return cases.isEmpty ? nil : "CASE threshold\(cases.joined()) END"
    }

    /// Does what reaching a threshold does: the lead moves to its stage, and in a model beside `main` it is told.
    ///
    /// - Parameters:
    ///   - leads: a SELECT of who reached it.
    ///   - isReplayed: whether the log may have told of it already.
    func reach(_ threshold: Named<ScoringModel.Threshold>, _ leads: String, isReplayed: Bool = false) throws {
        if !model.isMain, !isReplay {
            let isNews = isReplayed ? "NOT \(Crossings.isTold(threshold.name, of: model))" : "true"
            try tx.emit(
                "score.reached",
                forEach: """
                    SELECT lead_id, (SELECT max(id) FROM batch WHERE batch.lead_id = r.lead_id) AS cause_id,
                           json_object('threshold', \(threshold.name.sqlLiteral), 'model', \(model.literal)) AS body
                    FROM (\(leads)) AS r WHERE \(isNews) ORDER BY lead_id
                    """)
        }
        if let stage = model.stage(of: threshold) { try tx.moveStage(to: stage, leads: leads) }
    }

    /// Whether the last thing the log tells of the lead `r.lead_id` and a threshold is that it reached it; or of one
    /// that it took in, and it did not fall since. The plus signs keep SQLite at the events of the lead.
    private static func isTold(_ threshold: String, of model: ScoringModel) -> String {
        let isOfIt = """
            json_extract(e.body, '$.model') = \(model.literal) AND json_extract(e.body, '$.threshold') = \(threshold.sqlLiteral)
            """
        func isLast(of lead: String) -> String {
            """
            coalesce((SELECT e.kind = 'score.reached' FROM events AS e
                      WHERE e.lead_id = \(lead) AND +e.kind IN ('score.reached', 'score.fell') AND \(isOfIt)
                      ORDER BY e.id DESC LIMIT 1), 0)
            """
        }
        return """
            (\(isLast(of: "r.lead_id"))
             OR EXISTS (SELECT 1 FROM lead_merges AS m WHERE m.kept_id = r.lead_id AND \(isLast(of: "m.gone_id")) AND NOT EXISTS (
                 SELECT 1 FROM events AS e WHERE e.lead_id = r.lead_id AND +e.kind = 'score.fell' AND \(isOfIt)
                   AND e.id > (SELECT max(id) FROM events WHERE lead_id = m.gone_id AND +kind = 'lead.merged'))))
            """
    }

    private func rise(
        _ threshold: Named<ScoringModel.Threshold>, among leads: String, unless standing: String,
        _ arguments: StatementArguments
    ) throws {
        try tx.scratchTable("scoring_crossing", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_crossing
                SELECT who.lead_id FROM (\(Crossings.above(threshold.value, model, among: leads))) AS who
                WHERE NOT EXISTS (SELECT 1 FROM scoring_standings AS st
                                  WHERE st.lead_id = who.lead_id AND st.model = \(model.literal)
                                    AND st.threshold = \(threshold.name.sqlLiteral) AND \(standing))
                """
        ).execute(arguments: arguments)
        guard tx.db.changesCount > 0 else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO scoring_standings (lead_id, model, threshold, since)
                SELECT lead_id, :model, :threshold,
                       coalesce((SELECT as_of FROM scoring_totals AS s WHERE s.lead_id = c.lead_id AND s.model = :model), :now)
                FROM temp.scoring_crossing AS c
                """
        ).execute(arguments: ["model": model.name, "threshold": threshold.name, "now": tx.stamp])
        guard !isReplay else { return }
        try reach(threshold, "SELECT lead_id FROM temp.scoring_crossing")
    }

    private func fall(
        _ threshold: Named<ScoringModel.Threshold>, among leads: String, _ arguments: StatementArguments
    ) throws {
        let name = threshold.name.sqlLiteral
        try tx.scratchTable("scoring_falling", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_falling
                SELECT DISTINCT st.lead_id FROM (\(leads)) AS looked
                CROSS JOIN scoring_standings AS st
                    ON st.lead_id = looked.lead_id AND st.model = \(model.literal) AND st.threshold = \(name)
                WHERE st.lead_id NOT IN (\(Crossings.above(
                    threshold.value, model, among: "st.lead_id", slack: threshold.value.hysteresis)))
                """
        ).execute(arguments: arguments)
        guard tx.db.changesCount > 0 else { return }
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM scoring_standings
                WHERE model = \(model.literal) AND threshold = \(name) AND lead_id IN (SELECT lead_id FROM temp.scoring_falling)
                """
        ).execute()
        guard !isReplay else { return }
        try tx.emit(
            "score.fell",
            forEach: """
                SELECT lead_id, (SELECT max(id) FROM batch WHERE batch.lead_id = f.lead_id) AS cause_id,
                       json_object('threshold', \(name), 'model', \(model.literal)) AS body
                FROM temp.scoring_falling AS f ORDER BY lead_id
                """)
    }

    /// A SELECT of the leads, among some, that are above a threshold.
    ///
    /// - Parameters:
    ///   - leads: a SELECT of ids; nil for all.
    ///   - slack: how far below its score, fit and engagement still counts; a grade has none.
    ///   - isNow: whether points are weighed as of `:now`, and not as of the moment that a score names.
    static func above(
        _ threshold: ScoringModel.Threshold, _ model: ScoringModel, among leads: String?, slack: Int = 0,
        isNow: Bool = false
    ) -> String {
        let engagement =
            isNow && model.hasDecay
            ? """
            CASE WHEN s.decays THEN (SELECT coalesce(sum(\(Weight.points("e", at: ":now"))), 0) FROM scoring_ledger AS e
                                     WHERE e.lead_id = s.lead_id AND e.model = s.model AND e.axis = 'engagement') ELSE s.engagement END
            """ : "s.engagement"
        let score = isNow && model.hasDecay ? "s.fit + \(engagement)" : "s.score"
        let axes = axes(threshold, model, score: score, engagement: engagement, fit: "s.fit", slack: slack)
        guard !axes.isEmpty else {
            // Who has no points yet may be what the predicate asks for.
            return """
                SELECT leads.id AS lead_id FROM leads
                WHERE \(leads.map { "leads.id IN (\($0)) AND " } ?? "")(\(threshold.when?.value ?? "false")
                )
                """
        }
        let conditions =
            ["s.model = \(model.literal)"] + (leads.map { ["s.lead_id IN (\($0))"] } ?? []) + axes
            + (threshold.when.map { ["EXISTS (SELECT 1 FROM leads WHERE leads.id = s.lead_id AND (\($0.value)\n))"] }
                ?? [])
        return "SELECT s.lead_id FROM scoring_totals AS s WHERE \(conditions.joined(separator: " AND "))"
    }

    /// The points a threshold asks for, as one condition over the columns of a relation.
    static func axes(
        _ threshold: ScoringModel.Threshold, _ model: ScoringModel, of relation: String, slack: Int = 0
    ) -> String {
        axes(
            threshold, model, score: "\(relation).score", engagement: "\(relation).engagement", fit: "\(relation).fit",
            slack: slack
        ).joined(separator: " AND ")
    }

    private static func axes(
        _ threshold: ScoringModel.Threshold, _ model: ScoringModel, score: String, engagement: String, fit: String,
        slack: Int
    ) -> [String] {
        let grade = threshold.grade.flatMap { grade in model.grades.first { $0.name == grade.value }?.value }
        return [
            threshold.score.map { "\(score) >= \($0 - slack)" },
            threshold.engagement.map { "\(engagement) >= \($0 - slack)" },
            threshold.fit.map { "\(fit) >= \($0 - slack)" }, grade.map { "\(fit) >= \($0)" },
        ].compactMap { $0 }
    }
}
