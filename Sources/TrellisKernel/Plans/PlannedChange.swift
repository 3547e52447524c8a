/// One thing that another config, or an import, would change.
public struct PlannedChange: Sendable, Hashable {
    /// What it belongs to: `schema`, `plugin`, `lead`, `mail`, or the YAML key of a plugin.
    public let area: String
    /// A table, a sequence, an audience, a rep: `welcome`.
    public let item: String
    /// `enter`, `leave`, `new column`, `mql → sql`.
    public let change: String
    /// How many rows; nil where it is not about rows.
    public let count: Int64?
    /// What the count would be without the change, where there is such a number.
    public let insteadOf: Int64?

    public init(_ area: String, _ item: String, _ change: String, count: Int64? = nil, insteadOf: Int64? = nil) {
        self.area = area
        self.item = item
        self.change = change
        self.count = count
        self.insteadOf = insteadOf
    }

    /// Changes from rows of `item, change, count`.
    ///
    /// - Throws: what SQLite says of the statement.
    public static func rows(of area: String, _ db: Database, _ sql: String) throws -> [PlannedChange] {
        try Row.fetchAll(db, sql: sql).map { row in
            PlannedChange(area, row[0], row[1], count: row[2])
        }
    }

    /// Under the headings `area`, `item`, `change`, `count` and `instead_of`.
    public static func table(_ changes: [PlannedChange]) -> Table {
        Table(
            columns: ["area", "item", "change", "count", "instead_of"],
            rows: changes.map { change in
                [
                    .text(change.area), .text(change.item), .text(change.change),
                    change.count.map(Cell.integer) ?? .null, change.insteadOf.map(Cell.integer) ?? .null,
                ]
            })
    }

    var json: JSONValue {
        .array([
            .string(area), .string(item), .string(change), count.map(JSONValue.integer) ?? .null,
            insteadOf.map(JSONValue.integer) ?? .null,
        ])
    }
}
