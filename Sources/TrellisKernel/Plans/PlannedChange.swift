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
    /// Some of the leads it is about, by their ids; none where nobody asked who, or it is about no leads.
    public private(set) var who: [PlannedLead] = []

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

    /// Changes from rows of `item, change, lead_id`, one for each lead: counted, and named as far as the plan wants it.
    ///
    /// - Parameter order: SQL over `item` and `change`.
    /// - Throws: what SQLite says of the statement.
    public static func leads(
        of area: String, _ plan: Plan, _ db: Database, order: String = "item, change", _ sql: String
    ) throws -> [PlannedChange] {
        let moved = "WITH moved(item, change, lead_id) AS (\(sql))"
        let counts = "\(moved) SELECT item, change, count(*) FROM moved GROUP BY item, change ORDER BY \(order)"
        guard plan.leadsMax > 0 else { return try rows(of: area, db, counts) }
        let named = """
            \(moved) SELECT item, change, count(*), json_group_array(lead_id) FILTER (WHERE number <= \(plan.leadsMax))
            FROM (SELECT item, change, lead_id, row_number() OVER (PARTITION BY item, change ORDER BY lead_id) AS number FROM moved)
            GROUP BY item, change ORDER BY \(order)
            """
        return try Row.fetchAll(db, sql: named).map { row in
            PlannedChange(area, row[0], row[1], count: row[2]).naming(row[3])
        }
    }

    /// The same with its leads, a JSON array of their ids.
    func naming(_ ids: String) -> PlannedChange {
        var change = self
        change.who = (JSONValue(parsing: ids)?.elements ?? []).compactMap(PlannedLead.init).sorted { $0.id < $1.id }
        return change
    }

    /// The same, its leads with their addresses.
    func addressed(_ addresses: [Int64: String]) -> PlannedChange {
        var change = self
        change.who = who.map { PlannedLead(id: $0.id, address: addresses[$0.id]) }
        return change
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

/// A lead that a change is about.
public struct PlannedLead: Sendable, Hashable {
    public let id: Int64
    /// As ``MaskedAddress`` has it; nil where the lead has none.
    public let address: String?

    init(id: Int64, address: String?) {
        self.id = id
        self.address = address
    }

    init?(_ json: JSONValue) {
        guard case .integer(let id) = json else { return nil }
        self.init(id: id, address: nil)
    }
}
