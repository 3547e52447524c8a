import TrellisKernel

/// How changes of the tables that audiences read are noticed. Those of leads, consents and events stand in the log, and
/// those of accounts; of any other table with a `lead_id` a trigger notes whose row changed, whoever changed it. The
/// triggers are made of built-in functions, so that they run in any SQLite client.
enum Watches {
    /// The log tells of each change of these.
    static let logged: Set<String> = ["leads", "consents", "events", "accounts"]

    private static let prefix = "audiences_watch_"

    /// Why changes of these tables are not noticed lead by lead; nil where they are.
    static func obstacle(_ tables: Set<String>, _ db: Database) throws -> String? {
        for table in tables.subtracting(logged).sorted() {
            let hasLead = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = 'lead_id')", arguments: [table]
            )
            if hasLead != true { return "it reads \(table), which does not say whose its rows are" }
        }
        return nil
    }

    /// Makes the triggers for these tables, and takes away those for others. Returns whether one had to be made: what
    /// happened without it was not noticed.
    @discardableResult
    static func install(_ tables: Set<String>, _ db: Database) throws -> Bool {
        var wanted: [String: String] = [:]
        for table in tables.subtracting(logged) {
            for (name, sql) in triggers(table) { wanted[name] = sql }
        }
        if !wanted.isEmpty { wanted[appointment.name] = appointment.sql }
        let present = try Row.fetchAll(
            db, sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'audiences_watch_*'"
        ).reduce(into: [String: String]()) { $0[$1["name"]] = $1["sql"] }
        for (name, sql) in present where wanted[name] != sql { try db.execute(sql: "DROP TRIGGER \(quoted(name))") }
        let missing = wanted.filter { present[$0.key] != $0.value }
        for (_, sql) in missing { try db.execute(sql: sql) }
        return !missing.isEmpty
    }

    /// As an identifier: tables of others may be called as they like (https://www.sqlite.org/lang_keywords.html).
    private static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

    /// For each way a row changes, a trigger that notes the lead.
    ///
    /// The condition stands in WHEN and the row in VALUES: an INSERT with a SELECT of its own builds a table for its
    /// rows each time it runs, which made a trigger four times as slow.
    private static func triggers(_ table: String) -> [(name: String, sql: String)] {
        let ways = [
            ("insert", "INSERT", "NEW", ""), ("delete", "DELETE", "OLD", ""), ("update", "UPDATE", "NEW", ""),
            ("leave", "UPDATE OF lead_id", "OLD", " AND OLD.lead_id IS NOT NEW.lead_id"),
        ]
        return ways.map { way, event, version, condition in
            let name = "\(prefix)\(table)_\(way)"
            // Without OR IGNORE: in a trigger the statement that set it off decides what a conflict is.
            let note = """
                CREATE TRIGGER \(quoted(name)) AFTER \(event) ON \(quoted(table))
                WHEN \(version).lead_id IS NOT NULL\(condition)
                    AND NOT EXISTS (SELECT 1 FROM audiences_changes WHERE lead_id = \(version).lead_id)
                BEGIN
                    INSERT INTO audiences_changes (lead_id) VALUES (\(version).lead_id);
                END
                """
            return (name, note)
        }
    }

    /// Whatever is noted is looked at: the first note makes an appointment. A trigger of its own, so that a lead which
    /// is noted already costs one look.
    private static let appointment = (
        name: "\(prefix)due",
        sql: """
        CREATE TRIGGER \(prefix)due AFTER INSERT ON audiences_changes
        WHEN NOT EXISTS (SELECT 1 FROM scheduled_events WHERE key = 'audiences changes')
        BEGIN
            INSERT INTO scheduled_events (key, owner, kind, due_at)
            VALUES ('audiences changes', 'audiences', 'audiences.refresh_due',
                    coalesce((SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now')));
        END
        """
    )
}
