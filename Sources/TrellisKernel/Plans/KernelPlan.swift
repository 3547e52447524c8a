/// What the kernel itself says to ``Plan``: tables and columns, plugins, stages, owners, fields, messages.
struct KernelPlan {
    let db: Database

    func changes() throws -> [PlannedChange] {
        try schema() + plugins() + stages() + fields() + messages()
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
            WHERE p.is_on <> coalesce(o.is_on, 0) ORDER BY p.name
            """)
    }

    private func stages() throws -> [PlannedChange] {
        try PlannedChange.rows(
            of: PlannedChange.stageArea, db,
            """
            SELECT o.stage || ' → ' || l.stage, 'move', count(*)
            FROM main.leads AS l JOIN before.leads AS o ON o.id = l.id WHERE l.stage <> o.stage GROUP BY 1 ORDER BY 1
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
        let counted =
            [("leads", "new"), ("leads", "gone")] + columns.map { ($0, $0 == "owner" ? "other owner" : "changed") }
        return counted.enumerated().compactMap { index, name in
            let count = Int64((row[index] as Double?) ?? 0)
            let area = name.0 == "owner" ? PlannedChange.ownerArea : "lead"
            return count == 0 ? nil : PlannedChange(area, name.0, name.1, count: count)
        }
    }

    private func messages() throws -> [PlannedChange] {
        try PlannedChange.rows(
            of: "mail", db,
            """
            SELECT m.template, CASE WHEN m.transport = 'mail' THEN 'written now' ELSE m.transport || ' written now' END, count(*)
            FROM main.outbox_messages AS m WHERE NOT EXISTS (SELECT 1 FROM before.outbox_messages AS o WHERE o.key = m.key)
            GROUP BY 1, 2
            UNION ALL
            SELECT m.template, m.state, count(*) FROM main.outbox_messages AS m JOIN before.outbox_messages AS o ON o.key = m.key
            WHERE m.state <> o.state GROUP BY 1, 2 ORDER BY 1, 2
            """)
    }
}

extension PlannedChange {
    static let stageArea = "stage"
    static let ownerArea = "owner"
    /// What goes out within a day.
    static let dayArea = "next day"
}
