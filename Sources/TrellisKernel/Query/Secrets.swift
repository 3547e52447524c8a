extension Kernel {
    /// What nobody reads who asks over HTTP: tables that may not be read, and columns, such as `consents.agent`, that
    /// read as NULL. Those of the kernel, of every plugin the program has, and of `server.admin.sql.hidden`.
    public var secrets: [String] { Kernel.secrets(of: pluginTypes, config) }

    static func secrets(of types: [any Plugin.Type], _ config: Config) -> [String] {
        ownSecrets + types.flatMap { $0.secrets } + spelled(config.site.server.admin.sql.hidden, types)
    }

    /// What a reader does not see beside the ``secrets``.
    public func hidden(from reader: ServerSettings.Reader) -> [String] { Kernel.spelled(reader.hidden, pluginTypes) }

    /// The word that stands for ``personal(of:)`` among hidden names, in any case.
    static let personalWord = "personal"

    /// The columns that tell who somebody is, lead to a person, or keep words about one: of the kernel and of every
    /// plugin the program has, on or off. What many share, as a company and a town, and what the config itself adds to
    /// `leads` is not among them.
    public static func personal(of types: [any Plugin.Type]) -> [String] {
        ownPersonal + types.flatMap { $0.personal }
    }

    private static func spelled(_ hidden: [LocatedText], _ types: [any Plugin.Type]) -> [String] {
        let names = hidden.flatMap { $0.value.lowercased() == personalWord ? personal(of: types) : [$0.value] }
        return names + copies(of: names, types)
    }

    /// The columns that keep what is hidden by these names, and the copies of those; see ``Plugin/copies``.
    /// A table and `*.column` stand for every column they name.
    private static func copies(of names: [String], _ types: [any Plugin.Type]) -> [String] {
        let all = types.flatMap { Array($0.copies) }
        var found: Set<String> = []
        var next = names
        while !next.isEmpty {
            let hidden = Set(next.map { $0.lowercased() })
            let copies = all.filter { original, _ in
                let parts = HideableNames.parts(original)
                return hidden.contains(original) || hidden.contains(parts.table)
                    || hidden.contains("*.\(parts.column ?? "")")
            }
            next = Set(copies.flatMap(\.value)).subtracting(found).sorted()
            found.formUnion(next)
        }
        return found.sorted()
    }

    private static let ownPersonal =
        ["leads", "contacts"].flatMap { table in
            ["email", "first_name", "last_name", "phone", "external_id"].map { "\(table).\($0)" }
        } + [
            "suppressions.email", "suppressions.mailbox", "outbox_messages.recipient", "mail_returns.diagnostic",
            // What a receiver said of an address.
            "outbox_messages.reason",
            // Why sales gave a lead back, and what a person answered, as a value of an activity.
            "events.body", "scheduled_events.body",
            // Addresses of pages may name a person among their parameters.
            "touches.referrer", "touches.landing_page", "touches.click_id",
        ]

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
    /// Notes what hides nothing of what is hidden from all who ask. From a reader something must be hidden: there it is
    /// a problem, unless a plugin without a section would make it.
    ///
    /// Tables are made by hand too, and fields that left the config keep their columns: the file of the config is asked
    /// as well, where there is one.
    func hiddenNames(of types: [any Plugin.Type]) throws {
        let admin = config.site.server.admin
        try faults(of: admin.sql.hidden, types) { note($0, at: $1) }
        try faults(of: admin.readers.flatMap(\.value.hidden), types) { problem($0, at: $1) }
    }

    private func faults(
        of names: [LocatedText], _ types: [any Plugin.Type], _ say: (String, Place) -> Void
    ) throws {
        guard !names.isEmpty else { return }
        let made = try HideableNames(db)
        let names = names.filter { $0.value.lowercased() != Kernel.personalWord }
        let found = names.compactMap { name in made.fault(of: name.value).map { (name, $0) } }
        guard !found.isEmpty else { return }
        // Whoever cannot open the file is told so elsewhere.
        let inFile = try? ReadingQueue.open(config.databasePath).read { db in
            let there = try HideableNames(db)
            return Set(found.map(\.0.value).filter { there.fault(of: $0) == nil })
        }
        for (name, fault) in found where inFile?.contains(name.value) != true {
            if let off = types.first(where: { !config.hasTables($0.name) && $0.makes(name.value) }) {
                note("'\(name.value)' hides nothing as long as the plugin \(off.name) is off.", at: name.place)
            } else {
                say(fault, name.place)
            }
        }
    }
}

/// The tables and views of a file with their columns, in lower case: what a name may hide in it.
private struct HideableNames {
    private let db: Database
    private let tables: Set<String>

    init(_ db: Database) throws {
        self.db = db
        // SQLite asks for its own table by the older of its names.
        tables = try Set(
            String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")
                .map { $0.lowercased() }
        ).union(GuardedQuery.offered).subtracting(["sqlite_schema"])
    }

    /// Those that a table generates too. None of a view that somebody made and that can no longer be read.
    private func columns(of table: String) -> [String] {
        let sql = "SELECT name FROM pragma_table_xinfo(?)"
        return ((try? String.fetchAll(db, sql: sql, arguments: [table])) ?? []).map { $0.lowercased() }
    }

    /// Why `leads`, `leads.phone` or `*.phone` hides nothing; nil where it does.
    func fault(of name: String) -> String? {
        let nowhere = "in what this config makes, nor in its file: nothing is hidden."
        switch HideableNames.parts(name) {
        case ("*", nil), ("*", "*"):
            return
                "'\(name)' hides nothing. Name the tables, the columns, such as leads.phone, or *.phone, which is every column of that name."
        case (let table, "*"):
            return "'\(name)' hides nothing. Write '\(table)', which hides the whole table."
        case ("*", let column?):
            if tables.contains(where: { columns(of: $0).contains(column) }) { return nil }
            let all = Set(tables.flatMap { columns(of: $0) })
            return "there is no column '\(column)' \(nowhere)\(NearMiss.hint(column, among: all))"
        case ("sqlite_schema", _):
            return "'\(name)' hides nothing: SQLite calls the table sqlite_master. Write that."
        case (let table, let column):
            guard tables.contains(table) else {
                let hint = NearMiss.hint(table, among: tables.union([Kernel.personalWord]))
                return "there is no table '\(table)' \(nowhere)\(hint)"
            }
            guard let column else { return nil }
            let all = columns(of: table)
            if all.contains(column) { return nil }
            return "\(table) has no column '\(column)' \(nowhere)\(NearMiss.hint(column, among: all))"
        }
    }

    static func parts(_ name: String) -> (table: String, column: String?) {
        let parts = name.lowercased().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
    }
}

extension Plugin {
    /// Whether the plugin, when it is on, makes the table of a hidden name, or names the column of `*.column` in its
    /// SQL.
    fileprivate static func makes(_ hidden: String) -> Bool {
        let (table, column) = HideableNames.parts(hidden)
        guard column != "*" else { return false }
        if table != "*" { return relations.contains(table) }
        return (migrations.files.map(\.sql) + views.map(\.sql)).contains { sql in
            let tokens = SQLTokens(sql)
            return tokens.contains { $0.kind == .word && tokens.letters($0).lowercased() == column }
        }
    }
}
