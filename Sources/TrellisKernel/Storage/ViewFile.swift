/// Views of one owner: `kpis` and the statements that make them, each under the comment that says what a row is.
///
/// A view holds nothing, so it is not migrated but made anew wherever a file has another text of it. A migration that
/// changes a table may therefore leave the views over it alone.
public struct ViewFile: Sendable, Hashable {
    public let name: String
    public let sql: String

    public init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    /// The views it makes, in their order.
    var views: [String] { ViewFile.views(in: sql) }

    static func views(in sql: String) -> [String] {
        sql.matches(of: /(?m)^CREATE VIEW (\w+)/).map { String($0.1) }
    }

    /// Makes its views as they stand here, and writes nothing where they do so already.
    ///
    /// - Parameter owner: `kernel`, or the name of a plugin.
    func install(of owner: String, _ db: Database) throws {
        let id = "\(owner)/\(name)"
        let kept = try String.fetchOne(db, sql: "SELECT sql FROM view_files WHERE id = ?", arguments: [id])
        guard kept != sql else { return }
        for view in Set(views).union(ViewFile.views(in: kept ?? "")).sorted() {
            try db.execute(sql: "DROP VIEW IF EXISTS \(view.sqlIdentifier)")
        }
        try db.execute(sql: sql)
        try db.execute(
            sql: "INSERT INTO view_files (id, sql) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET sql = excluded.sql",
            arguments: [id, sql])
    }
}

extension Database {
    /// Makes a view whose text follows from what is on and what is there, and writes nothing where it reads so already.
    func putView(_ name: String, as select: String) throws {
        let sql = "CREATE VIEW \(name) AS\n\(select)"
        let present = try String.fetchOne(
            self, sql: "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", arguments: [name])
        guard present != sql else { return }
        try execute(sql: "DROP VIEW IF EXISTS \(name)")
        try execute(sql: sql)
    }
}
