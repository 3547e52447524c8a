/// Writes the triggers that log every change of a lead, contact, account or opportunity, whoever makes it.
///
/// They are made of built-in functions only, so that they fire in any SQLite client, and of the columns the tables
/// really have, so that a field of the config is logged like any other column. Cause, origin and time come from the
/// row of `kernel_context`, which is empty unless the kernel itself is writing.
enum ChangeTriggers {
    /// Columns whose change alone is no event.
    private static let silent: Set<String> = ["id", "created_at", "updated_at"]

    /// Makes the triggers what they should be, and nothing if they are. Returns whether anything was changed.
    @discardableResult
    static func install(_ db: Database) throws -> Bool {
        var changed = false
        for (name, sql) in try expected(db) {
            let present = try String.fetchOne(
                db, sql: "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", arguments: [name])
            if present == sql { continue }
            try db.execute(sql: "DROP TRIGGER IF EXISTS \(name)")
            try db.execute(sql: sql)
            changed = true
        }
        return changed
    }

    /// The names of triggers that are missing or were altered.
    static func vandalised(_ db: Database) throws -> [String] {
        try expected(db).filter { name, sql in
            try String.fetchOne(
                db, sql: "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", arguments: [name]) != sql
        }.map(\.name)
    }

    static func expected(_ db: Database) throws -> [(name: String, sql: String)] {
        try LoggedTable.allCases.flatMap { table in
            let columns = try table.columns(db).map(\.name)
            return [
                ("\(table.rawValue)_keep_replaced", try replaceTrigger(table, columns, db)),
                ("\(table.rawValue)_log_insert", insertTrigger(table)),
                ("\(table.rawValue)_log_update", updateTrigger(table, columns)),
                ("\(table.rawValue)_log_delete", deleteTrigger(table, columns)),
            ]
        } + stageTriggers
    }

    private static let now = "coalesce(c.now, strftime('%Y-%m-%d %H:%M:%f', 'now'))"

    /// Appends one event. A change inside a batch is caused by the last event of that lead in the batch; any other by
    /// the event the kernel says is being handled. A new row has no event yet that could be its cause.
    private static func log(
        _ kind: String, lead: String, isNew: Bool = false, body: String, where condition: String = "true"
    ) -> String {
        guard !isNew, lead != "NULL" else {
            return """
                    INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                    SELECT \(kind), \(lead), c.cause_id, c.depth, coalesce(c.origin, 'sql'), \(now), \(body)
                    FROM kernel_context AS c WHERE \(condition);
                """
        }
        return """
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                SELECT \(kind), \(lead), coalesce(e.id, c.cause_id), coalesce(e.depth + 1, c.depth), coalesce(c.origin, 'sql'),
                       \(now), \(body)
                FROM kernel_context AS c
                LEFT JOIN events AS e ON e.id = (
                    SELECT max(id) FROM events
                    WHERE lead_id = \(lead) AND id > c.batch_after AND id <= c.batch_through AND instr(c.batch_kinds, '|' || kind || '|'))
                WHERE \(condition);
            """
    }

    private static func lead(_ table: LoggedTable, _ version: String) -> String {
        switch table {
        case .leads: "\(version).id"
        case .opportunities: "\(version).lead_id"
        case .contacts, .accounts: "NULL"
        }
    }

    private static func identity(_ table: LoggedTable, _ version: String) -> String {
        table == .leads ? "" : "'\(table.noun)_id', \(version).id, "
    }

    private static func insertTrigger(_ table: LoggedTable) -> String {
        let body =
            switch table {
            case .leads: "json_object('stage', NEW.stage)"
            case .opportunities: "json_object('opportunity_id', NEW.id, 'stage', NEW.stage)"
            case .contacts, .accounts: "json_object('\(table.noun)_id', NEW.id)"
            }
        // An id that the log knows is no new lead: a row that was deleted, or replaced, is there again.
        let isKnown =
            table == .leads ? " OR EXISTS (SELECT 1 FROM events WHERE lead_id = NEW.id AND kind = 'lead.created')" : ""
        let kind =
            "CASE WHEN c.mode = 'restoring'\(isKnown) THEN '\(table.noun).restored' ELSE '\(table.noun).created' END"
        let lead = lead(table, "NEW")
        // Capture logs the leads it makes itself.
        let condition = table == .leads ? "\nWHEN NOT (SELECT logs_itself FROM kernel_context)" : ""
        return """
            CREATE TRIGGER \(table.rawValue)_log_insert AFTER INSERT ON \(table.rawValue)\(condition)
            BEGIN
            \(logReplaced(table))
            \(log(kind, lead: lead, isNew: table == .leads, body: body))
            END
            """
    }

    private static func updateTrigger(_ table: LoggedTable, _ columns: [String]) -> String {
        let hasStage = table == .leads || table == .opportunities
        let logged = columns.filter { !silent.contains($0) && !(hasStage && $0 == "stage") }
        // Addresses are compared without case, but a change of case is a change.
        let differs = { (column: String) in "NEW.\"\(column)\" IS NOT OLD.\"\(column)\" COLLATE BINARY" }
        let changed = logged.map(differs).joined(separator: " OR ")
        let names = logged.map { "CASE WHEN \(differs($0)) THEN ',\"\($0)\"' ELSE '' END" }.joined(separator: " || ")
        let lead = lead(table, "NEW")
        let stage = log(
            "'\(table.noun).stage_changed'", lead: lead,
            body: "json_object(\(identity(table, "NEW"))'from', OLD.stage, 'to', NEW.stage)",
            where: "NEW.stage IS NOT OLD.stage")
        return """
            CREATE TRIGGER \(table.rawValue)_log_update AFTER UPDATE ON \(table.rawValue)
            WHEN \(changed)\(hasStage ? " OR NEW.stage IS NOT OLD.stage" : "")
            BEGIN
            \(log("'\(table.noun).updated'", lead: lead,
                body: "json_object(\(identity(table, "NEW"))'columns', json('[' || substr(\(names), 2) || ']'))", where: changed))
            \(hasStage ? stage + "\n" : "")    UPDATE \(table.rawValue) SET updated_at = coalesce((SELECT now FROM kernel_context), strftime('%Y-%m-%d %H:%M:%f', 'now'))
                WHERE id = NEW.id AND NEW.updated_at IS OLD.updated_at;
            END
            """
    }

    /// A row as JSON. A function of SQLite takes at most 127 arguments, so that a wide one is patched together.
    private static func image(_ version: String, _ columns: [String]) -> String {
        let chunks = stride(from: 0, to: columns.count, by: 50).map { start in
            let pairs = columns[start..<min(start + 50, columns.count)].map { "'\($0)', \(version).\"\($0)\"" }
            return "json_object(\(pairs.joined(separator: ", ")))"
        }
        return chunks.dropFirst().reduce(chunks[0]) { "json_patch(\($0), \($1))" }
    }

    /// Keeps the rows that share what must be unique with a new one: should it be `INSERT OR REPLACE`, they are gone
    /// without a trigger that says so (https://www.sqlite.org/lang_conflict.html), unless `recursive_triggers` is on.
    private static func replaceTrigger(_ table: LoggedTable, _ columns: [String], _ db: Database) throws -> String {
        let unique = try String.fetchAll(
            db,
            sql: """
                SELECT min(c.name) FROM pragma_index_list(:table) AS i, pragma_index_info(i.name) AS c
                WHERE i."unique" AND NOT i.partial GROUP BY i.name HAVING count(*) = 1 AND min(c.name) IS NOT NULL ORDER BY 1
                """, arguments: ["table": table.rawValue])
        let isSame = (["id"] + unique).map { "t.\"\($0)\" = NEW.\"\($0)\"" }.joined(separator: " OR ")
        return """
            CREATE TRIGGER \(table.rawValue)_keep_replaced BEFORE INSERT ON \(table.rawValue)
            WHEN NOT (SELECT logs_itself OR coalesce(origin, '') GLOB 'import:*' FROM kernel_context)
                 AND EXISTS (SELECT 1 FROM \(table.rawValue) AS t WHERE \(isSame))
            BEGIN
                DELETE FROM replaced_rows WHERE table_name = '\(table.rawValue)';
                INSERT INTO replaced_rows (table_name, row_id, row)
                SELECT '\(table.rawValue)', t.id, \(image("t", columns)) FROM \(table.rawValue) AS t WHERE \(isSame);
            END
            """
    }

    /// Of the rows that were kept those whose place the new one took, or that are gone: they were deleted.
    private static func logReplaced(_ table: LoggedTable) -> String {
        let lead =
            switch table {
            case .leads: "r.row_id"
            case .opportunities: "json_extract(r.row, '$.lead_id')"
            case .contacts, .accounts: "NULL"
            }
        let gone = """
            FROM replaced_rows AS r CROSS JOIN kernel_context AS c WHERE r.table_name = '\(table.rawValue)'
                  AND (r.row_id = NEW.id OR NOT EXISTS (SELECT 1 FROM \(table.rawValue) AS t WHERE t.id = r.row_id))
            """
        return """
                INSERT INTO trash (table_name, row_id, row, origin, deleted_at)
                SELECT '\(table.rawValue)', r.row_id, r.row, coalesce(c.origin, 'sql'), \(now) \(gone);
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                SELECT '\(table.noun).deleted', \(lead), c.cause_id, c.depth, coalesce(c.origin, 'sql'), \(now),
                       \(table == .leads ? "'{}'" : "json_object('\(table.noun)_id', r.row_id)") \(gone);
                DELETE FROM replaced_rows WHERE table_name = '\(table.rawValue)';
            """
    }

    private static func deleteTrigger(_ table: LoggedTable, _ columns: [String]) -> String {
        let row = image("OLD", columns)
        return """
            CREATE TRIGGER \(table.rawValue)_log_delete AFTER DELETE ON \(table.rawValue)
            BEGIN
                DELETE FROM replaced_rows WHERE table_name = '\(table.rawValue)' AND row_id = OLD.id;
                INSERT INTO trash (table_name, row_id, row, origin, deleted_at)
                SELECT '\(table.rawValue)', OLD.id, \(row), coalesce(c.origin, 'sql'), \(now)
                FROM kernel_context AS c WHERE c.mode IS NOT 'erasing';
            \(log("'\(table.noun).deleted'", lead: lead(table, "OLD"), 
                body: table == .leads ? "'{}'" : "json_object('\(table.noun)_id', OLD.id)", where: "c.mode IS NOT 'erasing'"))
            END
            """
    }

    /// A lead moves forward only, unless it is or becomes recycled or disqualified, and only through stages that exist.
    private static let stageTriggers: [(name: String, sql: String)] = [
        (
            "leads_stage_known_on_insert",
            """
            CREATE TRIGGER leads_stage_known_on_insert BEFORE INSERT ON leads
            WHEN NOT EXISTS (SELECT 1 FROM stages WHERE name = NEW.stage)
            BEGIN
                SELECT RAISE(ABORT, 'no such stage: see the table stages');
            END
            """
        ),
        (
            "leads_stage_forward_only",
            """
            CREATE TRIGGER leads_stage_forward_only BEFORE UPDATE OF stage ON leads WHEN NEW.stage IS NOT OLD.stage
            BEGIN
                SELECT RAISE(ABORT, 'no such stage: see the table stages')
                WHERE NOT EXISTS (SELECT 1 FROM stages WHERE name = NEW.stage);
                SELECT RAISE(ABORT, 'a lead moves forward only: set the stage to recycled or disqualified first')
                FROM stages AS was, stages AS becomes
                WHERE was.name = OLD.stage AND becomes.name = NEW.stage
                  AND NOT was.is_side AND NOT becomes.is_side AND becomes.position < was.position
                  AND (SELECT mode FROM kernel_context) IS NOT 'restoring';
            END
            """
        ),
    ]
}
