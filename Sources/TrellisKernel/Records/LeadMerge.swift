extension Transaction {
    /// Makes two leads one: `kept` takes what it lacks from `gone`, every row that points at `gone` points at `kept`,
    /// and `gone` goes to the trash. The log is not rewritten; `lead_merges` lets its views see both as one.
    public func merge(_ gone: Int64, into kept: Int64) throws {
        guard gone != kept else { throw KernelError.usage("Both names are the same lead.") }
        let columns = kernel.leadLayout.columns.map(\.name).filter { !["stage", "created_at"].contains($0) }
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM leads WHERE id = ?", arguments: [gone]) else {
            throw KernelError.noLead(String(gone))
        }
        guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM leads WHERE id = ?)", arguments: [kept]) == true
        else {
            throw KernelError.noLead(String(kept))
        }
        // First the unique columns must be free.
        for table in try tablesOfLeads() {
            try db.execute(
                sql: "UPDATE OR IGNORE \(table.sqlIdentifier) SET lead_id = ? WHERE lead_id = ?",
                arguments: [kept, gone])
        }
        try db.execute(sql: "DELETE FROM leads WHERE id = ?", arguments: [gone])
        let assignments = columns.map { "\"\($0)\" = coalesce(\"\($0)\", ?)" }.joined(separator: ", ")
        try db.execute(
            sql: "UPDATE leads SET \(assignments), updated_at = ? WHERE id = ?",
            arguments: StatementArguments(
                columns.map { row[$0] as DatabaseValue } + [stamp.databaseValue, kept.databaseValue]))
        try db.execute(sql: "UPDATE lead_merges SET kept_id = ? WHERE kept_id = ?", arguments: [kept, gone])
        try db.execute(
            sql: """
                INSERT INTO lead_merges (gone_id, kept_id, at) VALUES (?, ?, ?)
                ON CONFLICT (gone_id) DO UPDATE SET kept_id = excluded.kept_id, at = excluded.at
                """, arguments: [gone, kept, stamp])
        try emit("lead.merged", lead: gone, body: "{\"into\":\(kept)}")
    }

    /// Every table with a column `lead_id`, whoever made it, except the log, which is never rewritten.
    func tablesOfLeads() throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT s.name FROM sqlite_schema AS s JOIN pragma_table_info(s.name) AS c ON c.name = 'lead_id'
                WHERE s.type = 'table' AND s.name <> 'events' ORDER BY s.name
                """)
    }
}
