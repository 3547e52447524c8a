/// Runs one hook of the config over what is recorded, in a transaction that is rolled back, and tells what it would
/// have done: nothing is written, and its cursor stays.
public struct HookTrial {
    private let kernel: Kernel

    /// What a hook would have done.
    public struct Outcome: Sendable {
        /// Events, leads or messages it was given.
        public var looked = 0
        /// What it would have written, counted: table, inserted, changed, deleted. Of a filter: reason, leads or mails.
        public var counts = Table(columns: [], rows: [])
        /// The first rows: table, row, change. Of a filter: lead or mail, outcome.
        public var rows = Table(columns: [], rows: [])
        /// How many rows there are; ``rows`` holds the first ``HookTrial/rowsMax`` of them.
        public var total: Int64 = 0
    }

    /// Rows that are shown.
    public static let rowsMax = 20

    public init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    /// - Parameters:
    ///   - name: its key in the config; a hook that is switched off may be tried too.
    ///   - last: of how many of the newest events of its kinds, or of the newest leads or messages.
    /// - Throws: ``ConfigProblems`` with what `trellis check` finds in the hook, which is then not run at all;
    ///   ``KernelError`` with the name of a hook that fails, or where there is no such hook.
    public func run(_ name: String, last: Int) throws -> Outcome {
        guard let hook = kernel.config.site.hooks.first(where: { $0.name == name }) else {
            let names = kernel.config.site.hooks.map(\.name)
            throw KernelError.usage(
                "There is no hook '\(name)'.\(NearMiss.hint(name, among: names)) "
                    + (names.isEmpty
                        ? "Write it under hooks: in the config." : "There are: \(names.joined(separator: ", "))."))
        }
        // Run unexamined, a COMMIT among its statements would keep what it did.
        try SQLHooks(kernel.config).hold(kernel, only: name)
        var outcome = Outcome()
        do {
            try kernel.write(origin: "hook:\(name)") { tx in
                outcome = try naming(name) {
                    try hook.value.filter == nil ? handle(hook, last, tx) : filter(hook, last, tx)
                }
                throw Over()
            }
        } catch is Over {}
        return outcome
    }

    /// Says of which hook an error is, as the log would.
    private func naming<T>(_ name: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as KernelError {
            throw error
        } catch let error as DatabaseError {
            if let error = KernelError.from(error, path: kernel.store.path) { throw error }
            let words =
                error.resultCode == .SQLITE_INTERRUPT
                ? "it took longer than its time budget and was interrupted"
                : UntoldWords.instead(of: error) ?? error.message ?? "SQLite error \(error.resultCode.rawValue)"
            throw KernelError.data("hooks.\(name): \(words)")
        } catch {
            throw KernelError.data("hooks.\(name): \(UntoldWords.instead(of: error) ?? "\(error)")")
        }
    }

    /// Ends the transaction without a trace.
    private struct Over: Error {}

    // MARK: - Events

    private func handle(_ hook: Named<SQLHookSettings>, _ last: Int, _ tx: Transaction) throws -> Outcome {
        let kinds = hook.value.on.map(\.value)
        let list = kinds.map(\.sqlLiteral).joined(separator: ", ")
        let newest = "SELECT id FROM events WHERE kind IN (\(list)) ORDER BY id DESC LIMIT \(max(1, last))"
        let first = try Int64.fetchOne(tx.db, sql: "SELECT min(id) FROM (\(newest))")
        let images = try writes(of: hook).compactMap { try RowImage($0, tx.db) }
        try tx.db.execute(sql: "CREATE TEMP TABLE hook_rows (name TEXT, row_key TEXT, before TEXT, after TEXT)")
        for (number, image) in images.enumerated() {
            for sql in HookTrial.triggers(image, number) { try tx.db.execute(sql: sql) }
        }
        try tx.db.execute(sql: HookTrial.trashTrigger)
        guard let first else { return try outcome(0, tx.db) }
        let window = try BatchWindow.fill(
            kinds, after: first - 1, through: EventPump.lastEventID(tx.db), limit: max(1, last), tx.db)
        try KernelContext.enterBatch(
            tx.db, after: window.after, through: window.through, kinds: "|\(kinds.joined(separator: "|"))|")
        try TimeBudget(EventPump.handlerBudget).run(on: tx.db) {
            try EventHook(hook.name, hook.value).run(Batch(count: window.count, db: tx.db), tx)
        }
        return try outcome(window.count, tx.db)
    }

    private func outcome(_ looked: Int, _ db: Database) throws -> Outcome {
        let total = try Int64.fetchOne(db, sql: "SELECT count(*) FROM temp.hook_rows WHERE \(HookTrial.isChange)")
        return Outcome(looked: looked, counts: try counts(db), rows: try rows(db), total: total ?? 0)
    }

    /// The tables the hook itself writes.
    private func writes(of hook: Named<SQLHookSettings>) throws -> [String] {
        var tables: Set<String> = []
        if hook.value.emit != nil { tables.formUnion(["events", "scheduled_events"]) }
        if let sending = hook.value.send {
            let desks = kernel.plugins.compactMap { $0.taskDesk?.table }
            tables.formUnion(sending.task == nil ? ["outbox_messages"] : desks.prefix(1) + ["events"])
        }
        if let sql = hook.value.sql {
            let sandbox = try kernel.read { db in
                try HookSandbox(schemaOf: db, kinds: SQLHooks(kernel.config).kinds(kernel.kinds))
            }
            tables.formUnion(try sandbox.statements(sql, .writing).flatMap { try $0.get().writes })
        }
        return tables.sorted()
    }

    private static func triggers(_ image: RowImage, _ number: Int) -> [String] {
        let name = image.table.sqlLiteral
        let table = "main.\(image.table.sqlIdentifier)"
        func note(_ key: String, _ before: String, _ after: String) -> String {
            "BEGIN INSERT INTO hook_rows VALUES (\(name), \(image.key(of: key)), \(before), \(after)); END"
        }
        let (old, new) = (image.image(of: "OLD"), image.image(of: "NEW"))
        let written = [
            "CREATE TEMP TRIGGER hook_rows_\(number)_i AFTER INSERT ON \(table) \(note("NEW", "NULL", new))",
            "CREATE TEMP TRIGGER hook_rows_\(number)_u AFTER UPDATE ON \(table) \(note("NEW", old, new))",
        ]
        guard LoggedTable(rawValue: image.table) == nil else { return written }
        return written + [
            "CREATE TEMP TRIGGER hook_rows_\(number)_d AFTER DELETE ON \(table) \(note("OLD", old, "NULL"))"
        ]
    }

    /// What is deleted of the tables that are logged goes into the trash, also where `INSERT OR REPLACE` takes its
    /// place, of which no trigger of the table is told.
    private static let trashTrigger = """
        CREATE TEMP TRIGGER hook_rows_deleted AFTER INSERT ON main.trash
        BEGIN INSERT INTO hook_rows VALUES (NEW.table_name, json_array(NEW.row_id), NEW.row, NULL); END
        """

    /// A row that was touched and says what it said is no change.
    private static let isChange =
        "json_remove(before, '$.updated_at') IS NOT json_remove(after, '$.updated_at')"

    private func counts(_ db: Database) throws -> Table {
        Table(
            columns: ["table", "inserted", "changed", "deleted"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT name, count(*) FILTER (WHERE before IS NULL), count(*) FILTER (WHERE before IS NOT NULL AND after IS NOT NULL),
                           count(*) FILTER (WHERE after IS NULL)
                    FROM temp.hook_rows WHERE \(HookTrial.isChange) GROUP BY name ORDER BY name
                    """))
    }

    /// Of a changed row what changed, of a new or a deleted one what it holds.
    private func rows(_ db: Database) throws -> Table {
        Table(
            columns: ["table", "row", "change"],
            try Row.fetchAll(
                db,
                sql: """
                    SELECT name, substr(row_key, 2, length(row_key) - 2),
                           CASE WHEN before IS NULL THEN 'new: ' WHEN after IS NULL THEN 'deleted: ' ELSE '' END || (
                               SELECT group_concat(CASE WHEN r.before IS NULL OR r.after IS NULL THEN v.key || ' ' || quote(v.value)
                                                        ELSE v.key || ' ' || quote(json_extract(r.before, '$."' || v.key || '"')) || ' → ' || quote(v.value) END, ', ')
                               FROM json_each(coalesce(r.after, r.before)) AS v
                               WHERE v.value IS NOT NULL AND (r.before IS NULL OR r.after IS NULL)
                                  OR json_extract(r.before, '$."' || v.key || '"') IS NOT v.value AND v.key <> 'updated_at')
                    FROM temp.hook_rows AS r WHERE \(HookTrial.isChange) ORDER BY r.rowid LIMIT \(HookTrial.rowsMax)
                    """))
    }

    // MARK: - Drafts

    private func filter(_ hook: Named<SQLHookSettings>, _ last: Int, _ tx: Transaction) throws -> Outcome {
        switch hook.value.filter {
        case .lead: try tried(hook, "lead", try leads(last, tx), tx, by: change)
        case .mail: try tried(hook, "mail", try mails(last, tx), tx, by: change)
        case .audience, .handoff, nil:
            throw KernelError.usage(
                "'\(hook.name)' filters what a plugin proposes while it works: only filters of leads and of mails can be tried on what is recorded."
            )
        }
    }

    /// Leads drafts past the hook, each with the id of its row.
    ///
    /// - Parameter change: what the hook changed of a draft, in words; empty for nothing.
    private func tried<D: SQLDraft>(
        _ hook: Named<SQLHookSettings>, _ noun: String, _ drafts: [(id: Int64, draft: D)], _ tx: Transaction,
        by change: (D, D) -> String
    ) throws -> Outcome {
        let filter = FilterHook(hook.name, hook.value)
        var (reasons, rows): ([String: Int64], [[Cell]]) = ([:], [])
        for (id, before) in drafts {
            var (draft, outcome) = (before, "")
            do {
                try TimeBudget.within(FilterHook.budget, on: tx.db) { try filter.edit(&draft, tx) }
                outcome = change(before, draft)
                if outcome.isEmpty { continue }
                reasons["(changed)", default: 0] += 1
            } catch let veto as Veto {
                outcome = "refused: \(veto.reason)"
                reasons[veto.reason, default: 0] += 1
            }
            if rows.count < HookTrial.rowsMax { rows.append([.integer(id), .text(outcome)]) }
        }
        let counted = reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return Outcome(
            looked: drafts.count,
            counts: Table(
                columns: ["reason", "\(noun)s"], rows: counted.map { [.text($0.key), .integer($0.value)] }),
            rows: Table(columns: [noun, "outcome"], rows: rows), total: reasons.values.reduce(0, +))
    }

    /// The newest leads as if they came now.
    private func leads(_ last: Int, _ tx: Transaction) throws -> [(id: Int64, draft: LeadDraft)] {
        let columns = kernel.leadLayout.names
        let names = columns.map(\.sqlIdentifier).joined(separator: ", ")
        return try Row.fetchAll(
            tx.db, sql: "SELECT id, \(names) FROM leads ORDER BY id DESC LIMIT \(max(1, last))"
        ).map { row in
            var draft = LeadDraft(kernel.leadLayout)
            for (index, column) in columns.enumerated() { draft[column] = row[index + 1] }
            return (row[0], draft)
        }
    }

    private func change(_ before: LeadDraft, _ after: LeadDraft) -> String {
        zip(kernel.leadLayout.names, zip(before.values, after.values)).filter { $1.0 != $1.1 }
            .map { "\($0) \($1.0) → \($1.1)" }.joined(separator: ", ")
    }

    /// The newest messages of the outbox as if they went out now, whatever became of them, without their values.
    private func mails(_ last: Int, _ tx: Transaction) throws -> [(id: Int64, draft: MessageDraft)] {
        try Row.fetchAll(
            tx.db,
            sql: """
                SELECT id, lead_id, origin, purpose, template FROM outbox_messages ORDER BY id DESC LIMIT \(max(1, last))
                """
        ).map { row in
            let purpose = MessagePurpose(rawValue: row["purpose"]) ?? .marketing
            let draft = MessageDraft(
                messageID: row["id"], leadID: row["lead_id"], origin: row["origin"], purpose: purpose,
                template: row["template"], values: [:])
            return (draft.messageID, draft)
        }
    }

    private func change(_ before: MessageDraft, _ after: MessageDraft) -> String {
        let template = before.template == after.template ? [] : ["template \(before.template) → \(after.template)"]
        let values = after.values.sorted { $0.key < $1.key }.map { "\($0.key) → \($0.value)" }
        return (template + values).joined(separator: ", ")
    }
}

/// The hooks of the config as `trellis hooks` shows them.
public struct HookOverview {
    private let kernel: Kernel

    public init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    public func table() throws -> Table {
        let rows = try kernel.read { db in
            try kernel.config.site.hooks.map { hook in
                let id = "\(EventHook.plugin)/\(hook.name)"
                let last = try Int64.fetchOne(
                    db, sql: "SELECT last_event_id FROM subscribers WHERE id = ?", arguments: [id])
                let list = hook.value.on.map(\.value.sqlLiteral).joined(separator: ", ")
                let waiting =
                    try last.map { last in
                        try Int64.fetchOne(
                            db, sql: "SELECT count(*) FROM events WHERE kind IN (\(list)) AND id > ?", arguments: [last]
                        )
                            ?? 0
                    }
                let parked =
                    try Int64.fetchOne(
                        db, sql: "SELECT count(*) FROM parked_events WHERE subscriber = ?", arguments: [id]) ?? 0
                let what = hook.value.filter.map { "filter: \($0.rawValue)" }
                return [
                    Cell.text(hook.name), .text(hook.value.isOn ? "on" : "off"),
                    .text(what ?? hook.value.on.map(\.value).joined(separator: ", ")),
                    waiting.map(Cell.integer) ?? .null, .integer(parked),
                ]
            }
        }
        return Table(columns: ["hook", "state", "on", "events_waiting", "parked"], rows: rows)
    }

    /// Puts the cursor of a hook at the end of the log, or before its first event.
    public func move(_ name: String, to origin: SQLHookSettings.Origin) throws {
        let names = kernel.config.site.hooks.filter { $0.value.filter == nil }.map(\.name)
        guard names.contains(name) else {
            throw KernelError.usage("There is no hook of events '\(name)'.\(NearMiss.hint(name, among: names))")
        }
        try kernel.write(origin: "cli") { tx in
            let last = origin == .first ? 0 : try EventPump.lastEventID(tx.db)
            let id = "\(EventHook.plugin)/\(name)"
            try tx.db.execute(sql: "UPDATE subscribers SET last_event_id = ? WHERE id = ?", arguments: [last, id])
            try tx.db.execute(sql: "DELETE FROM parked_events WHERE subscriber = ?", arguments: [id])
        }
    }
}
