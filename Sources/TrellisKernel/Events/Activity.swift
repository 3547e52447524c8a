import Foundation

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
        let body = try activityBody(kind, fields, NameMemory())
        guard let at else { return try emit(kind, lead: lead, body: body) }
        return try log(kind, lead: lead, body: body, at: try Transaction.moment(at))
    }

    /// The same, unless the log or the appointments have it: the same kind and fields of the same lead, or of one that
    /// it took in, at the same moment.
    ///
    /// - Parameter memory: one for all rows of an import.
    /// - Returns: whether it was new.
    func recordOnce(
        _ kind: String, lead: Int64, fields: [(name: String, text: String)], at: String?, memory: NameMemory
    ) throws -> Bool {
        let body = try activityBody(kind, fields, memory)
        guard let at else {
            try emit(kind, lead: lead, body: body)
            return true
        }
        let date = try Transaction.moment(at)
        let isKnown = try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM events WHERE lead_id IN (SELECT :lead UNION ALL SELECT gone_id FROM lead_merges WHERE kept_id = :lead)
                        AND +kind = :kind AND at = :at AND body = :body)
                    OR EXISTS (SELECT 1 FROM scheduled_events WHERE due_at = :at AND lead_id = :lead AND kind = :kind AND body = :body)
                    """),
            arguments: ["lead": lead, "kind": kind, "at": Timestamp.text(date), "body": body])
        if isKnown == true { return false }
        try log(kind, lead: lead, body: body, at: date)
        return true
    }

    private static func moment(_ text: String) throws -> Date {
        guard let date = Timestamp.date(text) else {
            throw FieldProblem(field: "at", message: "expected a time such as 2026-01-31 14:00")
        }
        return date
    }

    /// The declared fields as JSON, in the order of their names.
    private func activityBody(_ kind: String, _ fields: [(name: String, text: String)], _ memory: NameMemory) throws
        -> String
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
            try refuseMisspelt(text, field: name, of: kind, memory)
            body.append((name, JSONValue(try FieldValue.read(text, as: field.value, field: name))))
        }
        return JSONValue.object(body.sorted { $0.key < $1.key }).text()
    }

    /// A name that is one slip of a finger from one a plugin knows: a letter too many, too few or another, or two that
    /// changed places. One that differs by more may be a name of its own, as munich-talk beside zurich-talk; one that
    /// differs by its number is another edition; and one that the log has of anybody was taken before.
    private func refuseMisspelt(_ text: String, field: String, of kind: String, _ memory: NameMemory) throws {
        let names = kernel.plugins.flatMap { $0.activityNames[kind]?[field] ?? [] }
        // A kind that takes any name may log this one.
        if names.isEmpty { memory.forget(text, field: field) }
        guard !names.contains(text),
            let near = names.sorted().first(where: { NearMiss.distance(text, $0) == 1 }),
            near.filter({ !$0.isNumber }) != text.filter({ !$0.isNumber })
        else { return }
        let isKnown = try memory.answer(text, field: field) { try hasLogged(text, field: field) }
        guard !isKnown else { return }
        throw FieldProblem(
            field: field,
            message: "no such name. Did you mean '\(near)'? There are: \(names.sorted().joined(separator: ", ")).")
    }

    /// Reads all events of the kinds that have the field.
    private func hasLogged(_ text: String, field: String) throws -> Bool {
        let kinds = kernel.kinds.values.filter { $0.fields.contains { $0.name == field } }.map(\.kind)
        return try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM events WHERE kind IN (SELECT value FROM json_each(?)) AND json_extract(body, '$.' || ?) = ?)
                    """),
            arguments: [JSONValue.array(kinds.map(JSONValue.string)).text(), field, text]) == true
    }

    /// Logs what has happened, and makes an appointment for what lies ahead: nil then.
    @discardableResult
    private func log(_ kind: String, lead: Int64, body: String, at date: Date) throws -> Int64? {
        if date > now {
            try db.execute(
                sql: "INSERT INTO scheduled_events (owner, kind, lead_id, due_at, body) VALUES ('kernel', ?, ?, ?, ?)",
                arguments: [kind, lead, Timestamp.text(date), body])
            return nil
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body) SELECT ?, ?, cause_id, depth, origin, ?, ? FROM kernel_context
                """
        ).execute(arguments: [kind, lead, Timestamp.text(date), body])
        return db.lastInsertedRowID
    }
}

/// Which names the log has, as far as it was asked: a question reads many events, and the rows of an import ask the
/// same.
final class NameMemory {
    private struct Name: Hashable {
        let field: String
        let text: String
    }

    private var answers: [Name: Bool] = [:]

    func answer(_ text: String, field: String, _ ask: () throws -> Bool) rethrows -> Bool {
        let name = Name(field: field, text: text)
        if let answer = answers[name] { return answer }
        let answer = try ask()
        answers[name] = answer
        return answer
    }

    func forget(_ text: String, field: String) { answers[Name(field: field, text: text)] = nil }
}
