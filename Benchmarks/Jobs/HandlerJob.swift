import TrellisKernel

/// The same count per lead: by a handler in Swift that is called per event, and by one statement per batch.
enum HandlerJob {
    static let typed = Phase("handler-typed") { try run(TypedCount.self, $0) }
    static let setBased = Phase("handler-set") { try run(SetCount.self, $0) }

    private static func run(_ plugin: any Plugin.Type, _ workspace: Workspace) throws -> Measurement {
        let kernel = try workspace.kernel(.ours, at: Workspace.tickedAt, plugins: [plugin])
        var watch = Stopwatch()
        try EventPump(kernel).runUntilIdle()
        watch.note("pump")
        let counted = try kernel.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM \(plugin.name)_leads WHERE events = 1")
        }
        try kernel.close()
        guard counted == workspace.leads else {
            throw BenchError("\(plugin.name) counted \(counted ?? 0) of \(workspace.leads) leads.")
        }
        return watch.measurement
    }

    private static func tables(of owner: String) -> MigrationFolder {
        let sql = "CREATE TABLE \(owner)_leads (lead_id INTEGER PRIMARY KEY, events INTEGER NOT NULL) STRICT;"
        return MigrationFolder(owner: owner, files: [MigrationFile(name: "0001_create_leads", sql: sql)])
    }

    private struct TypedCount: Plugin {
        static let name = "typed_count"
        static let summary = "Counts the creations of each lead, in Swift."
        static var migrations: MigrationFolder { tables(of: name) }

        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Subscribe("count", to: LeadCreated.self, from: .firstEvent) { recorded, tx in
                try tx.db.cachedStatement(
                    sql:
                        "INSERT INTO typed_count_leads VALUES (?, 1) ON CONFLICT (lead_id) DO UPDATE SET events = events + 1"
                ).execute(arguments: [recorded.leadID])
            }
        }
    }

    private struct SetCount: Plugin {
        static let name = "set_count"
        static let summary = "Counts the creations of each lead, in SQL."
        static var migrations: MigrationFolder { tables(of: name) }

        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Subscribe("count", to: ["lead.created"], from: .firstEvent) { _, tx in
                try tx.db.cachedStatement(
                    sql: """
                        INSERT INTO set_count_leads SELECT lead_id, count(*) FROM batch GROUP BY lead_id
                        ON CONFLICT (lead_id) DO UPDATE SET events = events + excluded.events
                        """
                ).execute()
            }
        }
    }
}
