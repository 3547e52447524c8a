/// The names of tables, views and their columns on a connection: what a name that is not there may have been meant for.
struct SchemaNames {
    private let tables: Set<String>
    private let columns: Set<String>
    /// Each column with the table or view that has it: `starts_at batch_demo_booked`.
    private let owners: [String: [String]]

    private static let openings = (table: "no such table: ", column: "no such column: ")

    /// Tables that are named where a column is elsewhere.
    private static let ownersShown = 3

    /// - Parameter temporary: with the tables that this connection alone has, which a guarded one may not list.
    init(_ handle: OpaquePointer, temporary: Bool = false) {
        let isRelation = "type IN ('table', 'view')"
        let also = temporary ? " UNION SELECT name FROM sqlite_temp_schema WHERE \(isRelation)" : ""
        tables =
            (try? SQLConnection.names(handle, "SELECT name FROM sqlite_schema WHERE \(isRelation)\(also)")) ?? []
        let relations = "SELECT name FROM sqlite_schema WHERE \(isRelation)\(also)"
        let pairs =
            (try? SQLConnection.names(
                handle, "SELECT c.name || ' ' || s.name FROM (\(relations)) AS s, pragma_table_info(s.name) AS c"))
            ?? []
        owners = Dictionary(grouping: pairs.sorted()) { String($0.prefix { $0 != " " }) }
            .mapValues { $0.map { String($0.drop { $0 != " " }.dropFirst()) } }
        columns = Set(owners.keys)
    }

    /// Whether SQLite misses a name.
    static func isMissing(_ message: String) -> Bool {
        message.hasPrefix(openings.table) || message.hasPrefix(openings.column)
    }

    /// `Did you mean 'country'?` for what SQLite says of a name; empty where it says something else.
    func hint(_ message: String) -> String {
        for (opening, known) in [(SchemaNames.openings.table, tables), (SchemaNames.openings.column, columns)]
        where message.hasPrefix(opening) {
            let name = String(message.dropFirst(opening.count).split(separator: ".").last ?? "")
            if opening == SchemaNames.openings.column, let owners = owners[name] {
                let shown = owners.prefix(SchemaNames.ownersShown).joined(separator: ", ")
                return " '\(name)' is a column of \(shown)\(owners.count > SchemaNames.ownersShown ? ", …" : "")."
            }
            return NearMiss.hint(name, among: known)
        }
        return ""
    }
}
