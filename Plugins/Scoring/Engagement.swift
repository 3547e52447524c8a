import TrellisKernel

/// What leads did: the entries for events of one kind, by all rules about that kind. Each rule is asked once an event:
/// what held is noted as bits of a number, as ``FitOfNew`` does, and each rule's entries are made of those.
struct Engagement: Sendable {
    typealias Rule = ScoringModel.EngagementRule

    let kind: String
    /// At most ``FitOfNew/bitsMax``, with their numbers in the config.
    private let rules: [(number: Int, rule: Named<Rule>)]
    private let model: String

    /// A model's rules kind by kind.
    static func all(of model: ScoringModel) -> [Engagement] {
        Dictionary(grouping: model.engagement.enumerated()) { $0.element.value.on.value }.sorted { $0.key < $1.key }
            .flatMap { kind, rules in
                stride(from: 0, to: rules.count, by: FitOfNew.bitsMax).map { start in
                    let some = rules[start..<min(start + FitOfNew.bitsMax, rules.count)]
                    return Engagement(kind: kind, rules: some.map { ($0.offset, $0.element) }, model: model.name)
                }
            }
    }

    /// The groups whose caps its rules share.
    var groups: Set<String> { Set(rules.compactMap { $0.rule.value.group?.value }) }

    /// Writes the entries; of rules in a group the candidates, before the cap of the group.
    ///
    /// - Parameter isOfHistories: whether nothing stands in the ledger yet of any lead of the batch.
    func post(_ tx: Transaction, isOfHistories: Bool) throws {
        try tx.scratchTable("scoring_acts", columns: Engagement.actColumns, isByKey: true)
        try tx.db.cachedStatement(sql: acts(from: tx.relation(of: kind))).execute()
        guard tx.db.changesCount > 0 else { return }
        for (bit, (number, rule)) in rules.enumerated() {
            let sql = Engagement.entries(of: rule.value, number, bit: 1 << bit, isOfHistories)
            try tx.db.cachedStatement(sql: sql).execute(arguments: [
                "model": model, "rule": rule.name, "points": rule.value.points,
                "half_life": rule.value.halfLife?.seconds, "fade": rule.value.fades?.seconds,
                "lifetime": rule.value.lasts?.seconds, "group": rule.value.group?.value,
            ])
        }
    }

    // MARK: - Statements

    /// In the order of the leads, so that the events of one are counted without sorting.
    private static let actColumns =
        "lead_id INTEGER, event_id INTEGER, at TEXT, held INTEGER, PRIMARY KEY (lead_id, event_id)"

    private static let columns =
        "model, lead_id, rule, axis, points, half_life, fade, lifetime, rule_group, event_id, at"

    /// What a group's rules would give in this batch, before the cap of the group.
    static let candidateColumns = """
        number INTEGER, is_counted INTEGER, model TEXT, lead_id INTEGER, rule TEXT, axis TEXT, points INTEGER, half_life INTEGER,
        fade INTEGER, lifetime INTEGER, rule_group TEXT, event_id INTEGER, at TEXT
        """

    /// Notes for each event of the batch which rules hold.
    private func acts(from relation: String) -> String {
        let held = rules.enumerated().map { bit, rule in
            rule.rule.value.condition.map { "CASE WHEN (\($0.value)\n) THEN \(1 << bit) ELSE 0 END" } ?? "\(1 << bit)"
        }
        return """
            INSERT INTO temp.scoring_acts (lead_id, event_id, at, held)
            SELECT * FROM (SELECT event_lead_id, event_id, event_at, \(held.joined(separator: " + ")) AS held FROM \(relation)) WHERE held
            """
    }

    /// A capped rule counts what stands in the ledger of the same period, and the events of the batch in their order.
    private static func entries(of rule: Rule, _ number: Int, bit: Int, _ isOfHistories: Bool) -> String {
        let isCounted = rule.once || rule.cap != nil
        let insert =
            rule.group == nil
            ? "INSERT INTO scoring_ledger (\(columns)) SELECT"
            : "INSERT INTO temp.scoring_candidates (number, is_counted, \(columns)) SELECT \(number), \(isCounted ? 1 : 0),"
        let values = ":model, lead_id, :rule, 'engagement', :points, :half_life, :fade, :lifetime, :group, event_id, at"
        let acts = "FROM temp.scoring_acts WHERE held & \(bit)"
        guard isCounted else { return "\(insert) \(values) \(acts)" }
        let period = rule.once ? nil : rule.cap?.period("at")
        let samePeriod = rule.once ? nil : rule.cap.map { "\($0.period("entry.at")) = act.period" }
        let stands =
            isOfHistories
            ? ""
            : """
             + (SELECT count(*) FROM scoring_ledger AS entry
                WHERE entry.lead_id = act.lead_id AND entry.rule = :rule AND entry.axis = 'engagement' AND entry.model = :model
                  AND \(samePeriod ?? "true"))
            """
        return """
            \(insert) \(values)
            FROM (SELECT lead_id, event_id, at, \(period ?? "NULL") AS period,
                         row_number() OVER (PARTITION BY lead_id\(period.map { ", \($0)" } ?? "") ORDER BY event_id) AS nth
                  \(acts)) AS act
            WHERE nth\(stands) <= \(rule.once ? 1 : rule.cap?.times ?? 1)
            """
    }

    /// Entries for the candidates of a group, in the order of their events, as far as the cap of the group allows. What
    /// takes points away is not held up. A rule that counts its events also counts those that gave nothing any more.
    static func capped(_ cap: ScoringModel.Cap, isOfHistories: Bool) -> String {
        let had =
            isOfHistories
            ? "0"
            : """
            coalesce((SELECT sum(e.points) FROM scoring_ledger AS e
                      WHERE e.lead_id = c.lead_id AND e.model = c.model AND e.rule_group = :group AND e.points > 0
                        AND \(cap.period("e.at")) = \(cap.period("c.at"))), 0)
            """
        return """
            INSERT INTO scoring_ledger (\(columns))
            SELECT model, lead_id, rule, axis, given, half_life, fade, lifetime, rule_group, event_id, at
            FROM (SELECT *, CASE WHEN points <= 0 THEN points
                                 ELSE max(0, min(points, \(cap.times) - had - (running - points))) END AS given
                  FROM (SELECT c.*,
                               sum(max(c.points, 0)) OVER (PARTITION BY c.lead_id, \(cap.period("c.at")) ORDER BY c.event_id, c.number
                                                           ROWS UNBOUNDED PRECEDING) AS running,
                               \(had) AS had
                        FROM temp.scoring_candidates AS c WHERE c.rule_group = :group))
            WHERE given <> 0 OR is_counted ORDER BY event_id, number
            """
    }
}
