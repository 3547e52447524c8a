/// Rows of a file as `spend`: a table of one's own, or the report of an ad platform as it was downloaded.
///
/// What a file says of a day, channel, campaign, half and currency is the sum of its rows about them, and takes the
/// place of what stood there: platforms correct their figures for days, and the same file twice is no change.
final class SpendLoader: RowLoader {
    private let plan: SpendColumns
    private var totals: [SpendLine.Key: Double] = [:]

    var ignoredColumns: [String] { plan.ignored }

    /// - Parameter currency: of amounts without one.
    init(_ mapping: ImportMapping, header: [String], currency: String) throws {
        plan = try SpendColumns(mapping, header: header, currency: currency)
    }

    /// Opens a report, whose header may stand below its title.
    static func reader(of file: String) throws -> CSVReader {
        guard let reader = try CSVReader.opened(path: file, whereHeader: SpendColumns.isHeader) else {
            // Columns of any names, which --map explains.
            return try CSVReader(path: file)
        }
        return reader
    }

    func load(_ rows: ArraySlice<PreparedRow>, _ tx: Transaction) throws -> LoadOutcome {
        var outcome = LoadOutcome()
        var changed: Set<SpendLine.Key> = []
        for row in rows.map(\.row) {
            do {
                guard let line = try plan.line(of: row) else {
                    outcome.skipped += 1
                    continue
                }
                totals[line.key, default: 0] += line.amount
                changed.insert(line.key)
            } catch let problem as FieldProblem {
                outcome.rejected.append((row, problem.description))
            }
        }
        try put(changed, &outcome, tx)
        return outcome
    }

    private func put(_ keys: Set<SpendLine.Key>, _ outcome: inout LoadOutcome, _ tx: Transaction) throws {
        try tx.scratchTable(
            "import_spend",
            columns: "day TEXT, channel TEXT, campaign TEXT, half TEXT, currency TEXT, amount REAL, was REAL")
        let stage = try tx.db.cachedStatement(sql: "INSERT INTO temp.import_spend VALUES (?, ?, ?, ?, ?, ?, NULL)")
        for key in keys.sorted() {
            try stage.execute(arguments: [
                key.day, key.channel, key.campaign, key.half, key.currency, totals[key] ?? 0,
            ])
        }
        let same = """
            spend.day = i.day AND spend.channel = i.channel AND spend.campaign IS i.campaign AND spend.half = i.half
            AND spend.currency = i.currency
            """
        try tx.db.execute(
            sql: "UPDATE temp.import_spend AS i SET was = (SELECT sum(amount) FROM spend WHERE \(same))")
        // Sums of the same amounts in another order differ in their last digit.
        let differs = "(i.was IS NULL OR abs(i.was - i.amount) > 0.000001)"
        try tx.db.execute(
            sql: "DELETE FROM spend WHERE EXISTS (SELECT 1 FROM temp.import_spend AS i WHERE \(same) AND \(differs))")
        try tx.db.execute(
            sql: """
                INSERT INTO spend (day, channel, campaign, half, currency, amount)
                SELECT day, channel, campaign, half, currency, amount FROM temp.import_spend AS i WHERE \(differs) ORDER BY rowid
                """)
        let new =
            try Int.fetchOne(tx.db, sql: "SELECT count(*) FROM temp.import_spend AS i WHERE i.was IS NULL") ?? 0
        let written =
            try Int.fetchOne(tx.db, sql: "SELECT count(*) FROM temp.import_spend AS i WHERE \(differs)") ?? 0
        outcome.created += new
        outcome.changed += written - new
        outcome.same += keys.count - written
    }
}
