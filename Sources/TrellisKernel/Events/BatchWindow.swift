/// The events between two ids that a subscriber is given.
///
/// The temp table `batch_ids` holds their ids and kinds alone; what else the view `batch` shows of an event is read
/// from the log when a handler asks for it, and not at all where it asks for another kind.
struct BatchWindow {
    let after: Int64
    let through: Int64
    let count: Int
    /// The kinds that were looked for; nil means all.
    var kinds: [String]?
    /// The event, where it is the only one: others, which nobody asked for, may lie between it and the end.
    var onlyEvent: Int64?
    /// The ids of its leads, where it holds their histories.
    var leads: ClosedRange<Int64>?

    static let empty = BatchWindow(after: 0, through: 0, count: 0)

    /// The plus signs keep SQLite from looking the events of a lead up in the whole log, and from making an index of
    /// the kinds: a batch is read from its first event to its last.
    static let schema = """
        CREATE TEMP TABLE batch_ids (id INTEGER PRIMARY KEY, kind TEXT NOT NULL);
        CREATE TEMP VIEW batch AS
        SELECT b.id, +b.kind AS kind, +e.lead_id AS lead_id, e.cause_id, e.depth, e.origin, e.at, e.body
        FROM temp.batch_ids AS b CROSS JOIN main.events AS e ON e.id = b.id;
        """

    /// Puts the next events of some kinds into the relation `batch`, in place of those before. Where there is none,
    /// what it holds stays.
    ///
    /// - Parameters:
    ///   - kinds: nil means all.
    ///   - horizon: the last event that may be in it.
    ///   - standing: what the relation holds now, where that is known: it stays where it would do as well, for most
    ///     subscribers stand at one event and want the same of what follows.
    static func fill(
        _ kinds: [String]?, after: Int64, through horizon: Int64, limit: Int, standing: BatchWindow? = nil,
        _ db: Database
    ) throws -> BatchWindow {
        let present = try kinds.map { try BatchWindow.present($0, after: after, through: horizon, db) }
        if let standing, standing.count > 0, standing.after == after, standing.kinds == present,
            standing.through <= horizon, standing.count <= limit
        {
            return standing
        }
        if present?.isEmpty == true { return BatchWindow(after: after, through: horizon, count: 0) }
        try db.cachedStatement(sql: "DELETE FROM temp.batch_ids").execute()
        try db.cachedStatement(sql: "INSERT INTO temp.batch_ids \(next(present))").execute(arguments: [
            "after": after, "horizon": horizon, "limit": limit,
        ])
        let count = db.changesCount
        let last =
            count == 1 || count >= limit
            ? try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(id) FROM temp.batch_ids")) : nil
        return BatchWindow(
            after: after, through: count < limit ? horizon : last ?? horizon, count: count, kinds: present,
            onlyEvent: count == 1 ? last : nil)
    }

    /// The first events of some kinds: a merge of what the index has of each, which reads no more of a kind than is
    /// taken, and it does not matter how many events of other kinds lie in between.
    private static func next(_ kinds: [String]?) -> String {
        let window = "id > :after AND id <= :horizon"
        guard let kinds else { return "SELECT id, kind FROM events WHERE \(window) ORDER BY id LIMIT :limit" }
        guard kinds.count <= partsMax else {
            let list = kinds.map(\.sqlLiteral).joined(separator: ", ")
            return
                "SELECT id, kind FROM events NOT INDEXED WHERE \(window) AND kind IN (\(list)) ORDER BY id LIMIT :limit"
        }
        let parts = kinds.map { kind in
            "SELECT id, kind FROM events INDEXED BY events_by_kind WHERE kind = \(kind.sqlLiteral) AND \(window)"
        }
        return parts.joined(separator: "\nUNION ALL\n") + "\nORDER BY id LIMIT :limit"
    }

    /// So many parts a compound SELECT may have, with some to spare: https://www.sqlite.org/limits.html
    private static let partsMax = 400

    /// Those of the kinds that are there at all: usually one or two, and one needs no sorting.
    private static func present(_ kinds: [String], after: Int64, through horizon: Int64, _ db: Database) throws
        -> [String]
    {
        let statement = try db.cachedStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM events INDEXED BY events_by_kind WHERE kind = ? AND id > ? AND id <= ?)")
        return try kinds.filter { try Bool.fetchOne(statement, arguments: [$0, after, horizon]) ?? false }
    }

    // MARK: - Histories

    /// Puts all that happened to the next leads into the relation `batch`, in place of what it held. Where one lead was
    /// merged into another, both have one history, that of who was kept.
    ///
    /// - Parameters:
    ///   - lead: the last lead that was read.
    ///   - horizon: the last event that may be in it.
    ///   - limit: about so many events of any kind; one lead is in it however many that lead has.
    /// - Returns: nil behind the last id there can be, which the last window reaches.
    static func fill(
        historiesOf kinds: [String]?, afterLead lead: Int64, through horizon: Int64, limit: Int, _ db: Database
    ) throws -> BatchWindow? {
        guard lead < .max else { return nil }
        let next = try db.cachedStatement(
            sql:
                "SELECT lead_id FROM events INDEXED BY events_by_lead WHERE lead_id > ? ORDER BY lead_id LIMIT 1 OFFSET ?"
        )
        let first = try Int64.fetchOne(next, arguments: [lead, 0]) ?? .max
        // The lead with which it would be full begins the next one.
        let last = try Int64.fetchOne(next, arguments: [lead, limit]).map { max(first, $0 - 1) } ?? .max
        try db.cachedStatement(sql: "DELETE FROM temp.batch_ids").execute()
        try db.cachedStatement(sql: "INSERT INTO temp.batch_ids \(histories(kinds))").execute(arguments: [
            "lead": lead, "last": last, "horizon": horizon,
        ])
        return BatchWindow(
            after: horizon, through: horizon, count: db.changesCount, kinds: kinds, leads: (lead + 1)...last)
    }

    private static func histories(_ kinds: [String]?) -> String {
        let wanted =
            "e.id <= :horizon"
            + (kinds.map { " AND e.kind IN (\($0.map(\.sqlLiteral).joined(separator: ", ")))" } ?? "")
        return """
            SELECT e.id, e.kind FROM events AS e INDEXED BY events_by_lead
            WHERE e.lead_id > :lead AND e.lead_id <= :last AND \(wanted) AND e.lead_id NOT IN (SELECT gone_id FROM lead_merges)
            UNION ALL
            SELECT e.id, e.kind FROM lead_merges AS m CROSS JOIN events AS e INDEXED BY events_by_lead ON e.lead_id = m.gone_id
            WHERE m.kept_id > :lead AND m.kept_id <= :last AND \(wanted)
            """
    }
}

extension Transaction {
    /// Does work for the events of the batch part by part, each up to one of these and with it: `batch` shows the part
    /// alone, and afterwards the whole again.
    ///
    /// - Parameter ends: ids of events of the batch, the smallest first.
    public func inParts(endingAt ends: [Int64], _ work: () throws -> Void) throws {
        guard !ends.isEmpty else { return try work() }
        try scratchTable("whole_batch", columns: "id INTEGER PRIMARY KEY, kind TEXT NOT NULL")
        try db.cachedStatement(sql: "INSERT INTO temp.whole_batch SELECT * FROM temp.batch_ids").execute()
        for (after, end) in zip([0] + ends, ends + [.max]) where try narrow(after: after, through: end) > 0 {
            try work()
        }
        _ = try narrow(after: 0, through: .max)
    }

    /// Shows some events of the whole batch; how many.
    private func narrow(after: Int64, through end: Int64) throws -> Int {
        try db.cachedStatement(sql: "DELETE FROM temp.batch_ids").execute()
        try db.cachedStatement(
            sql: "INSERT INTO temp.batch_ids SELECT * FROM temp.whole_batch WHERE id > ? AND id <= ?"
        ).execute(arguments: [after, end])
        return db.changesCount
    }
}
