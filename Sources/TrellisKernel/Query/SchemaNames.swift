/// The names of tables, views and their columns on a connection: what a name that is not there may have been meant for.
struct SchemaNames {
    private let tables: Set<String>
    private let columns: Set<String>

    init(_ handle: OpaquePointer) {
        let isRelation = "type IN ('table', 'view')"
        tables =
            (try? SQLConnection.names(
                handle,
                "SELECT name FROM sqlite_schema WHERE \(isRelation) UNION SELECT name FROM sqlite_temp_schema WHERE \(isRelation)"
            )) ?? []
        columns =
            (try? SQLConnection.names(
                handle, "SELECT c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c WHERE s.\(isRelation)"))
            ?? []
    }

    /// `Did you mean 'country'?` for what SQLite says of a name; empty where it says something else.
    func hint(_ message: String) -> String {
        for (opening, known) in [("no such table: ", tables), ("no such column: ", columns)]
        where message.hasPrefix(opening) {
            let name = String(message.dropFirst(opening.count).split(separator: ".").last ?? "")
            return NearMiss.hint(name, among: known)
        }
        return ""
    }
}
