import TrellisKernel

/// One row per lead with a known outcome: which rules held for it before that, and what it came to.
///
/// A rule is a bit, so that a million leads with 60 rules are 25 MB.
struct Observations {
    let conditions: [Condition]
    /// Rules about what leads do, by name, with their points.
    let engagement: [(name: String, points: Int)]
    private(set) var leads: [Int64] = []
    private(set) var converted: [Bool] = []
    /// Leads that converted at a time nobody knows: all that is known of them counts.
    private(set) var undated = 0
    /// Leads a week, from the first to the last that came; nil where all came at once, as by an import.
    private(set) var leadsPerWeek: Double?
    private var words: [UInt64] = []
    private let model: String
    private let wordCount: Int
    /// Per rule of engagement, the rows it counted in and how often, each time weighed by its age.
    private var amounts: [[(row: Int32, amount: Double)]]

    /// A rule a bit; SQLite's numbers have 63 beside the sign.
    private static let bitsPerWord = 60

    /// Reads in three statements, whatever the number of leads and rules.
    ///
    /// - Parameter candidates: rules beside those of the model.
    init(_ scope: OutcomeScope, of model: ScoringModel, candidates: [Condition] = [], _ db: Database) throws {
        let conditions = model.conditions + candidates
        let engagement = model.engagement.map { ($0.name, $0.value.points) }
        self.model = model.literal
        self.conditions = conditions
        self.engagement = engagement
        wordCount = (conditions.count + Observations.bitsPerWord - 1) / Observations.bitsPerWord
        amounts = engagement.map { _ in [] }
        try readLeads(scope, db)
        try correctFit(scope, db)
        try readEngagement(scope, db)
        leadsPerWeek = try Double.fetchOne(
            db,
            sql: """
                \(scope.with)
                SELECT count(*) / (julianday(max(created_at)) - julianday(min(created_at))) * 7
                FROM outcomes CROSS JOIN leads ON leads.id = outcome_lead
                HAVING julianday(max(created_at)) - julianday(min(created_at)) >= 7
                """, arguments: scope.arguments)
    }

    var count: Int { leads.count }
    var convertedCount: Int { converted.count { $0 } }

    /// Whether a rule about what a lead is held for the lead of a row.
    func holds(_ condition: Int, row: Int) -> Bool {
        let (word, bit) = condition.quotientAndRemainder(dividingBy: Observations.bitsPerWord)
        return words[row * wordCount + word] >> UInt64(bit) & 1 == 1
    }

    /// The rows in which a rule of engagement counted.
    func rows(ofEngagement rule: Int) -> [(row: Int32, amount: Double)] { amounts[rule] }

    /// A column per condition, then one per rule of engagement.
    ///
    /// - Parameters:
    ///   - rows: which leads, ascending.
    ///   - conditions: which conditions, ascending.
    func table(rows: [Int], conditions: [Int]) -> SparseRows {
        var table = SparseRows(columnCount: conditions.count + engagement.count)
        var next = [Int](repeating: 0, count: engagement.count)
        for row in rows {
            var cells = conditions.enumerated().filter { holds($0.element, row: row) }.map {
                (column: $0.offset, value: 1.0)
            }
            for rule in engagement.indices {
                while next[rule] < amounts[rule].count, amounts[rule][next[rule]].row < row { next[rule] += 1 }
                guard next[rule] < amounts[rule].count, amounts[rule][next[rule]].row == row else { continue }
                cells.append((column: conditions.count + rule, value: amounts[rule][next[rule]].amount))
            }
            table.append(cells)
        }
        return table
    }

    /// What every lead has by the points of the config: of the rules about what it is, and in all.
    func configuredScores() -> (fit: [Double], all: [Double]) {
        let fit = (0..<count).map { row in
            conditions.indices.reduce(0) { holds($1, row: row) ? $0 + Double(conditions[$1].points ?? 0) : $0 }
        }
        var all = fit
        for (rule, amounts) in zip(engagement, amounts) {
            for (row, amount) in amounts { all[Int(row)] += Double(rule.points) * amount }
        }
        return (fit, all)
    }

    /// Conversion of the leads for which something holds, beside the others.
    func lift(_ holds: (Int) -> Bool) -> Lift {
        var (leads, won) = (0, 0)
        for row in 0..<count where holds(row) {
            leads += 1
            if converted[row] { won += 1 }
        }
        return Lift(
            leads: leads, converted: won, otherLeads: count - leads, otherConverted: convertedCount - won)
    }

    func lift(ofCondition number: Int) -> Lift { lift { holds(number, row: $0) } }

    func lift(ofEngagement number: Int) -> Lift {
        let rows = Set(amounts[number].map { Int($0.row) })
        return lift(rows.contains)
    }

    // MARK: - Reading

    private mutating func readLeads(_ scope: OutcomeScope, _ db: Database) throws {
        let masks = stride(from: 0, to: conditions.count, by: Observations.bitsPerWord).map { start in
            let part = conditions[start..<min(start + Observations.bitsPerWord, conditions.count)]
            return part.enumerated().map { "((((\($0.element.when)\n)) IS TRUE) << \($0.offset))" }.joined(
                separator: " | ")
        }
        let columns = (["outcome_lead", "outcome_met", "outcome_undated"] + masks).joined(separator: ", ")
        let cursor = try Row.fetchCursor(
            db,
            sql: """
                \(scope.with)
                SELECT \(columns) FROM leads CROSS JOIN outcomes ON outcome_lead = leads.id ORDER BY leads.id
                """, arguments: scope.arguments)
        while let row = try cursor.next() {
            leads.append(row[0])
            converted.append(row[1] ?? false)
            if row[2] ?? false { undated += 1 }
            for word in 0..<wordCount { words.append(UInt64(bitPattern: row[3 + word] ?? 0)) }
        }
    }

    /// The columns say what a lead is now. Where the ledger has an entry from after the outcome, what held before it is
    /// the sum of the entries before.
    private mutating func correctFit(_ scope: OutcomeScope, _ db: Database) throws {
        let places = Dictionary(
            conditions.enumerated().filter(\.element.isConfigured).map { ($0.element.name, $0.offset) }
        ) { first, _ in first }
        guard !places.isEmpty, scope.outcome.isDated || scope.asOf != nil else { return }
        let cursor = try Row.fetchCursor(
            db,
            sql: """
                \(scope.with)
                SELECT entry.lead_id, entry.rule, sum(CASE WHEN entry.at < outcome_until THEN entry.points ELSE 0 END) <> 0
                FROM outcomes CROSS JOIN scoring_ledger AS entry ON entry.lead_id = outcome_lead
                WHERE entry.model = \(model) AND entry.axis = 'fit' AND outcome_until IS NOT NULL
                GROUP BY entry.lead_id, entry.rule HAVING max(entry.at) >= max(outcome_until)
                """, arguments: scope.arguments)
        while let found = try cursor.next() {
            guard let place = places[found[1] as String], let row = row(of: found[0]) else { continue }
            let (word, bit) = place.quotientAndRemainder(dividingBy: Observations.bitsPerWord)
            let mask = UInt64(1) << UInt64(bit)
            if found[2] { words[row * wordCount + word] |= mask } else { words[row * wordCount + word] &= ~mask }
        }
    }

    /// How often each rule of engagement counted before the outcome. Points that decay are weighed as of the last entry
    /// of the lead, for those who converted and those who did not alike: as of today, everybody's would be gone.
    private mutating func readEngagement(_ scope: OutcomeScope, _ db: Database) throws {
        let places = Dictionary(engagement.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
        guard !places.isEmpty else { return }
        let cursor = try Row.fetchCursor(
            db,
            sql: """
                \(scope.with)
                SELECT lead_id, rule, sum(1.0 * \(Weight.share("counted", at: "latest")))
                FROM (SELECT entry.*, max(entry.at) OVER (PARTITION BY entry.lead_id) AS latest
                      FROM outcomes CROSS JOIN scoring_ledger AS entry ON entry.lead_id = outcome_lead
                      WHERE entry.model = \(model) AND entry.axis = 'engagement' AND (outcome_until IS NULL OR entry.at < outcome_until)) AS counted
                GROUP BY lead_id, rule ORDER BY lead_id
                """, arguments: scope.arguments)
        while let found = try cursor.next() {
            guard let place = places[found[1] as String], let row = row(of: found[0]) else { continue }
            amounts[place].append((Int32(truncatingIfNeeded: row), found[2]))
        }
    }

    /// Leads ascend, so that half of them is left after each look.
    private func row(of lead: Int64) -> Int? {
        var (low, high) = (0, leads.count)
        while low < high {
            let middle = low + (high - low) / 2
            if leads[middle] < lead { low = middle + 1 } else { high = middle }
        }
        return low < leads.count && leads[low] == lead ? low : nil
    }
}
