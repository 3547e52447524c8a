/// What the kernel itself says to ``Plan``: tables and columns, plugins, stages, owners, fields, records, activities,
/// messages.
struct KernelPlan {
    let plan: Plan
    let db: Database
    /// The kinds of activity of the config.
    let activities: [String]

    func changes() throws -> [PlannedChange] {
        try schema() + plugins() + stages() + fields() + records() + logged() + messages()
    }

    private func schema() throws -> [PlannedChange] {
        let isShown = "s.type IN ('table', 'view') AND s.name NOT GLOB 'sqlite_*'"
        return try PlannedChange.rows(
            of: "schema", db,
            """
            SELECT s.name, 'new ' || s.type, NULL FROM main.sqlite_schema AS s
            WHERE \(isShown) AND NOT EXISTS (SELECT 1 FROM before.sqlite_schema AS o WHERE o.name = s.name)
            UNION ALL
            SELECT s.name, s.type || ' gone', NULL FROM before.sqlite_schema AS s
            WHERE \(isShown) AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema AS o WHERE o.name = s.name)
            UNION ALL
            SELECT s.name || '.' || c.name, 'new column', NULL
            FROM main.sqlite_schema AS s JOIN pragma_table_info(s.name, 'main') AS c
            WHERE s.type = 'table' AND EXISTS (SELECT 1 FROM before.sqlite_schema AS o WHERE o.name = s.name)
              AND NOT EXISTS (SELECT 1 FROM pragma_table_info(s.name, 'before') AS o WHERE o.name = c.name)
            ORDER BY 1
            """)
    }

    private func plugins() throws -> [PlannedChange] {
        try PlannedChange.rows(
            of: "plugin", db,
            """
            SELECT p.name, iif(p.is_on, 'on', 'off'), NULL
            FROM main.plugins AS p LEFT JOIN before.plugins AS o ON o.name = p.name
            WHERE p.is_on <> coalesce(o.is_on, 0)
            UNION ALL
            SELECT s.owner, 'appointments rest', count(*)
            FROM main.scheduled_events AS s JOIN main.plugins AS p ON p.name = s.owner JOIN before.plugins AS o ON o.name = s.owner
            WHERE o.is_on AND NOT p.is_on GROUP BY s.owner
            ORDER BY 1
            """)
    }

    private func stages() throws -> [PlannedChange] {
        try PlannedChange.leads(
            of: PlannedChange.stageArea, plan, db,
            """
            SELECT o.stage || ' → ' || l.stage, 'move', l.id
            FROM main.leads AS l JOIN before.leads AS o ON o.id = l.id WHERE l.stage <> o.stage
            """)
    }

    /// Leads that came, went, or have another value in a column.
    private func fields() throws -> [PlannedChange] {
        let silent: Set<String> = ["id", "stage", "updated_at"]
        let columns = try String.fetchAll(
            db,
            sql: """
                SELECT name FROM pragma_table_info('leads', 'main') WHERE name IN (SELECT name FROM pragma_table_info('leads', 'before'))
                """
        ).filter { !silent.contains($0) }
        let differences = columns.map { name in
            "total(l.\(name.sqlIdentifier) IS NOT o.\(name.sqlIdentifier) COLLATE BINARY)"
        }
        guard
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT (SELECT count(*) FROM main.leads WHERE id NOT IN (SELECT id FROM before.leads)),
                           (SELECT count(*) FROM before.leads WHERE id NOT IN (SELECT id FROM main.leads)),
                           \(differences.joined(separator: ", "))
                    FROM main.leads AS l JOIN before.leads AS o ON o.id = l.id
                    """)
        else { return [] }
        let sources =
            [
                ("leads", "new", "main.leads WHERE id NOT IN (SELECT id FROM before.leads)"),
                ("leads", "gone", "before.leads WHERE id NOT IN (SELECT id FROM main.leads)"),
            ]
            + columns.map { name in
                let isOther = "l.\(name.sqlIdentifier) IS NOT o.\(name.sqlIdentifier) COLLATE BINARY"
                let source = "(SELECT l.id FROM main.leads AS l JOIN before.leads AS o ON o.id = l.id WHERE \(isOther))"
                return (name, name == "owner" ? "other owner" : "changed", source)
            }
        return try sources.enumerated().flatMap { index, counted -> [PlannedChange] in
            let (item, change, source) = counted
            let count = Int64((row[index] as Double?) ?? 0)
            let area = item == "owner" ? PlannedChange.ownerArea : "lead"
            guard count > 0 else { return [] }
            guard plan.leadsMax > 0 else { return [PlannedChange(area, item, change, count: count)] }
            return try PlannedChange.leads(
                of: area, plan, db, "SELECT \(item.sqlLiteral), \(change.sqlLiteral), id FROM \(source)")
        }
    }

    /// Rows of the other tables that SQL of the config may write: a hook that begins with the first event may withdraw
    /// a consent of everybody.
    private func records() throws -> [PlannedChange] {
        try HookCheck.publicTables.subtracting(["leads"]).sorted().flatMap { table in
            let columns = try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM pragma_table_info(:table, 'main') WHERE name NOT IN ('id', 'updated_at')
                      AND name IN (SELECT name FROM pragma_table_info(:table, 'before'))
                    """, arguments: ["table": table])
            let isOther = columns.map { "n.\($0.sqlIdentifier) IS NOT o.\($0.sqlIdentifier) COLLATE BINARY" }
            return try PlannedChange.rows(
                of: "record", db,
                """
                SELECT '\(table)', change, count FROM (
                    SELECT 'new' AS change, count(*) AS count FROM main.\(table) WHERE id NOT IN (SELECT id FROM before.\(table))
                    UNION ALL
                    SELECT 'gone', count(*) FROM before.\(table) WHERE id NOT IN (SELECT id FROM main.\(table))
                    UNION ALL
                    SELECT 'changed', count(*) FROM main.\(table) AS n JOIN before.\(table) AS o ON o.id = n.id
                    WHERE \(isOther.joined(separator: " OR ")))
                WHERE count > 0
                """)
        }
    }

    /// Activities that are in the log with the change and not without it, as a hook emits them.
    private func logged() throws -> [PlannedChange] {
        let kinds = activities.map(\.sqlLiteral).joined(separator: ", ")
        return try PlannedChange.rows(
            of: "activity", db,
            """
            SELECT kind, iif(sum(count) > 0, 'logged', 'not logged'), abs(sum(count)) FROM (
                SELECT kind, count(*) AS count FROM main.events WHERE kind IN (\(kinds)) GROUP BY 1
                UNION ALL
                SELECT kind, -count(*) FROM before.events WHERE kind IN (\(kinds)) GROUP BY 1)
            GROUP BY 1 HAVING sum(count) <> 0 ORDER BY 1
            """)
    }

    private func messages() throws -> [PlannedChange] {
        try PlannedChange.leads(
            of: "mail", plan, db,
            """
            SELECT m.template, CASE WHEN m.transport = 'mail' THEN 'written now' ELSE m.transport || ' written now' END, m.lead_id
            FROM main.outbox_messages AS m WHERE NOT EXISTS (SELECT 1 FROM before.outbox_messages AS o WHERE o.key = m.key)
            UNION ALL
            SELECT o.template, CASE WHEN o.transport = 'mail' THEN 'not written' ELSE o.transport || ' not written' END, o.lead_id
            FROM before.outbox_messages AS o WHERE NOT EXISTS (SELECT 1 FROM main.outbox_messages AS m WHERE m.key = o.key)
            UNION ALL
            SELECT m.template, m.state, m.lead_id FROM main.outbox_messages AS m JOIN before.outbox_messages AS o ON o.key = m.key
            WHERE m.state <> o.state
            """)
    }
}

extension PlannedChange {
    static let stageArea = "stage"
    static let ownerArea = "owner"
    /// What goes out within a day, and what waits after it.
    static let dayArea = "next day"
    /// Of messages that are written within the day and go out after it.
    static let waiting = "waits longer"
}
