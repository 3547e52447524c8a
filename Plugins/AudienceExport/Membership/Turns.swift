import Foundation
import TrellisKernel

/// When the answer of an audience's own SELECT changes by time alone. The SELECT is asked as of now and as of the next
/// look at all leads; whoever has another answer then has a moment in between, which is found by halving, to the
/// second. At that moment the lead is looked at again, and alone.
///
/// An answer that changes twice between two looks has the same answer at both, and is not seen: a stay is noticed at
/// its moment if it lasts as long as `every:`.
struct Turns {
    /// Each lead that turns takes one SELECT for each halving, 12 in an hour, and all look-ups of one look share the
    /// time that its transaction has. After a large import all may turn within one `every:`.
    static let leadsMax = 5_000

    let look: Look
    /// Of more leads in one look no moment is noted: the next look at all leads moves them.
    var leadsMax = Turns.leadsMax

    private var tx: Transaction { look.tx }
    private var name: String { look.audience.name }

    /// Those of all leads, in place of what was known.
    ///
    /// - Parameter found: the table with those whom its own SELECT finds now; nil where nobody has asked yet.
    func noteAll(found: String?) throws {
        try tx.db.cachedStatement(sql: "DELETE FROM audiences_moments WHERE audience = ?").execute(arguments: [name])
        guard look.upkeep.hasMoments, let sql = look.audiences.ownSQL(look.audience) else { return }
        let leads = "SELECT DISTINCT lead_id FROM (\(sql)\n) WHERE lead_id IN (SELECT id FROM leads)"
        func ask(_ table: String, at stamp: String) throws {
            try tx.scratchTable(table, columns: "lead_id INTEGER PRIMARY KEY")
            try tx.db.execute(
                sql: "INSERT INTO temp.\(table) (lead_id) \(leads)",
                arguments: look.audiences.arguments(leads, at: stamp))
        }
        if found == nil { try ask("audiences_sooner", at: tx.stamp) }
        try ask("audiences_later", at: Turns.stamp(end))
        try note(sql, found: found ?? "audiences_sooner")
    }

    /// Those of the leads of `temp.audiences_changed`, of whom its own SELECT finds `temp.audiences_found` now.
    func noteChanged() throws {
        guard look.upkeep.hasMoments, let sql = look.audiences.ownSQL(look.audience) else { return }
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM audiences_moments
                WHERE audience = ? AND lead_id IN (SELECT lead_id FROM temp.audiences_changed)
                """
        ).execute(arguments: [name])
        try tx.scratchTable("audiences_later", columns: "lead_id INTEGER PRIMARY KEY")
        try look.findOwn(sql, into: "audiences_later", at: Turns.stamp(end))
        try note(sql, found: "audiences_found")
    }

    /// Puts the leads whose moment has come into `temp.audiences_changed`.
    ///
    /// - Returns: the audiences that are to look at them.
    static func takeDue(_ tx: Transaction) throws -> Set<String> {
        let due = try String.fetchAll(
            tx.db.cachedStatement(sql: "SELECT DISTINCT audience FROM audiences_moments WHERE due_at <= ?"),
            arguments: [tx.stamp])
        guard !due.isEmpty else { return [] }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.audiences_changed (lead_id)
                SELECT DISTINCT lead_id FROM audiences_moments WHERE due_at <= ?
                ON CONFLICT (lead_id) DO NOTHING
                """
        ).execute(arguments: [tx.stamp])
        return Set(due)
    }

    // MARK: - When it is

    /// In full seconds since 1970, as all moments here.
    private var end: Int { Int((tx.now + look.spacing).timeIntervalSince1970.rounded(.up)) }

    private static func stamp(_ second: Int) -> String {
        Timestamp.text(Date(timeIntervalSince1970: Double(second)))
    }

    private func note(_ sql: String, found: String) throws {
        let turning = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT lead_id, 1 AS is_found FROM temp.\(found) WHERE lead_id NOT IN (SELECT lead_id FROM temp.audiences_later)
                    UNION ALL
                    SELECT lead_id, 0 FROM temp.audiences_later WHERE lead_id NOT IN (SELECT lead_id FROM temp.\(found))
                    LIMIT ?
                    """), arguments: [leadsMax + 1]
        ).map { (lead: $0["lead_id"] as Int64, isFound: $0["is_found"] as Bool) }
        guard !turning.isEmpty, turning.count <= leadsMax else { return }
        try tx.scratchTable("audiences_turns", columns: "lead_id INTEGER PRIMARY KEY, due_at TEXT NOT NULL")
        let single = try tx.db.cachedStatement(sql: Upkeep.single(sql))
        let insert = try tx.db.cachedStatement(sql: "INSERT INTO temp.audiences_turns (lead_id, due_at) VALUES (?, ?)")
        let end = end
        for (lead, isFound) in turning {
            var (before, after) = (Int(tx.now.timeIntervalSince1970.rounded(.down)), end)
            while after - before > 1 {
                let middle = (before + after) / 2
                let arguments = look.audiences.arguments(sql, at: Turns.stamp(middle), ["lead": lead])
                let isFoundThen = try Bool.fetchOne(single, arguments: arguments) == true
                if isFoundThen == isFound { before = middle } else { after = middle }
            }
            try insert.execute(arguments: [lead, Turns.stamp(after)])
        }
        try tx.db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO audiences_moments (audience, lead_id, due_at)
                SELECT ?, lead_id, due_at FROM temp.audiences_turns
                """
        ).execute(arguments: [name])
        // One for all leads and audiences that have the same moment.
        try tx.schedule(
            "audiences.moment_due",
            forEach: """
                SELECT DISTINCT 'audiences moment ' || due_at AS key, due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body
                FROM temp.audiences_turns
                """)
    }
}
