import TrellisKernel

/// Rules that could be made from the columns of leads: a value that enough leads share, a number above a readable cut,
/// nothing known.
struct ColumnCandidates {
    let scope: OutcomeScope
    /// Fewer leads than this are no ground for a rule, and might be recognised by it.
    let leadsMin: Int
    let db: Database

    /// More candidates than this would make the first model slow, and no table of rules better.
    static let conditionsMax = 240
    /// The most frequent values of a column.
    static let valuesMax = 20
    /// Longer texts are something somebody wrote, not something somebody chose.
    static let textMax = 80
    static let cutsMax = 10

    /// Of a person: a rule about it is about this person. No rule is ever made from these.
    static let personal = ["email", "first_name", "last_name", "phone", "external_id"]
    /// Follows from what sales did, or from when the row was written.
    static let written = ["id", "stage", "owner", "account_id", "contact_id", "created_at", "updated_at"]
    /// Left out unless named: nearly every lead has its own.
    static let scattered = ["company", "postal_code"]

    /// The columns to look at: those named, or all that may tell something.
    ///
    /// - Throws: ``KernelError/usage(_:)`` for a column that is not there, or that no rule may read.
    func columns(named names: [String]?) throws -> [String] {
        let all = try db.columns(in: "leads").map(\.name)
        let known = ColumnCandidates.personal + ColumnCandidates.written + ColumnCandidates.scattered
        guard let names else { return all.filter { !known.contains($0) && $0 != scope.outcome.column } }
        for name in names {
            guard all.contains(name) else {
                throw KernelError.usage("leads has no column '\(name)'.\(NearMiss.hint(name, among: all))")
            }
            if ColumnCandidates.personal.contains(name) {
                throw KernelError.usage(
                    "--columns: '\(name)' tells who somebody is; a rule from it would be about one person. Leave it out."
                )
            }
            if ColumnCandidates.written.contains(name) {
                throw KernelError.usage(
                    "--columns: '\(name)' follows from what sales did or from when the row was written, not from what the lead is. Leave it out."
                )
            }
            if name == scope.outcome.column {
                throw KernelError.usage("--columns: '\(name)' is the outcome itself. Leave it out.")
            }
        }
        return names
    }

    /// Columns that were changed after the outcome, for how many of the leads that had reached it: whoever changed
    /// them knew it.
    func changedAfterwards() throws -> [(column: String, leads: Int)] {
        guard scope.outcome.isDated else { return [] }
        return try Row.fetchAll(
            db,
            sql: """
                \(scope.with)
                SELECT CAST(changed.value AS TEXT), count(DISTINCT event.lead_id) AS leads
                FROM outcomes CROSS JOIN events AS event ON event.lead_id = outcome_lead
                CROSS JOIN json_each(event.body, '$.columns') AS changed
                WHERE outcome_met AND event.kind = 'lead.updated' AND event.at >= outcome_until AND changed.value IS NOT NULL
                GROUP BY 1 HAVING leads >= max(2, 0.02 * (SELECT sum(outcome_met) FROM outcomes)) ORDER BY leads DESC, 1
                """, arguments: scope.arguments
        ).map { ($0[0], $0[1]) }
    }

    /// The rules that could be made, most frequent values first, in the order of the columns. All leads are looked at,
    /// with an outcome or without: what is common among them is.
    ///
    /// - Parameter taken: names that are given to other rules already.
    func conditions(_ columns: [String], besides taken: [String] = []) throws -> [Condition] {
        let types = Dictionary(try db.columns(in: "leads").map { ($0.name, $0.type) }) { first, _ in first }
        var found: [Condition] = []
        for column in columns {
            let written = try name(inSQL: column)
            found += types[column] == "TEXT" ? try values(column, written) : try numbers(column, written)
            found += try nothing(column, written)
        }
        var taken = Set(taken)
        return found.prefix(ColumnCandidates.conditionsMax).map { condition in
            let name = ColumnCandidates.free(condition.name, &taken)
            return Condition(name: name, when: condition.when)
        }
    }

    private func values(_ column: String, _ written: String) throws -> [Condition] {
        try String.fetchAll(
            db,
            sql: """
                SELECT \(column.sqlIdentifier) FROM leads
                WHERE \(column.sqlIdentifier) <> '' AND length(\(column.sqlIdentifier)) <= \(ColumnCandidates.textMax)
                GROUP BY 1 HAVING count(*) >= \(leadsMin) ORDER BY count(*) DESC, 1 LIMIT \(ColumnCandidates.valuesMax)
                """
        ).filter(ColumnCandidates.isChoice).map {
            Condition(name: ColumnCandidates.slug("\(column)-\($0)"), when: "\(written) = \($0.sqlLiteral)")
        }
    }

    /// Something one chooses from a list: no address, no number of a telephone, no control characters.
    private static func isChoice(_ text: String) -> Bool {
        !text.contains("@") && !text.contains(/\d{6}/)
            && !text.unicodeScalars.contains {
                [.control, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
            }
    }

    private func numbers(_ column: String, _ written: String) throws -> [Condition] {
        let quoted = column.sqlIdentifier
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT min(value), count(*), max(value <> round(value)), max(value)
                FROM (SELECT value, ntile(\(ColumnCandidates.cutsMax)) OVER (ORDER BY value) AS part
                      FROM (SELECT CAST(\(quoted) AS REAL) AS value FROM leads WHERE \(quoted) IS NOT NULL))
                GROUP BY part ORDER BY part
                """)
        guard let lowest = rows.first?[0] as Double?, let highest = rows.last?[3] as Double?, lowest < highest else {
            return []
        }
        let isWhole = rows.allSatisfy { ($0[2] as Int?) == 0 }
        let count = rows.reduce(0) { $0 + ($1[1] as Int) }
        guard count >= leadsMin else { return [] }
        var quantiles = rows.map { $0[0] as Double }
        // A column that is 0 for nearly everybody has its only cut above the last tenth.
        if quantiles.allSatisfy({ $0 == lowest }), let next = try above(lowest, quoted) { quantiles.append(next) }
        return ReadableCuts.cuts(quantiles, isWhole: isWhole).map { cut in
            if isWhole, lowest == 0, highest == 1 {
                return Condition(name: ColumnCandidates.slug(column), when: "\(written) = 1")
            }
            let text = ReadableCuts.text(cut)
            return Condition(name: ColumnCandidates.slug("\(column)-from-\(text)"), when: "\(written) >= \(text)")
        }
    }

    private func above(_ lowest: Double, _ quoted: String) throws -> Double? {
        let row = try Row.fetchOne(
            db, sql: "SELECT CAST(min(\(quoted)) AS REAL), count(*) FROM leads WHERE \(quoted) > ?", arguments: [lowest]
        )
        guard let row, row[1] as Int >= leadsMin else { return nil }
        return row[0]
    }

    private func nothing(_ column: String, _ written: String) throws -> [Condition] {
        let row = try Row.fetchOne(
            db, sql: "SELECT count(*) - count(\(column.sqlIdentifier)), count(\(column.sqlIdentifier)) FROM leads")
        guard let row, row[0] as Int >= leadsMin, row[1] as Int >= leadsMin else { return [] }
        return [Condition(name: ColumnCandidates.slug("no-\(column)"), when: "\(written) IS NULL")]
    }

    // MARK: - Names

    /// The column as it stands in SQL: bare where SQLite takes the bare word for it.
    private func name(inSQL column: String) throws -> String {
        let reserved = ["current_date", "current_time", "current_timestamp", "true", "false", "null"]
        let isPlain = column.wholeMatch(of: /[a-z_][a-z0-9_]*/) != nil && !reserved.contains(column)
        guard isPlain, (try? db.makeStatement(sql: "SELECT 1 FROM leads WHERE (\(column) IS NULL)")) != nil else {
            return column.sqlIdentifier
        }
        return column
    }

    /// `Lead source: Google Ads` becomes `lead-source-google-ads`.
    static func slug(_ text: String) -> String {
        let words = text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "." || $0 == "_") }
        let name = words.joined(separator: "-").replacing("_", with: "-")
        return String(name.prefix(48)).trimmed(of: "-")
    }

    private static func free(_ name: String, _ taken: inout Set<String>) -> String {
        var free = name.isEmpty ? "rule" : name
        var number = 2
        while !taken.insert(free).inserted {
            free = "\(name)-\(number)"
            number += 1
        }
        return free
    }
}

extension String {
    fileprivate func trimmed(of letter: Character) -> String {
        var text = self[...]
        while text.last == letter { text.removeLast() }
        return String(text)
    }
}
