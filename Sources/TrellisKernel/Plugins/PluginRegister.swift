/// Keeps `plugins` and `subscribers`: notices what was switched on or off since the last start, and gives every
/// subscriber its cursor.
struct PluginRegister {
    let kernel: Kernel

    func update() throws {
        let isCurrent = try kernel.read(isCurrent)
        if isCurrent { return }
        try kernel.write(origin: "kernel") { tx in
            for type in kernel.pluginTypes {
                try setState(of: type.name, tx)
            }
            for subscription in kernel.hooks.subscriptions {
                let start =
                    subscription.subscribe.start == .nextEvent ? "coalesce((SELECT max(id) FROM events), 0)" : "0"
                try tx.db.execute(
                    sql: "INSERT INTO subscribers (id, last_event_id) VALUES (?, \(start)) ON CONFLICT (id) DO NOTHING",
                    arguments: [subscription.id.description])
            }
        }
    }

    /// Opening an up-to-date file writes nothing.
    private func isCurrent(_ db: Database) throws -> Bool {
        let states = try Row.fetchAll(db, sql: "SELECT name, is_on FROM plugins").reduce(into: [String: Bool]()) {
            $0[$1[0]] = $1[1]
        }
        let known = Set(try String.fetchAll(db, sql: "SELECT id FROM subscribers"))
        return kernel.pluginTypes.allSatisfy { states[$0.name] == isOn($0.name) }
            && kernel.hooks.subscriptions.allSatisfy { known.contains($0.id.description) }
    }

    private func isOn(_ name: String) -> Bool {
        kernel.config.plugins[name]?.isOn == true
    }

    private func setState(of name: String, _ tx: Transaction) throws {
        let was = try Bool.fetchOne(tx.db, sql: "SELECT is_on FROM plugins WHERE name = ?", arguments: [name])
        guard was != isOn(name) else { return }
        try tx.db.execute(
            sql: """
                INSERT INTO plugins (name, is_on, changed_at) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, changed_at = excluded.changed_at
                """, arguments: [name, isOn(name), tx.stamp])
        if was == nil, !isOn(name) { return }
        if was == false { try resume(name, tx) }
        try tx.emit(isOn(name) ? "plugin.enabled" : "plugin.disabled", lead: nil, body: "{\"plugin\":\"\(name)\"}")
    }

    /// What of the backlog is handled, as the config says: from where it stopped, from now, or from the start.
    private func resume(_ name: String, _ tx: Transaction) throws {
        switch kernel.config.plugins[name]?.resume ?? .last {
        case .last: break
        case .now:
            try tx.db.execute(
                sql: "UPDATE subscribers SET last_event_id = coalesce((SELECT max(id) FROM events), 0) WHERE id GLOB ?",
                arguments: ["\(name)/*"])
        case .start:
            try Rebuild.toStart(name, tables: kernel.pluginTypes.first { $0.name == name }?.rebuilds ?? [], tx)
        }
    }
}
