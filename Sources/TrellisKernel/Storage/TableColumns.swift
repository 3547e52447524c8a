/// A column of a table as SQLite reports it.
struct TableColumn: Sendable, Hashable {
    let name: String
    let type: String
    let isRequired: Bool
}

/// The kernel tables whose every change is logged, and to which a site may add columns.
enum LoggedTable: String, CaseIterable, Sendable {
    case leads, contacts, accounts, opportunities

    /// `lead`: what the kinds of its events begin with.
    var noun: String {
        switch self {
        case .leads: "lead"
        case .contacts: "contact"
        case .accounts: "account"
        case .opportunities: "opportunity"
        }
    }

    func columns(_ db: Database) throws -> [TableColumn] {
        try Row.fetchAll(db, sql: "SELECT name, type, \"notnull\" FROM pragma_table_info(?)", arguments: [rawValue]).map
        {
            TableColumn(name: $0[0], type: $0[1], isRequired: $0[2])
        }
    }
}

/// Makes the fields of config.yaml into real columns. A field that leaves the config keeps its column and its data.
struct CustomColumns {
    let fields: [LoggedTable: [Named<CustomField>]]

    init(_ site: SiteSettings) {
        fields = [
            .leads: site.leads.fields, .contacts: site.contacts.fields, .accounts: site.accounts.fields,
            .opportunities: site.opportunities.fields,
        ]
    }

    /// What is wrong with the names of fields: some are columns in which rows are staged on their way into a table.
    static func problems(_ fields: [Named<CustomField>], ofLeads: Bool = false) -> [ConfigProblem] {
        let taken: Set<String> = ofLeads ? ["row", "turn", "new_id", "lead_id"] : ["row"]
        return fields.filter { taken.contains($0.name) }.map {
            ConfigProblem("'\($0.name)' is a name that Trellis uses itself. Give the field another one.", at: $0.place)
        }
    }

    /// Adds what is missing.
    ///
    /// - Returns: `leads.budget` for each column added, and the fields whose column is there with another type: one of
    ///   Trellis itself, or one that the config gave another type before. Those are left as they are.
    func apply(_ db: Database) throws -> (added: [String], clashes: [ConfigProblem]) {
        var (added, clashes) = ([String](), [ConfigProblem]())
        for table in LoggedTable.allCases {
            let columns = try table.columns(db)
            for field in fields[table] ?? [] {
                guard let column = columns.first(where: { $0.name == field.name }) else {
                    try db.execute(sql: "ALTER TABLE \(table.rawValue) ADD COLUMN \(CustomColumns.definition(field))")
                    added.append("\(table.rawValue).\(field.name)")
                    continue
                }
                let type = field.value.kind.sqlType
                if column.type != type {
                    clashes.append(
                        ConfigProblem(
                            "\(table.rawValue).\(field.name) is \(column.type) in the database and \(type) in the config. "
                                + "Change the config back, or add a field with a new name.", at: field.place))
                }
            }
        }
        return (added, clashes)
    }

    private static func definition(_ field: Named<CustomField>) -> String {
        let name = "\"\(field.name)\""
        let check =
            switch field.value.kind {
            case .date: " CHECK (\(name) IS date(\(name)))"
            case .boolean: " CHECK (\(name) IN (0, 1))"
            case .time: " CHECK (datetime(\(name)) IS NOT NULL OR \(name) IS NULL)"
            case .text, .integer, .real: ""
            }
        return "\(name) \(field.value.kind.sqlType)\(check)"
    }
}

extension CustomField.Kind {
    /// The STRICT type that holds it.
    var sqlType: String {
        switch self {
        case .text, .date, .time: "TEXT"
        case .integer, .boolean: "INTEGER"
        case .real: "REAL"
        }
    }
}
