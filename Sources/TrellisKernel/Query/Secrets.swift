extension Kernel {
    /// What nobody reads who asks over HTTP: tables that may not be read, and columns, such as `consents.agent`, that
    /// read as NULL. Those of the kernel, of every plugin the program has, and of `server.admin.sql.hidden`.
    public var secrets: [String] { Kernel.secrets(of: pluginTypes, config) }

    static func secrets(of types: [any Plugin.Type], _ config: Config) -> [String] {
        ownSecrets + types.flatMap { $0.secrets } + config.site.server.admin.sql.hidden.map(\.value)
    }

    private static let ownSecrets = [
        // Who called, who is writing, and what was written by hand, with the rows before and after it.
        "api_calls", "kernel_context", "sql_writes", "sql_undo_rows",
        // May hold a secret that somebody did not put into a variable.
        "config_history.text",
        // What proves a consent.
        "consents.page", "consents.network", "consents.agent",
        "suppressions.email_hash",
        // Mails hold the links that open a person's choices, and the values of their templates may.
        "outbox_messages.content", "outbox_messages.body", "outbox_messages.lease",
        "mail_hits.agent", "mail_hits.network", "mail_returns.raw",
        // Deleted rows, with every column of theirs.
        "trash.row", "replaced_rows",
    ]
}

extension ConfigCheck {
    /// Notes which names of what is hidden from all who ask, or from one reader, hide nothing that the config makes:
    /// most are misspelt. They may be right, since tables are made by hand, and fields that left the config keep their
    /// columns.
    func hiddenNames(of types: [any Plugin.Type]) throws {
        let made = try String.fetchAll(
            db, sql: "SELECT lower(name) FROM sqlite_schema WHERE type IN ('table', 'view')")
        let ofPlugins = types.reduce(into: Set<String>()) { $0.formUnion($1.migrations.tables) }
        let unlessMade = "in what this config makes: nothing is hidden, unless you made it yourself."
        let admin = config.site.server.admin
        for name in admin.sql.hidden + admin.readers.flatMap(\.value.hidden) where !name.value.hasPrefix("*.") {
            let parts = name.value.lowercased().split(separator: ".", maxSplits: 1).map(String.init)
            let table = parts.first ?? ""
            guard made.contains(table) else {
                if ofPlugins.contains(table) { continue }
                note(
                    "there is no table '\(table)' \(unlessMade)\(NearMiss.hint(table, among: made))", at: name.place)
                continue
            }
            guard parts.count == 2 else { continue }
            let columns = try String.fetchAll(
                db, sql: "SELECT lower(name) FROM pragma_table_info(?)", arguments: [table])
            guard !columns.contains(parts[1]) else { continue }
            note(
                "\(table) has no column '\(parts[1])' \(unlessMade)\(NearMiss.hint(parts[1], among: columns))",
                at: name.place)
        }
    }
}
