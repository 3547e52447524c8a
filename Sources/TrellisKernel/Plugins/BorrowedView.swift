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
        // Without the first one the plugin never had a section.
        guard try db.viewExists(name), try db.tableExists(table) else { return }
        try db.putView(name, as: select)
    }
}
