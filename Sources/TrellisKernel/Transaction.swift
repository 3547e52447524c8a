import Foundation

/// What a handler, a filter or a command holds while it writes. All it does through it commits, or none of it.
///
/// Not Sendable, because `Database` is not: the compiler forbids to carry it into a `Task`.
public struct Transaction {
    public let db: Database
    /// The instant of this transaction: the same for everything in it.
    public let now: Date
    /// ``now`` as the database writes it.
    public let stamp: String
    /// What the log calls whoever writes: `plugin:scoring`, `import:7`, `cli`.
    public let origin: String
    let kernel: Kernel

    /// Logs a fact, now. Its cause is the event that is being handled, if one is.
    @discardableResult
    public func emit<E: Event>(_ event: E, lead: Int64? = nil) throws -> Int64 {
        try emit(E.kind, lead: lead, body: body(of: event))
    }

    /// The fields of an event as the log keeps them.
    func body(of event: some Event) throws -> String {
        String(decoding: try JSONEncoder.sorted.encode(event), as: UTF8.self)
    }

    @discardableResult
    func emit(_ kind: String, lead: Int64?, body: String = "{}") throws -> Int64 {
        try db.cachedStatement(
            sql: """
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                SELECT ?, ?, cause_id, depth, origin, now, ? FROM kernel_context
                """
        ).execute(arguments: [kind, lead, body])
        return db.lastInsertedRowID
    }

    /// Logs a fact per row of a SELECT of `lead_id, cause_id, body`, in its order. `cause_id` is usually `batch.id`.
    public func emit(_ kind: String, forEach select: String, arguments: StatementArguments = [:]) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                SELECT :emitted_kind, fact.lead_id, fact.cause_id, coalesce(cause.depth + 1, 0), :origin, :now, fact.body
                FROM (\(select)) AS fact LEFT JOIN events AS cause ON cause.id = fact.cause_id
                """
        ).execute(arguments: arguments &+ ["emitted_kind": kind, "origin": origin, "now": stamp])
    }

    /// Makes an appointment: the fact moves to the log when it is due. The same key makes it once.
    public func emit<E: Event>(_ event: E, lead: Int64? = nil, at due: Date, key: String? = nil) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO scheduled_events (key, owner, kind, lead_id, cause_id, depth, due_at, body)
                SELECT ?, ?, ?, ?, cause_id, depth, ?, ? FROM kernel_context WHERE true
                ON CONFLICT (key) DO NOTHING
                """
        ).execute(arguments: [
            key, owner, E.kind, lead, Timestamp.text(due), try body(of: event),
        ])
    }

    /// An appointment per row of a SELECT of `key, due_at, lead_id, cause_id, body`.
    public func schedule(_ kind: String, forEach select: String, arguments: StatementArguments = [:]) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO scheduled_events (key, owner, kind, lead_id, cause_id, depth, due_at, body)
                SELECT fact.key, :owner, :emitted_kind, fact.lead_id, fact.cause_id, coalesce(cause.depth + 1, 0), fact.due_at, fact.body
                FROM (\(select)) AS fact LEFT JOIN events AS cause ON cause.id = fact.cause_id
                WHERE true ON CONFLICT (key) DO NOTHING
                """
        ).execute(arguments: arguments &+ ["owner": owner, "emitted_kind": kind])
    }

    /// Moves leads forward to a stage: those of `leads` (a SELECT of ids) that are at an earlier one. Never back, and
    /// never out of a side stage: who was disqualified or recycled returns by a decision, not by a rule.
    public func moveStage(to stage: String, leads select: String, arguments: StatementArguments = [:]) throws {
        try db.cachedStatement(
            sql: """
                UPDATE leads SET stage = :to_stage, updated_at = :now
                WHERE id IN (\(select))
                  AND (SELECT position FROM stages WHERE name = :to_stage)
                    > (SELECT position FROM stages WHERE name = leads.stage AND NOT is_side)
                """
        ).execute(arguments: arguments &+ ["to_stage": stage, "now": stamp])
    }

    /// The events of one kind in the batch as a relation with their fields and their lead's columns: see
    /// ``EventRelation``.
    public func relation(of kind: String) -> String {
        EventRelation(kernel.kinds[kind] ?? EventDeclaration(kind)).sql(from: "batch")
    }

    /// The kinds that the batch holds.
    public func kindsInBatch() throws -> Set<String> {
        Set(try String.fetchAll(db.cachedStatement(sql: "SELECT DISTINCT kind FROM temp.batch_ids")))
    }

    /// An empty temp table to work in: made the first time, emptied the next. Made only once, because whatever makes a
    /// table also makes the connection forget its prepared statements.
    ///
    /// - Parameter isByKey: whether its rows lie in the order of the primary key among the columns.
    public func scratchTable(_ name: String, columns: @autoclosure () -> String, isByKey: Bool = false) throws {
        let isThere = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE name = ?)"),
            arguments: [name])
        if isThere == true {
            try db.cachedStatement(sql: "DELETE FROM temp.\(name)").execute()
        } else {
            try db.execute(sql: "CREATE TEMP TABLE \(name) (\(columns()))\(isByKey ? " WITHOUT ROWID" : "")")
        }
    }

    /// The path of a file or a folder that the config names and that is written to: in a trial, in its own folder.
    public func path(_ name: String) -> String { kernel.config.outputPath(name) }

    /// Leads a draft past every filter; throws the ``Veto`` of the first that refuses.
    public func filter<D: Draft>(_ draft: inout D) throws {
        try kernel.hooks.filter(&draft, self)
    }

    /// Whether any plugin filters this kind of draft.
    public func hasFilters<D: Draft>(_ draft: D.Type) -> Bool {
        kernel.hooks.hasFilters(draft)
    }

    /// The same transaction under another name in the log, without a cause.
    func acting(as origin: String) throws -> Transaction {
        try KernelContext(origin: origin).enter(db, stamp: stamp)
        return Transaction(db: db, now: now, stamp: stamp, origin: origin, kernel: kernel)
    }

    /// What is written from here on names an event as its cause; with nil, none.
    func setCause(_ eventID: Int64?, depth: Int = 0) throws {
        var row = StagedRow(
            try db.cachedStatement(sql: "UPDATE kernel_context SET cause_id = ?, depth = ? WHERE id = 1"))
        row.append(eventID)
        row.append(Int64(depth))
        try row.write()
    }

    /// Runs statements that insert many leads or consents while the triggers that would log each stand back. The caller
    /// logs them, all with one statement: a trigger costs several times the row it logs.
    func loggingItself<T>(_ body: () throws -> T) throws -> T {
        let standBack = try db.cachedStatement(sql: "UPDATE kernel_context SET logs_itself = ?")
        try standBack.execute(arguments: [true])
        // Also after an error, which a handler may catch to go on.
        let result = Result { try body() }
        try standBack.execute(arguments: [false])
        return try result.get()
    }

    /// The plugin that acts, or the kernel.
    var owner: String {
        origin.hasPrefix("plugin:") ? String(origin.dropFirst(7)) : "kernel"
    }
}

/// Why a message is sent: decides what it needs before it may go.
public enum MessagePurpose: String, Sendable, CaseIterable {
    /// Needs consent, a postal address and a way out.
    case marketing
    /// What the lead asked for: needs only an address that is not dead.
    case transactional
    /// To somebody of the house, such as a rep.
    case `internal`
}

extension JSONEncoder {
    /// The same value gives the same bytes.
    static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }
}
