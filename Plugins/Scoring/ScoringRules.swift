import TrellisKernel

/// The rules of the config as statements: written once at boot, so that a batch only binds and runs them.
struct ScoringRules: Sendable {
    let model: ScoringModel
    /// What the subscriber wants to hear: changes of leads, and whatever an engagement rule is about.
    let kinds: [String]
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
                      GROUP BY changed_lead) AS changed
                CROSS JOIN leads ON leads.id = changed.scored_lead CROSS JOIN rules)
            WHERE wanted <> had
            """
    }

    // MARK: - Engagement

    private static let columns =
        "model, lead_id, rule, axis, points, half_life, fade, lifetime, rule_group, event_id, at"

    /// What a group's rules would give in this batch, before the cap of the group.
    static let candidateColumns = """
        number INTEGER, is_counted INTEGER, model TEXT, lead_id INTEGER, rule TEXT, axis TEXT, points INTEGER, half_life INTEGER,
        fade INTEGER, lifetime INTEGER, rule_group TEXT, event_id INTEGER, at TEXT
        """

    /// Entries for the events of the batch that an engagement rule is about; candidates where the rule is in a group. A
    /// capped rule counts what stands in the ledger of the same period, and the events of the batch in their order.
    static func engagement(_ rule: EngagementRule, number: Int, from relation: String) -> String {
        let condition = rule.condition.map { "(\($0.value)\n)" } ?? "true"
        let isCounted = rule.once || rule.cap != nil
        let insert =
            rule.group == nil
            ? "INSERT INTO scoring_ledger (\(columns)) SELECT"
            : "INSERT INTO temp.scoring_candidates (number, is_counted, \(columns)) SELECT \(number), \(isCounted ? 1 : 0),"
        let values =
            ":model, event_lead_id, :rule, 'engagement', :points, :half_life, :fade, :lifetime, :group, event_id, event_at"
        guard isCounted else {
            return "\(insert) \(values) FROM \(relation) WHERE \(condition)"
        }
        let (period, samePeriod, most) =
            rule.once
            ? ("NULL", "true", 1)
            : (
                rule.cap?.period("event_at") ?? "NULL", "\(rule.cap?.period("entry.at") ?? "NULL") = period",
                rule.cap?.times ?? 1
            )
        return """
            \(insert) \(values)
            FROM (SELECT event_lead_id, event_id, event_at, \(period) AS period,
                         row_number() OVER (PARTITION BY event_lead_id, \(period) ORDER BY event_id) AS nth
                  FROM \(relation) WHERE \(condition))
            WHERE nth + (SELECT count(*) FROM scoring_ledger AS entry
                         WHERE entry.lead_id = event_lead_id AND entry.rule = :rule AND entry.axis = 'engagement' AND entry.model = :model
                           AND \(samePeriod)) <= \(most)
            """
    }

    typealias EngagementRule = ScoringModel.EngagementRule

    /// Entries for the candidates of a group, in the order of their events, as far as the cap of the group allows. What
    /// takes points away is not held up. A rule that counts its events also counts those that gave nothing any more.
    static func capped(_ cap: ScoringModel.Cap) -> String {
        """
        INSERT INTO scoring_ledger (\(columns))
        SELECT model, lead_id, rule, axis, given, half_life, fade, lifetime, rule_group, event_id, at
        FROM (SELECT *, CASE WHEN points <= 0 THEN points
                             ELSE max(0, min(points, \(cap.times) - had - (running - points))) END AS given
              FROM (SELECT c.*,
                           sum(max(c.points, 0)) OVER (PARTITION BY c.lead_id, \(cap.period("c.at")) ORDER BY c.event_id, c.number
                                                       ROWS UNBOUNDED PRECEDING) AS running,
                           coalesce((SELECT sum(e.points) FROM scoring_ledger AS e
                                     WHERE e.lead_id = c.lead_id AND e.model = c.model AND e.rule_group = :group AND e.points > 0
                                       AND \(cap.period("e.at")) = \(cap.period("c.at"))), 0) AS had
                    FROM temp.scoring_candidates AS c WHERE c.rule_group = :group))
        WHERE given <> 0 OR is_counted ORDER BY event_id, number
        """
    }
}
