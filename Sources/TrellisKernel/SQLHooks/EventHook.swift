/// A hook of the config that handles events: its statements run over the batch, its SELECTs become activities, mails
/// and calls of webhooks. All of it commits with its cursor, or none of it.
struct EventHook: Sendable {
    /// The first half of the ids of all hooks of the config: `hooks/german-leads-to-dach`.
    static let plugin = "hooks"

    private let name: String
    private let settings: SQLHookSettings
    private let statements: [String]

    init(_ name: String, _ settings: SQLHookSettings) {
        self.name = name
        self.settings = settings
        statements = settings.sql.map { SQLText($0.value).statements } ?? []
    }

    var subscribe: Subscribe {
        Subscribe(
            name, to: settings.on.map(\.value), from: settings.from == .first ? .firstEvent : .nextEvent,
            narrows: settings.when != nil
        ) { batch, tx in
            try run(batch, tx)
        }
    }

    func run(_ batch: Batch, _ tx: Transaction) throws {
        try ValueLimit.within(tx.db) { try handle(batch, tx) }
    }

    private func handle(_ batch: Batch, _ tx: Transaction) throws {
        if let when = settings.when, try !narrow(to: when.value, tx) { return }
        let most = settings.atMost * batch.count
        for sql in statements {
            let statement = try tx.db.cachedStatement(sql: sql)
            try statement.execute(arguments: SQLText.arguments(of: statement) { EventHook.value($0, tx) })
            try hold(tx, most)
        }
        if let emission = settings.emit {
            try naming("emit") { try emit(emission, tx) }
            try hold(tx, most)
        }
        if let sending = settings.send {
            try naming("send") { try send(sending, tx) }
            try hold(tx, most)
        }
    }

    /// What stands for the parameters of a hook: `:now`, the moment of the transaction.
    private static func value(_ parameter: String, _ tx: Transaction) -> DatabaseValue {
        parameter == "now" ? tx.stamp.databaseValue : .null
    }

    /// Leaves in the batch the events for which a condition holds; false where there is none.
    private func narrow(to condition: String, _ tx: Transaction) throws -> Bool {
        let holds = settings.on.map {
            "SELECT event_id FROM \(tx.relation(of: $0.value)) WHERE (\(condition)\n)"
        }.joined(separator: " UNION ALL ")
        try tx.db.cachedStatement(sql: "DELETE FROM temp.batch_ids WHERE id NOT IN (\(holds))").execute()
        return try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM temp.batch_ids)")) ?? false
    }

    /// The rows the last statement wrote, against those a batch may write.
    private func hold(_ tx: Transaction, _ most: Int) throws {
        guard tx.db.changesCount > most else { return }
        throw RowLimit(rows: tx.db.changesCount, most: settings.atMost)
    }

    /// Says of which hook and of what in it an error of SQL is. Others, such as that of a loop, are told by their kind.
    private func naming(_ part: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
            throw KernelError.data("hooks.\(name): \(part): \(error.message ?? "SQL error")")
        }
    }

    // MARK: - What comes of the rows of a SELECT

    private func emit(_ emission: SQLHookSettings.Emission, _ tx: Transaction) throws {
        let fields = tx.kernel.kinds[emission.kind.value]?.fields ?? []
        let rows = try Rows(emission.sql, tx)
        let body = rows.object { column, value in
            fields.first { $0.name == column }.map { EmittedField.sql(value, as: $0.value, field: column) }
        }
        let fact = """
            fact.lead_id, \(rows.cause) AS cause_id, \(body) AS body
            FROM (\(rows.select)
            ) AS fact
            """
        guard rows.columns.contains("due_at") else {
            return try tx.emit(emission.kind.value, forEach: "SELECT \(fact)")
        }
        let due = EmittedField.moment("coalesce(fact.due_at, 'NULL')", field: "due_at")
        try tx.schedule(
            emission.kind.value, forEach: "SELECT \(key(rows)) || ':' || \(due) AS key, \(due) AS due_at, \(fact)",
            arguments: rows.namesNow ? ["now": tx.stamp] : [:])
    }

    /// The same row of the same event is sent once, however often the log is read.
    private func send(_ sending: SQLHookSettings.Sending, _ tx: Transaction) throws {
        let rows = try Rows(sending.sql, tx)
        if let errand = sending.task { return try give(errand, rows, tx) }
        let values = rows.object { ["lead_id", "event_id"].contains($0) ? nil : "CAST(\($1) AS TEXT)" }
        func message(to recipient: String, template: String) -> String {
            """
            SELECT \(key(rows)) AS key, fact.lead_id, \(recipient) AS recipient, \(template.sqlLiteral) AS template,
                   \(values) AS body, \(rows.cause) AS cause_id
            FROM (\(rows.select)
            ) AS fact
            """
        }
        if let webhook = sending.webhook {
            try tx.callWebhook(forEach: message(to: webhook.value.sqlLiteral, template: sending.type ?? name))
        } else if let mail = sending.mail {
            try tx.send(
                sending.to == nil ? tx.purpose(ofMail: mail.value) : .internal,
                forEach: message(to: sending.to?.value.sqlLiteral ?? "NULL", template: mail.value))
        }
    }

    private func give(_ errand: TaskSettings, _ rows: Rows, _ tx: Transaction) throws {
        guard let desk = tx.kernel.plugins.lazy.compactMap(\.taskDesk).first else {
            throw KernelError.data("Nobody keeps tasks: the plugin that does is off.")
        }
        let due = rows.columns.contains("due_at") ? EmittedField.moment("fact.due_at", field: "due_at") : "NULL"
        try desk.take(
            TaskDesk.Order(
                origin: "hook:\(name)", kind: errand.kind, assignee: errand.to == "owner" ? nil : errand.to,
                text: errand.text.value, due: errand.due),
            """
            SELECT \(key(rows)) AS key, fact.lead_id, \(rows.cause) AS cause_id, \(due) AS due_at
            FROM (\(rows.select)
            ) AS fact WHERE fact.lead_id IS NOT NULL
            """, tx)
    }

    private func key(_ rows: Rows) -> String {
        "'hook:\(name):' || coalesce(\(rows.cause), '') || ':' || coalesce(fact.lead_id, '')"
    }

    /// A SELECT of the config, whose rows are called `fact`.
    private struct Rows {
        /// Its text, without what ends it.
        let select: String
        let columns: [String]
        /// Whether it names the parameter `:now`.
        let namesNow: Bool

        init(_ sql: LocatedText, _ tx: Transaction) throws {
            select = SQLText(sql.value).statements.first ?? sql.value
            let statement = try tx.db.cachedStatement(sql: select)
            columns = statement.columnNames
            namesNow = SQLText.parameters(of: statement.sqliteStatement).contains("now")
        }

        /// The event a row comes of: the one it names, or the last one of its lead in the batch, or the last of all.
        var cause: String {
            columns.contains("event_id")
                ? "trellis_cause((SELECT id FROM events WHERE id = fact.event_id), fact.event_id)"
                : """
                coalesce((SELECT max(b.id) FROM batch AS b WHERE b.lead_id = fact.lead_id), (SELECT max(id) FROM temp.batch_ids))
                """
        }

        /// Some of the columns as a JSON object, without those that are NULL (https://www.rfc-editor.org/rfc/rfc7396).
        ///
        /// - Parameter value: what stands for a column of this name, whose value is the second; nil leaves it out.
        func object(_ value: (String, String) -> String?) -> String {
            let pairs = columns.compactMap { column in
                value(column, "fact.\"\(column)\"").map { "\(column.sqlLiteral), \($0)" }
            }
            return "json_patch('{}', json_object(\(pairs.joined(separator: ", "))))"
        }
    }

    /// A hook that wrote more rows than it may.
    struct RowLimit: Error, CustomStringConvertible {
        let rows: Int
        let most: Int

        var description: String {
            "it wrote \(rows) rows, and at_most is \(most) for one event. Nothing was kept. Raise at_most, or write fewer."
        }
    }
}
