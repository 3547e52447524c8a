/// A view of a plugin over a table that another plugin may have made: plugins do not know each other, but the tables of
/// each are public. A migration of the plugin makes the view with the same columns and no rows; whenever a file is
/// opened in which the table is there, this takes its place.
public struct BorrowedView: Sendable {
    /// The view, with the prefix of the plugin whose it is.
    public let name: String
    /// The table it needs. Once made, a table stays, also when its plugin is switched off.
    public let table: String
    /// One SELECT.
    public let select: String

    public init(_ name: String, of table: String, _ select: String) {
        self.name = name
        self.table = table
        self.select = select
    }

    /// Puts the view in its place, and writes nothing where it is there already.
    func install(_ db: Database) throws {
        let sql = "CREATE VIEW \(name) AS\n\(select)"
        let present = try String.fetchOne(
            db, sql: "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", arguments: [name])
        // Without the first one the plugin was never on.
        guard let present, present != sql, try db.tableExists(table) else { return }
        try db.execute(sql: "DROP VIEW \(name)")
        try db.execute(sql: sql)
    }
}
