import TrellisKernel

/// The rules of the config as statements: written once at boot, so that a batch only binds and runs them.
struct ScoringRules: Sendable {
    let settings: ScoringSettings
    /// What the subscriber wants to hear: changes of leads, and whatever an engagement rule is about.
    let kinds: [String]
    /// Entries for leads of the batch that are new.
    let fitOfNew: String?
    /// Entries that bring the fit of changed leads, and of those that took another one in, to what it should be now.
    let fitOfChanged: String?

    init(_ settings: ScoringSettings) {
        self.settings = settings
        kinds = Array(
            Set(
                ["lead.created", "lead.updated", "lead.restored", "lead.merged"]
                    + settings.engagement.map(\.value.on.value))
        ).sorted()
        guard !settings.fit.isEmpty else {
            (fitOfNew, fitOfChanged) = (nil, nil)
            return
        }
        let values = settings.fit.enumerated().map { "(\($0), \($1.name.sqlLiteral), \($1.value.points))" }.joined(
            separator: ", ")
        let holds =
            "CASE rule_number "
            + settings.fit.enumerated().map { "WHEN \($0) THEN (\($1.value.when.value)\n)" }.joined(separator: " ")
            + " END"
        let rules = "WITH rules (rule_number, rule_name, rule_points) AS (VALUES \(values))"
        fitOfNew = """
            \(rules)
            INSERT INTO scoring_entries (lead_id, rule, axis, points, event_id, at)
            SELECT scored_lead, rule_name, 'fit', rule_points, scored_event, scored_at
            FROM (SELECT id AS scored_event, lead_id AS scored_lead, at AS scored_at FROM batch WHERE kind = 'lead.created') AS made
            CROSS JOIN leads ON leads.id = made.scored_lead CROSS JOIN rules
            WHERE \(holds)
            """
        fitOfChanged = """
            \(rules)
            INSERT INTO scoring_entries (lead_id, rule, axis, points, event_id, at)
            SELECT scored_lead, rule_name, 'fit', wanted - had, scored_event, scored_at
            FROM (
                SELECT scored_lead, scored_event, scored_at, rule_name, CASE WHEN \(holds) THEN rule_points ELSE 0 END AS wanted,
                       coalesce((SELECT sum(points) FROM scoring_entries AS entry
                                 WHERE entry.lead_id = scored_lead AND entry.rule = rule_name AND entry.axis = 'fit'), 0) AS had
                FROM (SELECT max(id) AS scored_event, changed_lead AS scored_lead, at AS scored_at FROM (
                          SELECT id, lead_id AS changed_lead, at FROM batch WHERE kind IN ('lead.updated', 'lead.restored')
                          UNION ALL
                          SELECT id, json_extract(body, '$.into'), at FROM batch WHERE kind = 'lead.merged')
                      GROUP BY changed_lead) AS changed
                CROSS JOIN leads ON leads.id = changed.scored_lead CROSS JOIN rules)
            WHERE wanted <> had
            """
    }

    /// Entries for the events of the batch that an engagement rule is about. A capped rule counts what stands in the
    /// ledger of the same period, and the events of the batch in their order.
    static func engagement(_ rule: ScoringSettings.EngagementRule, from relation: String) -> String {
        let condition = rule.condition.map { "(\($0.value)\n)" } ?? "true"
        let insert = "INSERT INTO scoring_entries (lead_id, rule, axis, points, half_life, event_id, at)"
        guard rule.once || rule.cap != nil else {
            return """
                \(insert)
                SELECT event_lead_id, :rule, 'engagement', :points, :half_life, event_id, event_at FROM \(relation) WHERE \(condition)
                """
        }
        let (period, samePeriod, most) =
            rule.once
            ? ("NULL", "true", 1)
            : (
                rule.cap?.period("event_at") ?? "NULL", "\(rule.cap?.period("entry.at") ?? "NULL") = period",
                rule.cap?.times ?? 1
            )
        return """
            \(insert)
            SELECT event_lead_id, :rule, 'engagement', :points, :half_life, event_id, event_at
            FROM (SELECT event_lead_id, event_id, event_at, \(period) AS period,
                         row_number() OVER (PARTITION BY event_lead_id, \(period) ORDER BY event_id) AS nth
                  FROM \(relation) WHERE \(condition))
            WHERE nth + (SELECT count(*) FROM scoring_entries AS entry
                         WHERE entry.lead_id = event_lead_id AND entry.rule = :rule AND \(samePeriod)) <= \(most)
            """
    }
}
