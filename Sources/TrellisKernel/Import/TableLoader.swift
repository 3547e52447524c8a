/// Rows of a file as accounts, contacts or opportunities: matched by their keys, then inserted or changed in a few
/// statements.
struct TableLoader: RowLoader {
    private let table: LoggedTable
    private let plan: ColumnPlan
    private let kinds: [String: CustomField.Kind]
    private let constants: [Named<String>]
    /// Columns the file fills, `account` resolved to `account_id` and `lead` to `lead_id`.
    private let targets: [String]

    var ignoredColumns: [String] { plan.ignored }

    init(_ table: LoggedTable, _ mapping: ImportMapping, header: [String], kernel: Kernel) throws {
        self.table = table
        kinds = try kernel.read { try TableLoader.kinds(of: table, $0, kernel.config.site) }
        let kinds = kinds
        plan = try ColumnPlan(mapping, header: header, fields: kinds.keys.sorted()) { kinds[$0] }
        constants = mapping.constants
        targets = Array(Set(plan.sources.map(\.field) + constants.map(\.name))).sorted()
        guard targets.contains(where: TableLoader.keys(table).contains) else {
            throw KernelError.data(
                "No column gives \(TableLoader.keys(table).joined(separator: " or ")), by which \(table.rawValue) are known. Map one with --map."
            )
        }
    }

    func load(_ rows: ArraySlice<PreparedRow>, _ tx: Transaction) throws -> LoadOutcome {
        var outcome = LoadOutcome()
        let columns = targets.map { "\"\($0)\"" }.joined(separator: ", ")
        let staging = "import_\(table.rawValue)"
        try tx.db.execute(
            sql:
                """
                DROP TABLE IF EXISTS temp.\(staging);
                CREATE TEMP TABLE \(staging) (row INTEGER PRIMARY KEY, id INTEGER, account_id INTEGER, lead_id INTEGER, \(columns))
                """
        )
        let insert = try tx.db.makeStatement(
            sql:
                "INSERT INTO temp.\(staging) (row, \(columns)) VALUES (?, \(targets.map { _ in "?" }.joined(separator: ", ")))"
        )
        for row in rows.map(\.row) {
            do {
                try insert.execute(arguments: StatementArguments([row.number.databaseValue] + (try values(of: row))))
            } catch let problem as FieldProblem {
                outcome.rejected.append((row, problem.description))
            }
        }
        if targets.contains("account") { try findAccounts(staging, rows, tx, &outcome) }
        if targets.contains("lead") { try findLeads(staging, rows, tx, &outcome) }
        try merge(staging, tx, &outcome)
        return outcome
    }

    // MARK: - Rows

    private func values(of row: CSVRow) throws -> [DatabaseValue] {
        guard row.isValidText, row.excess == 0 else {
            throw FieldProblem(field: "row", message: "not valid text, or more cells than the header")
        }
        var values: [String: DatabaseValue] = [:]
        for source in plan.sources {
            guard let text = plan.text(source, row) else { continue }
            values[source.field] = try value(text, of: source.field)
        }
        for constant in constants where values[constant.name] == nil {
            values[constant.name] = try value(constant.value, of: constant.name)
        }
        guard TableLoader.keys(table).contains(where: { values[$0] != nil }) else {
            throw FieldProblem(field: TableLoader.keys(table)[0], message: "is empty, and the row is known by it")
        }
        return targets.map { values[$0] ?? .null }
    }

    private func value(_ text: String, of field: String) throws -> DatabaseValue {
        switch field {
        case "email", "lead":
            do { return try EmailAddress(text).address.databaseValue } catch {
                throw FieldProblem(field: field, message: "\(error)")
            }
        case "country":
            guard let code = CountryCode(text) else {
                throw FieldProblem(field: field, message: "expected a country such as DE or Germany")
            }
            return code.alpha2.databaseValue
        case "domain": return text.lowercased().databaseValue
        default: return try FieldValue.read(text, as: kinds[field] ?? .text, field: field)
        }
    }

    /// By which columns a row is known, the strongest first.
    private static func keys(_ table: LoggedTable) -> [String] {
        switch table {
        case .accounts: ["external_id", "domain", "name"]
        case .contacts: ["external_id", "email"]
        case .opportunities, .leads: ["external_id"]
        }
    }

    private static func kinds(of table: LoggedTable, _ db: Database, _ site: SiteSettings) throws -> [String:
        CustomField.Kind]
    {
        let custom = Dictionary((CustomColumns(site).fields[table] ?? []).map { ($0.name, $0.value.kind) }) { $1 }
        var kinds: [String: CustomField.Kind] = [:]
        for column in try table.columns(db)
        where !["id", "updated_at", "account_id", "contact_id", "lead_id"].contains(column.name) {
            let byName: CustomField.Kind? = column.name.hasSuffix("_at") ? .time : nil
            kinds[column.name] =
                custom[column.name] ?? byName
                ?? (column.type == "INTEGER" ? .integer : column.type == "REAL" ? .real : .text)
        }
        if table != .accounts { kinds["account"] = .text }
        if table == .opportunities { kinds["lead"] = .text }
        return kinds
    }

    // MARK: - Statements

    /// A row that names an account which is not there is rejected: without it the row would say less than the file.
    private func findAccounts(
        _ staging: String, _ rows: ArraySlice<PreparedRow>, _ tx: Transaction, _ outcome: inout LoadOutcome
    ) throws {
        try tx.db.execute(
            sql: """
                UPDATE temp.\(staging) SET account_id = (SELECT max(a.id) FROM accounts AS a WHERE a.name = account COLLATE NOCASE)
                """)
        let homeless = try Set(
            Int.fetchAll(
                tx.db,
                sql: "DELETE FROM temp.\(staging) WHERE account IS NOT NULL AND account_id IS NULL RETURNING row"))
        for row in rows.map(\.row) where homeless.contains(row.number) {
            outcome.rejected.append((row, "account: no account has this name. Import the accounts first."))
        }
    }

    /// The same for the lead a deal grew from, whose address the row gives.
    private func findLeads(
        _ staging: String, _ rows: ArraySlice<PreparedRow>, _ tx: Transaction, _ outcome: inout LoadOutcome
    ) throws {
        try tx.db.execute(
            sql: "UPDATE temp.\(staging) AS s SET lead_id = (SELECT l.id FROM leads AS l WHERE l.email = s.lead)")
        let homeless = try Set(
            Int.fetchAll(
                tx.db, sql: "DELETE FROM temp.\(staging) WHERE lead IS NOT NULL AND lead_id IS NULL RETURNING row"))
        for row in rows.map(\.row) where homeless.contains(row.number) {
            outcome.rejected.append((row, "lead: no lead has this address. Import the leads first."))
        }
    }

    private func merge(_ staging: String, _ tx: Transaction, _ outcome: inout LoadOutcome) throws {
        let own = targets.map { ["account": "account_id", "lead": "lead_id"][$0] ?? $0 }
        let matches =
            TableLoader.keys(table).filter(own.contains).map { key in
                "(SELECT max(t.id) FROM \(table.rawValue) AS t WHERE t.\"\(key)\" = s.\"\(key)\"\(key == "name" ? " COLLATE NOCASE" + sameOtherwise(own) : ""))"
            } + ["NULL", "NULL"]
        let match = "UPDATE temp.\(staging) AS s SET id = coalesce(\(matches.joined(separator: ", "))) WHERE id IS NULL"
        try tx.db.execute(sql: match)
        let known = try Int.fetchOne(tx.db, sql: "SELECT count(*) FROM temp.\(staging) WHERE id IS NOT NULL") ?? 0
        let total = try Int.fetchOne(tx.db, sql: "SELECT count(*) FROM temp.\(staging)") ?? 0
        let names = own.map { "\"\($0)\"" }
        try tx.db.execute(
            sql: """
                INSERT INTO \(table.rawValue) (\(names.joined(separator: ", "))
                    \(own.contains("created_at") ? "" : ", created_at"), updated_at)
                SELECT \(names.map { defaulted($0) }.joined(separator: ", "))\(own.contains("created_at") ? "" : ", :now"), :now
                FROM temp.\(staging) AS s WHERE id IS NULL GROUP BY \(groupKey(own)) ORDER BY row
                """, arguments: ["now": tx.stamp])
        outcome.created += tx.db.changesCount
        try tx.db.execute(sql: match)
        let differs = own.map { "s.\"\($0)\" IS NOT NULL AND s.\"\($0)\" IS NOT t.\"\($0)\"" }
        try tx.db.execute(
            sql: """
                UPDATE \(table.rawValue) AS t SET \(own.map { "\"\($0)\" = coalesce(s.\"\($0)\", t.\"\($0)\")" }.joined(separator: ", ")), updated_at = :now
                FROM temp.\(staging) AS s WHERE s.id = t.id AND (\(differs.joined(separator: " OR ")))
                """, arguments: ["now": tx.stamp])
        outcome.changed += min(tx.db.changesCount, known)
        outcome.same += total - outcome.created - min(tx.db.changesCount, known)
    }

    /// Two companies may share a name: it says who is meant only where no stronger key says otherwise.
    private func sameOtherwise(_ own: [String]) -> String {
        ["external_id", "domain"].filter(own.contains).map { " AND coalesce(t.\"\($0)\" = s.\"\($0)\", true)" }.joined()
    }

    private func defaulted(_ name: String) -> String {
        name == "\"stage\"" ? "coalesce(s.\"stage\", 'open')" : "s.\(name)"
    }

    private func groupKey(_ own: [String]) -> String {
        let keys = TableLoader.keys(table).filter(own.contains).map { key in
            "'\(key) ' || \(key == "name" ? "lower(s.\"name\")" : "s.\"\(key)\"")"
        }
        return "coalesce(\((keys + ["NULL", "row"]).joined(separator: ", ")))"
    }
}
