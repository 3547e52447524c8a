import TrellisKernel

/// Conditions of a sequence (`where`, `when`) that fail on some events or leads, as one that reads JSON of what is
/// none. They count as not true there, and the sequence misses what happened; `drip_missed` says of which lead. All
/// other events are heard, by this sequence and the others.
struct MissedEvents {
    let edition: Edition
    let tx: Transaction

    /// So many events or leads that a condition fails on are looked for; where there are more, it counts as not true
    /// for all: nobody waits for a million tries.
    static let most = 1000

    /// The condition that asks a predicate of everybody.
    static let allLeads = "true"

    /// Lets a sequence hear the events of the batch. Where a condition fails, that is undone, and it hears those that
    /// can be asked about.
    ///
    /// - Parameter hear: does so with the conditions of the edition it gets.
    func passBy(_ kinds: Set<String>, _ hear: (Edition) throws -> Void) throws {
        let conditions = edition.conditions.filter { kinds.contains($0.kind) }
        guard !conditions.isEmpty else { return try hear(edition) }
        guard try tx.attempt({ try hear(edition) }) != nil else { return }
        try tx.scratchTable(
            "drip_unheard", columns: "condition TEXT, event_id INTEGER, PRIMARY KEY (condition, event_id)")
        var broken: Set<String> = []
        for condition in conditions where try !find(condition) { broken.insert(condition.sql) }
        // What fails even so is not for a condition, and is for the pump to deal with.
        try hear(
            edition.mapConditions { sql in
                if broken.contains(sql) { return "false" }
                let unheard = "SELECT event_id FROM temp.drip_unheard WHERE condition = \(sql.sqlLiteral)"
                return "CASE WHEN event_id IN (\(unheard)) THEN false ELSE (\(sql)\n) END"
            })
    }

    /// Finds the events that a condition fails on.
    ///
    /// - Returns: false where it fails on all, as on a table that is gone, or on more than are looked for.
    private func find(_ condition: Edition.Condition) throws -> Bool {
        let events = tx.relation(of: condition.kind)
        // Whoever is in the sequence misses a way out or on; whoever is not, only the way in.
        let isUnderWay =
            "EXISTS (SELECT 1 FROM drip_enrolments AS e WHERE e.lead_id = event_lead_id AND e.sequence = :sequence AND e.state = 'active')"
        let isConcerned = condition.isOfEntry ? "true" : isUnderWay
        let missed = "SELECT event_lead_id, max(event_id) FROM \(events) WHERE \(isConcerned)"
        let isOfPart = "event_id BETWEEN :first AND :last"
        // Whatever the order in which SQLite asks the terms of an AND, CASE keeps its own.
        let ask = """
            SELECT count(*) FROM \(events) WHERE \(isOfPart) AND CASE WHEN \(isOfPart) THEN (\(condition.sql)
            ) END
            """
        if let error = try tx.attempt({ _ = try tx.db.cachedStatement(sql: ask) }) {
            try note(condition.sql, error, "\(missed) GROUP BY event_lead_id")
            return false
        }
        let ids = try Int64.fetchAll(tx.db, sql: "SELECT event_id FROM \(events) ORDER BY event_id")
        return try tx.tryInHalves(ids, most: MissedEvents.most) { part in
            _ = try Int.fetchOne(
                tx.db.cachedStatement(sql: ask), arguments: ["first": part.lowerBound, "last": part.upperBound])
        } failed: { id, error in
            try tx.db.cachedStatement(sql: "INSERT OR IGNORE INTO temp.drip_unheard VALUES (?, ?)").execute(
                arguments: [condition.sql, id])
            try note(condition.sql, error, "\(missed) AND event_id = \(id) GROUP BY event_lead_id")
        }
    }

    /// Does what asks a predicate of leads. Where it fails on some of them, that is undone, and it counts as not true
    /// for those.
    ///
    /// - Parameters:
    ///   - leads: which of `leads` are asked.
    ///   - event: SQL over `leads` for the event because of which a lead is asked.
    ///   - ask: does so with a condition on `leads`.
    /// - Throws: where ``allLeads`` are asked, and the predicate fails on each, as on a table that is gone.
    func passBy(
        _ predicate: String, among leads: String, event: String, _ ask: (_ condition: String) throws -> Void
    ) throws {
        guard try tx.attempt({ try ask("(\(predicate)\n)") }) != nil else { return }
        let isOfPart = "\(leads) AND leads.id BETWEEN :first AND :last"
        let sql = """
            SELECT count(*) FROM leads WHERE \(isOfPart) AND CASE WHEN \(isOfPart) THEN (\(predicate)
            ) END
            """
        let missed = "SELECT leads.id, coalesce(\(event), 0) FROM leads WHERE \(leads)"
        if leads != MissedEvents.allLeads, let error = try tx.attempt({ _ = try tx.db.makeStatement(sql: sql) }) {
            try note(predicate, error, missed)
            return try ask("false")
        }
        let asked = try tx.db.makeStatement(sql: sql)
        try tx.scratchTable("drip_unasked", columns: "lead_id INTEGER PRIMARY KEY")
        let ids = try Int64.fetchAll(tx.db, sql: "SELECT leads.id FROM leads WHERE \(leads) ORDER BY leads.id")
        let isThrough = try tx.tryInHalves(ids, most: MissedEvents.most) { part in
            _ = try Int.fetchOne(asked, arguments: ["first": part.lowerBound, "last": part.upperBound])
        } failed: { id, error in
            try tx.db.cachedStatement(sql: "INSERT INTO temp.drip_unasked VALUES (?)").execute(arguments: [id])
            try note(predicate, error, "\(missed) AND leads.id = \(id)")
        }
        guard isThrough else { return try ask("false") }
        try ask("CASE WHEN leads.id IN (SELECT lead_id FROM temp.drip_unasked) THEN false ELSE (\(predicate)\n) END")
    }

    /// - Parameter select: of the leads and their events, over `:sequence`.
    private func note(_ condition: String, _ error: String, _ select: String) throws {
        try tx.db.execute(
            sql: """
                INSERT INTO drip_missed (sequence, condition, lead_id, event_id, error, missed_at)
                SELECT :sequence, :condition, missed.*, :error, :now FROM (\(select)) AS missed WHERE true
                ON CONFLICT DO UPDATE SET event_id = excluded.event_id, error = excluded.error, missed_at = excluded.missed_at
                """,
            arguments: [
                "sequence": edition.sequence.name, "condition": condition, "error": error, "now": tx.stamp,
            ])
    }

    /// Forgets what a sequence missed.
    ///
    /// - Returns: how many leads that concerned.
    static func forget(_ name: String, _ tx: Transaction) throws -> Int {
        let leads = try Int.fetchOne(
            tx.db, sql: "SELECT count(DISTINCT lead_id) FROM drip_missed WHERE sequence = ?", arguments: [name])
        try tx.db.execute(sql: "DELETE FROM drip_missed WHERE sequence = ?", arguments: [name])
        return leads ?? 0
    }
}

extension Edition {
    /// What is asked about an event.
    struct Condition {
        let kind: String
        /// Over the fields of the event and the columns of the lead.
        let sql: String
        /// Whether it lets leads in, and not out or on.
        let isOfEntry: Bool
    }

    var conditions: [Condition] {
        let settings = sequence.settings
        var conditions: [Condition] = []
        if let on = settings.enter.on, let sql = settings.enter.condition {
            conditions.append(Condition(kind: on.value, sql: sql.value, isOfEntry: true))
        }
        for exit in settings.exit {
            guard let sql = exit.condition else { continue }
            conditions.append(Condition(kind: exit.on.value, sql: sql.value, isOfEntry: false))
        }
        for operation in program.operations {
            guard case .waitFor(_, _, let sql?, _, _) = operation.act else { continue }
            conditions += operation.awaitedKinds.map { Condition(kind: $0, sql: sql, isOfEntry: false) }
        }
        return conditions
    }

    /// The same with other conditions.
    func mapConditions(_ transform: (String) -> String) -> Edition {
        Edition(
            sequence: sequence.mapConditions(transform), version: version,
            program: Program(
                operations: program.operations.map { operation in
                    guard case .waitFor(let kind, let others, let sql?, let seconds, let otherwise) = operation.act
                    else { return operation }
                    return Operation(
                        label: operation.label,
                        act: .waitFor(
                            kind: kind, others: others, condition: transform(sql), seconds: seconds,
                            otherwise: otherwise))
                }))
    }
}
