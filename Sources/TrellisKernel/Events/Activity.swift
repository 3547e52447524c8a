extension Transaction {
    /// Logs an activity of the config, with its declared fields.
    ///
    /// - Parameter at: when it happened, as text; nil means now. What lies ahead is scheduled instead.
    /// - Throws: ``FieldProblem`` for a field that is not declared or does not fit, ``KernelError`` for an unknown
    ///   kind.
    /// - Returns: the id of the event; nil where it lies ahead.
    @discardableResult
    public func record(_ kind: String, lead: Int64, fields: [(name: String, text: String)], at: String? = nil) throws
        -> Int64?
    {
        guard let declaration = kernel.kinds[kind], declaration.isActivity else {
            let activities = kernel.kinds.values.filter(\.isActivity).map(\.kind).sorted()
            throw KernelError.data(
                "'\(kind)' is no activity of this config.\(NearMiss.hint(kind, among: activities)) "
                    + (activities.isEmpty
                        ? "Declare it under activities:." : "There are: \(activities.joined(separator: ", "))."))
        }
        var body: [(key: String, value: JSONValue)] = []
        for (name, text) in fields where !text.isEmpty {
            guard !body.contains(where: { $0.key == name }) else {
                throw FieldProblem(field: name, message: "given more than once")
            }
            guard let field = declaration.fields.first(where: { $0.name == name }) else {
                throw FieldProblem(
                    field: name,
                    message: "not a field of \(kind).\(NearMiss.hint(name, among: declaration.fields.map(\.name)))")
            }
            body.append((name, JSONValue(try FieldValue.read(text, as: field.value, field: name))))
        }
        let json = JSONValue.object(body.sorted { $0.key < $1.key }).text()
        guard let at else {
            return try emit(kind, lead: lead, body: json)
        }
        guard let date = Timestamp.date(at) else {
            throw FieldProblem(field: "at", message: "expected a time such as 2026-01-31 14:00")
        }
        if date > now {
            try db.execute(
                sql: "INSERT INTO scheduled_events (owner, kind, lead_id, due_at, body) VALUES ('kernel', ?, ?, ?, ?)",
                arguments: [kind, lead, Timestamp.text(date), json])
            return nil
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body) SELECT ?, ?, cause_id, depth, origin, ?, ? FROM kernel_context
                """
        ).execute(arguments: [kind, lead, Timestamp.text(date), json])
        return db.lastInsertedRowID
    }
}
