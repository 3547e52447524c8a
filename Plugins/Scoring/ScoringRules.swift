import TrellisKernel

/// The rules of the config as statements: written once at boot, so that a batch only binds and runs them.
struct ScoringRules: Sendable {
    let model: ScoringModel
    /// What the subscriber wants to hear: changes of leads, and whatever an engagement rule is about.
    let kinds: [String]
    let engagement: [Engagement]
    /// Nil without rules of fit.
    let fitOfNew: FitOfNew?
    /// Entries that bring the fit of changed leads, and of those that took another one in, to what it should be now.
    let fitOfChanged: String?

    init(_ model: ScoringModel) {
        self.model = model
        kinds = Array(
            Set(
                [
                    "lead.created", "lead.updated", "lead.stage_changed", "lead.restored", "lead.merged", "lead.erased",
                    "account.updated", "score.adjusted", "scoring.review_due", Rechecks.kind,
                ] + model.engagement.map(\.value.on.value))
        ).sorted()
        engagement = Engagement.all(of: model)
        fitOfNew = FitOfNew(model)
        fitOfChanged = model.fit.isEmpty ? nil : ScoringRules.fitOfChanged(model)
    }

    private static func fitOfChanged(_ model: ScoringModel) -> String {
        let fit = model.fit
        let values = fit.enumerated().map { "(\($0), \($1.name.sqlLiteral), \($1.value.points))" }.joined(
            separator: ", ")
        let holds =
            "CASE rule_number "
            + fit.enumerated().map { "WHEN \($0) THEN (\($1.value.when.value)\n)" }.joined(separator: " ")
            + " END"
        let rules = "WITH rules (rule_number, rule_name, rule_points) AS (VALUES \(values))"
        return """
            \(rules)
            INSERT INTO scoring_ledger (model, lead_id, rule, axis, points, event_id, at)
            SELECT \(model.literal), scored_lead, rule_name, 'fit', wanted - had, scored_event, scored_at
            FROM (
                SELECT scored_lead, scored_event, scored_at, rule_name, CASE WHEN \(holds) THEN rule_points ELSE 0 END AS wanted,
                       coalesce((SELECT sum(points) FROM scoring_ledger AS entry
                                 WHERE entry.lead_id = scored_lead AND entry.rule = rule_name AND entry.axis = 'fit'
                                   AND entry.model = \(model.literal)), 0) AS had
                FROM (SELECT max(id) AS scored_event, changed_lead AS scored_lead, at AS scored_at FROM (
                          SELECT id, lead_id AS changed_lead, at FROM batch WHERE kind IN ('lead.updated', 'lead.restored')
                          UNION ALL
                          SELECT id, json_extract(body, '$.into'), at FROM batch WHERE kind = 'lead.merged'
                          UNION ALL
                          SELECT b.id, l.id, b.at FROM batch AS b CROSS JOIN leads AS l ON l.account_id = json_extract(b.body, '$.account_id')
                          WHERE b.kind = 'account.updated'
                          UNION ALL
                          SELECT event_id, lead_id, at FROM \(FitOfNew.table(of: model)) WHERE is_known)
                      WHERE changed_lead NOT IN (SELECT lead_id FROM \(FitOfNew.table(of: model)) WHERE NOT is_known)
                      GROUP BY changed_lead) AS changed
                CROSS JOIN leads ON leads.id = changed.scored_lead CROSS JOIN rules)
            WHERE wanted <> had
            """
    }
}
