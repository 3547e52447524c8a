/// Replays the log into a plugin whose state is a function of it: its tables are emptied and its cursors set to the
/// start. The other plugins wait until it is through, so that nobody acts on what is half there.
///
/// A subscriber may ask for the log lead by lead: see ``Rereading``. Where that fails, or the process dies of it, the
/// plugin begins once more and reads the log in its order, which finds the event that cannot be handled.
public struct Rebuild {
    private let kernel: Kernel

    public init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    /// Returns how many events were handled.
    public func run(_ name: String, progress: (Int) -> Void = { _ in }) throws -> Int {
        try kernel.write(origin: "rebuild") { try begin(name, $0) }
        return try EventPump(kernel).runUntilIdle {
            progress($0)
            return true
        }
    }

    /// Empties the tables of a plugin and puts it at the first event, so that whoever pumps makes them anew.
    func begin(_ name: String, _ tx: Transaction) throws {
        let tables = try Rebuild.tables(of: name, kernel.pluginTypes, kernel.config)
        try Rebuild.toStart(name, tables: tables, tx)
    }

    /// What is emptied of a plugin.
    ///
    /// - Throws: ``KernelError/usage(_:)`` where it is none, is off, or cannot be made anew.
    static func tables(of name: String, _ types: [any Plugin.Type], _ config: Config) throws -> [String] {
        guard let type = types.first(where: { $0.name == name }) else {
            let names = types.map { $0.name }
            throw KernelError.usage(
                "There is no plugin '\(name)'.\(NearMiss.hint(name, among: names)) There are: \(names.joined(separator: ", "))."
            )
        }
        guard let tables = type.rebuilds else {
            throw KernelError.usage(
                "What '\(name)' did cannot be made anew from the log: mails would go out twice. Only plugins whose tables follow from the log can be rebuilt."
            )
        }
        guard config.isOn(name) else {
            throw KernelError.usage("The plugin '\(name)' is off. Switch it on first.")
        }
        return tables
    }

    /// Puts a plugin at the first event. What follows from the log is emptied, or it would be counted twice.
    public static func toStart(_ type: any Plugin.Type, _ tx: Transaction) throws {
        try toStart(type.name, tables: type.rebuilds ?? [], tx)
    }

    /// The same where the log was read lead by lead, and can be no further.
    static func toStartInOrder(_ name: String, _ tx: Transaction) throws {
        let tables = tx.kernel.pluginTypes.first { $0.name == name }?.rebuilds ?? []
        try toStart(name, tables: tables, readsByLead: false, tx)
    }

    static func toStart(_ name: String, tables: [String], readsByLead: Bool = true, _ tx: Transaction) throws {
        for table in tables { try tx.db.execute(sql: "DELETE FROM \(table)") }
        try tx.db.execute(sql: "DELETE FROM parked_events WHERE subscriber GLOB ?", arguments: ["\(name)/*"])
        let through = tables.isEmpty ? nil : try EventPump.lastEventID(tx.db)
        let subscriptions = tx.kernel.hooks.subscriptions
        let byLead = subscriptions.filter { readsByLead && through != nil && $0.subscribe.rereading == .byLead }
        try tx.db.execute(
            sql: """
                UPDATE subscribers SET last_event_id = 0, anew_through = ?, anew_lead = iif(id IN (\(list(byLead))), ?, NULL)
                WHERE id GLOB ?
                """, arguments: [through, Int64.min, "\(name)/*"])
        // A hook that is no more would be behind for ever. Where it comes back, it begins anew as its tables do.
        try tx.db.execute(
            sql: "DELETE FROM subscribers WHERE id GLOB ? AND id NOT IN (\(list(subscriptions)))",
            arguments: ["\(name)/*"])
    }

    private static func list(_ subscriptions: [HookTable.Subscription]) -> String {
        subscriptions.map(\.id.description.sqlLiteral).joined(separator: ", ")
    }
}

extension Transaction {
    /// Forgets how far a hook of this plugin had read that the config has no more: where it comes back, it begins anew.
    /// What it made of the log goes with it.
    ///
    /// - Parameter name: of the hook, without its plugin.
    public func forgetSubscriber(_ name: String) throws {
        try db.execute(sql: "DELETE FROM subscribers WHERE id = ?", arguments: ["\(owner)/\(name)"])
    }
}

extension Config {
    /// Whether a plugin's section is there and not switched off.
    public func isOn(_ plugin: String) -> Bool { plugins[plugin]?.isOn == true }

    /// Whether the file has a plugin's tables and views: its section is there, switched off or not, or it needs none.
    /// What SQL may name thus follows from the config, whatever ran on the file before.
    func hasTables(_ plugin: String) -> Bool { plugins[plugin] != nil }
}

/// What `trellis plugins` shows.
public struct PluginOverview {
    private let kernel: Kernel

    public init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    /// A row per plugin. While one is off, `waiting` counts what it will find when it is on again, appointments
    /// included.
    public func table() throws -> Table {
        let rows = try kernel.read { db in
            try kernel.pluginTypes.map { type in
                let prefix = "\(type.name)/*"
                let behind =
                    try Int64.fetchOne(
                        db,
                        sql:
                            "SELECT max((SELECT coalesce(max(id), 0) FROM events) - last_event_id) FROM subscribers WHERE id GLOB ?",
                        arguments: [prefix]) ?? 0
                let appointments =
                    try Int64.fetchOne(
                        db, sql: "SELECT count(*) FROM scheduled_events WHERE owner = ?", arguments: [type.name]) ?? 0
                let parked =
                    try Int64.fetchOne(
                        db, sql: "SELECT count(*) FROM parked_events WHERE subscriber GLOB ?", arguments: [prefix]) ?? 0
                let since = try String.fetchOne(
                    db, sql: "SELECT changed_at FROM plugins WHERE name = ?", arguments: [type.name])
                return [
                    Cell.text(type.name), .text(kernel.config.isOn(type.name) ? "on" : "off"),
                    since.map(Cell.text) ?? .null, .integer(behind),
                    .integer(appointments), .integer(parked), .text(type.summary),
                ]
            }
        }
        return Table(
            columns: ["plugin", "state", "since", "events_waiting", "appointments", "parked", "summary"], rows: rows)
    }
}
