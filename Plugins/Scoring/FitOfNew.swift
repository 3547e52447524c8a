import TrellisKernel

/// The fit of leads that are new. Each rule is asked once a lead: what held is noted as bits of a number, and both the
/// entries and the total are made of those.
///
/// Summing the totals out of the entries instead sorts every entry once more, which took as long as writing them.
struct FitOfNew: Sendable {
    /// Notes for each new lead of the batch which rules hold.
    let held: String
    /// An entry per rule that holds.
    let entries: String
    /// The sum of their points.
    let totals: String

    /// So many rules are noted in one number: SQLite's integers have 64 bits, one of them the sign.
    static let bitsMax = 60
    private let columns: Int

    /// Nil without rules.
    init?(_ model: ScoringModel) {
        let rules = model.fit
        guard !rules.isEmpty else { return nil }
        let words = stride(from: 0, to: rules.count, by: FitOfNew.bitsMax).map {
            Array(rules[$0..<min($0 + FitOfNew.bitsMax, rules.count)])
        }
        columns = words.count
        held = FitOfNew.held(words, model)
        entries = FitOfNew.entries(words, model)
        totals = FitOfNew.totals(words, model)
    }

    /// Empties the notes.
    func begin(_ tx: Transaction) throws {
        try tx.scratchTable(
            FitOfNew.table(columns),
            columns:
                "lead_id INTEGER PRIMARY KEY, event_id INTEGER, at TEXT, is_known INTEGER, \(FitOfNew.names(columns))")
    }

    /// - Parameter sums: whether the totals are written too.
    /// - Returns: whether some are there that had points before: leads that a client put in their own place.
    func post(_ tx: Transaction, sums: Bool) throws -> Bool {
        for statement in [held, entries] { try tx.db.cachedStatement(sql: statement).execute() }
        if sums { try tx.db.cachedStatement(sql: totals).execute(arguments: ["now": tx.stamp]) }
        return try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM temp.\(FitOfNew.table(columns)) WHERE is_known)"))
            ?? false
    }

    /// Where the notes are: a table of its own for each number of columns, as another model may need more of them.
    private static func table(_ columns: Int) -> String { "scoring_held_\(columns)" }

    /// The same for a model.
    static func table(of model: ScoringModel) -> String {
        "temp." + table((model.fit.count + bitsMax - 1) / bitsMax)
    }

    private static func names(_ count: Int) -> String {
        (0..<count).map { "held_\($0)" }.joined(separator: ", ")
    }

    // MARK: - Statements

    private typealias Words = [[Named<ScoringModel.FitRule>]]

    private static func held(_ words: Words, _ model: ScoringModel) -> String {
        let masks = words.map { rules in
            "("
                + rules.enumerated().map { "CASE WHEN (\($1.value.when.value)\n) THEN \(bit($0)) ELSE 0 END" }
                .joined(separator: " + ") + ")"
        }
        return """
            INSERT OR IGNORE INTO \(table(of: model)) (lead_id, event_id, at, is_known, \(names(words.count)))
            SELECT scored_lead, scored_event, scored_at, EXISTS (SELECT 1 FROM scoring_ledger WHERE lead_id = scored_lead AND model = \(model.literal)),
                   \(masks.joined(separator: ", "))
            FROM (SELECT id AS scored_event, lead_id AS scored_lead, at AS scored_at FROM batch WHERE kind = 'lead.created') AS made
            CROSS JOIN leads ON leads.id = made.scored_lead
            """
    }

    private static func entries(_ words: Words, _ model: ScoringModel) -> String {
        let values = words.enumerated().flatMap { word, rules in
            rules.enumerated().map { "(\(word), \(bit($0)), \($1.name.sqlLiteral), \($1.value.points))" }
        }
        let number =
            words.count == 1
            ? "held_0"
            : "CASE word " + words.indices.map { "WHEN \($0) THEN held_\($0)" }.joined(separator: " ") + " END"
        return """
            WITH rules (word, bit, name, points) AS (VALUES \(values.joined(separator: ", ")))
            INSERT INTO scoring_ledger (model, lead_id, rule, axis, points, event_id, at)
            SELECT \(model.literal), h.lead_id, rules.name, 'fit', rules.points, h.event_id, h.at
            FROM \(table(of: model)) AS h CROSS JOIN rules WHERE NOT h.is_known AND \(number) & bit
            """
    }

    private static func totals(_ words: Words, _ model: ScoringModel) -> String {
        let sums = words.enumerated().map { word, rules in
            "("
                + rules.enumerated().map { "iif(held_\(word) & \(bit($0)), \($1.value.points), 0)" }.joined(
                    separator: " + ")
                + ")"
        }
        let any = words.indices.map { "held_\($0)" }.joined(separator: " OR ")
        return """
            INSERT INTO scoring_totals (lead_id, model, fit, engagement, score, decays, as_of)
            SELECT lead_id, \(model.literal), points, 0, points, 0, min(at, :now)
            FROM (SELECT lead_id, at, \(sums.joined(separator: " + ")) AS points FROM \(table(of: model)) WHERE NOT is_known AND (\(any))) WHERE true
            ON CONFLICT (lead_id, model) DO UPDATE SET
                fit = fit + excluded.fit, score = score + excluded.score, as_of = max(as_of, excluded.as_of)
            """
    }

    private static func bit(_ number: Int) -> Int { 1 << number }
}
