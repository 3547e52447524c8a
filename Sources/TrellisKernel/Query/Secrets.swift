extension Kernel {
    /// What nobody reads who asks over HTTP: tables that may not be read, and columns, such as `consents.agent`, that
    /// read as NULL. Those of the kernel, of every plugin the program has, and of `server.admin.sql.hidden`.
    public var secrets: [String] { Kernel.secrets(of: pluginTypes, config) }

    static func secrets(of types: [any Plugin.Type], _ config: Config) -> [String] {
        ownSecrets + types.flatMap { $0.secrets } + config.site.server.admin.sql.hidden
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
