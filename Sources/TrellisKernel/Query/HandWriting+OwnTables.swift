import CTrellisSQLite

/// What is not written by hand, and what is not read by whoever may not read all.
extension HandWriting {
    /// The tables in which the kernel keeps how the file is kept, each with what writes it.
    static let ownTables: [String: String] = [
        "migrations": "A newer trellis brings a file up to date when it opens it.",
        "view_files": "A newer trellis brings a file up to date when it opens it.",
        "kernel_context": "Trellis notes there by itself who is writing.",
        "sql_objects": "CREATE, ALTER and DROP keep it.",
        "sql_writes": "Use: trellis undo list, trellis undo ID.",
        "sql_undo_rows": "Use: trellis undo list, trellis undo ID.",
        "subscribers": "Use: trellis hooks move NAME, trellis plugins rebuild NAME.",
        "config_history": "Use: trellis apply, trellis config rollback.",
        "plugins": "Write 'enabled:' into the section of the plugin, in the config.",
        "stages": "Write stages: into the config, which puts them here.",
        "goals": "Write goals: into the config, which puts them here.",
        "site": "Write site: into the config, which puts it here.",
    ]

    /// How the names of the triggers begin that keep rows.
    static let keepingPrefix = "trellis_keep_"

    /// Whether a trigger of this name keeps rows.
    static func keeps(_ trigger: String) -> Bool { trigger.hasPrefix(keepingPrefix) }

    /// What is hidden is refused, but to the triggers of the file: what they log and keep must be whole.
    static func hide(_ hidden: [String], _ handle: OpaquePointer, _ rules: inout StatementRules) throws {
        let own = try SQLConnection.names(
            handle,
            "SELECT lower(name) FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT GLOB 'sqlite_*'")
        // Asked where tables are made and dropped.
        let asked: Set<String> = ["sqlite_sequence", "sqlite_stat1", "sqlite_temp_master"]
        rules.readable = .only(
            own.union(GuardedQuery.offered).union(asked).subtracting(hidden.map { $0.lowercased() }))
        rules.hide(columns: hidden)
        rules.trustedTriggers = try SQLConnection.names(
            handle, "SELECT lower(name) FROM sqlite_schema WHERE type = 'trigger'")
    }

    /// Where something is hidden, a statement may call nothing like a trigger that reads it, nor compare columns that
    /// nobody is asked about.
    func refuseNames(_ sql: String) throws {
        guard let trusted = connection.rules.trustedTriggers else { return }
        if SQLTokens.joinsByName(sql) {
            throw KernelError.usage("JOIN … USING and NATURAL JOIN may not be used here. Write JOIN … ON.")
        }
        let letters = sql.lowercased()
        for name in trusted.union([HandWriting.keepingPrefix]).sorted() where letters.contains(name) {
            throw KernelError.usage("'\(name)' is the name of a trigger, and may not be used here.")
        }
    }
}
