import TrellisKernel

/// A row per lead that was created: by a hook of the config, batch by batch, and by the bare statement over the log.
enum HookJob {
    static let hook = Phase("hook") { workspace in
        let kernel = try workspace.kernel(
            .ours, at: Workspace.tickedAt, plugins: [CreatedLeads.self],
            hooks: """
                hooks:
                  note-lead: {on: lead.created, from: first, sql: "INSERT INTO created_leads_noted SELECT lead_id, at FROM batch"}
                """)
        var watch = Stopwatch()
        try EventPump(kernel).runUntilIdle()
        watch.note("pump")
        let noted = try kernel.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM created_leads_noted") }
        try kernel.close()
        guard noted == workspace.leads else {
            throw BenchError("The hook noted \(noted ?? 0) of \(workspace.leads) leads.")
        }
        return watch.measurement
    }

    static let statement = Phase("hook-statement") { workspace in
        let database = try RawDatabase(path: workspace.oursPath)
        try database.run("CREATE TABLE bare_noted (lead_id INTEGER PRIMARY KEY, at TEXT NOT NULL) STRICT")
        var watch = Stopwatch()
        try database.run(
            "INSERT INTO bare_noted SELECT lead_id, at FROM events NOT INDEXED WHERE kind = 'lead.created'")
        watch.note("statement")
        return watch.measurement
    }

    /// Only makes the table that the hook writes.
    private struct CreatedLeads: Plugin {
        static let name = "created_leads"
        static let summary = "A table for a hook."
        static let openTables = ["created_leads_noted"]
        static var migrations: MigrationFolder {
            let sql = "CREATE TABLE created_leads_noted (lead_id INTEGER PRIMARY KEY, at TEXT NOT NULL) STRICT;"
            return MigrationFolder(owner: name, files: [MigrationFile(name: "0001_create_noted", sql: sql)])
        }

        init(settings: NoSettings) {}
        var hooks: [any Hook] { [] }
    }
}
