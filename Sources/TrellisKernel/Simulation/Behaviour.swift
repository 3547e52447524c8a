import Foundation

/// Draws what people do in a trial, and does it when its time comes: all of it set-based, in tables of the copy.
struct Behaviour {
    private let kernel: Kernel
    private let luck: Luck
    private let rates: [Rates.Known]
    private let end: Date

    /// What simulated people do is told from what happened by this origin in the log.
    static let origin = "simulation"

    /// What was sent or offered so long ago may still be answered, in seconds.
    private static let memory = 14 * 86_400.0

    /// - Parameters:
    ///   - rates: of what is drawn; acts without a chance are left out.
    ///   - end: what would be later is not drawn.
    init(_ kernel: Kernel, luck: Luck, rates: [Rates.Known], until end: Date) throws {
        self.kernel = kernel
        self.luck = luck
        self.end = end
        self.rates = rates.filter { $0.rate.share > 0 }
        try kernel.write(origin: Behaviour.origin) { tx in
            luck.install(tx.db)
            try tx.db.execute(sql: Behaviour.schema)
            try tx.scratchTable("simulation_chances", columns: Behaviour.chanceColumns)
            try tx.scratchTable("simulated", columns: Behaviour.simulatedColumns)
            for known in self.rates where known.act.recurs {
                try sampleBodies(of: known.act, tx)
                try begin(known, tx)
            }
            try lookBack(tx)
        }
    }

    /// Mails and offers of the last days may be answered yet. What would have been before now was not.
    private func lookBack(_ tx: Transaction) throws {
        let acts = rates.filter { !$0.act.recurs }
        guard !acts.isEmpty else { return }
        let kinds = acts.map { $0.act.chance.kind.sqlLiteral }.joined(separator: ", ")
        let first = try Int64.fetchOne(
            tx.db, sql: "SELECT min(id) FROM events WHERE kind IN (\(kinds)) AND at >= ?",
            arguments: [Timestamp.text(tx.now - Behaviour.memory)])
        guard let first else { return }
        try gather(after: first - 1, through: try EventPump.lastEventID(tx.db), tx)
        for (index, known) in rates.enumerated() where !known.act.recurs {
            try draw(known, offset: offset(of: index), tx)
        }
        try tx.db.execute(sql: "DELETE FROM simulation_acts WHERE due_at <= ?", arguments: [tx.stamp])
    }

    private static let schema = """
        -- Something a simulated person is going to do: the event that gave the chance, and when.
        CREATE TABLE simulation_acts (
            id        INTEGER PRIMARY KEY,
            act       TEXT    NOT NULL,
            chance_id INTEGER NOT NULL,
            lead_id   INTEGER NOT NULL,
            subject   TEXT    NOT NULL,
            due_at    TEXT    NOT NULL,
            done_at   TEXT                                -- NULL until then
        ) STRICT;
        CREATE INDEX simulation_acts_due ON simulation_acts (due_at, act) WHERE done_at IS NULL;
        -- What activities of the log said, for those that are made up.
        CREATE TABLE simulation_bodies (kind TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, number)) STRICT, WITHOUT ROWID;
        -- How far the log was looked at for chances.
        CREATE TABLE simulation_looks (last_event_id INTEGER NOT NULL) STRICT;
        INSERT INTO simulation_looks SELECT coalesce(max(id), 0) FROM events;
        """

    private static let chanceColumns =
        "id INTEGER PRIMARY KEY, kind TEXT, lead_id INTEGER, at TEXT, body TEXT, subject TEXT"
    private static let simulatedColumns =
        "chance_id INTEGER, lead_id INTEGER, at TEXT, subject TEXT, luck INTEGER"

    // MARK: - Draws

    /// Looks at what was logged since the last time, and draws what people will make of it.
    func look() throws {
        guard !rates.isEmpty else { return }
        try kernel.write(origin: Behaviour.origin) { tx in
            let last = try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT last_event_id FROM simulation_looks")) ?? 0
            let newest = try EventPump.lastEventID(tx.db)
            guard newest > last else { return }
            try gather(after: last, through: newest, tx)
            for (index, known) in rates.enumerated() { try draw(known, offset: offset(of: index), tx) }
            try tx.db.cachedStatement(sql: "UPDATE simulation_looks SET last_event_id = ?").execute(arguments: [newest])
        }
    }

    /// The new events that give anybody a chance, each with what its draws are about.
    private func gather(after last: Int64, through newest: Int64, _ tx: Transaction) throws {
        try tx.db.cachedStatement(sql: "DELETE FROM temp.simulation_chances").execute()
        try tx.db.cachedStatement(sql: gathering).execute(arguments: ["last": last, "newest": newest])
    }

    private var gathering: String {
        var subjects: [(kind: String, sql: String)] = []
        for act in rates.map(\.act) where !subjects.contains(where: { $0.kind == act.chance.kind }) {
            subjects.append((act.chance.kind, act.chance.subject))
        }
        let cases = subjects.map { "WHEN \($0.kind.sqlLiteral) THEN (\($0.sql))" }.joined(separator: " ")
        let kinds = subjects.map { $0.kind.sqlLiteral }.joined(separator: ", ")
        return """
            INSERT INTO temp.simulation_chances
            SELECT chance.id, chance.kind, chance.lead_id, chance.at, chance.body, \(Behaviour.person("chance.lead_id")) || ':' || CASE chance.kind \(cases) END
            FROM events AS chance
            WHERE chance.id > :last AND chance.id <= :newest AND +chance.kind IN (\(kinds)) AND chance.lead_id IS NOT NULL
            """
    }

    /// A made-up lead is known by its number: another config may have refused one before it, and its row another id.
    private static func person(_ lead: String) -> String {
        "coalesce((SELECT 'new ' || number FROM simulation_leads AS n WHERE n.lead_id = \(lead)), \(lead))"
    }

    private func draw(_ known: Rates.Known, offset: Double, _ tx: Transaction) throws {
        let act = known.act
        guard !act.recurs else {
            return try insertGaps(known, from: "SELECT * FROM temp.simulation_chances WHERE kind = 'lead.created'", tx)
        }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO simulation_acts (act, chance_id, lead_id, subject, due_at)
                SELECT :act, chance.id, chance.lead_id, chance.subject, \(Behaviour.later("chance.at", "simulation_delay(chance.subject, :act, :after)"))
                FROM temp.simulation_chances AS chance
                WHERE chance.kind = :kind AND simulation_draw(chance.subject, :choice) < :high
                  AND (:low = 0 OR simulation_draw(chance.subject, :choice) >= :low) AND (\(act.condition)) ORDER BY chance.id
                """
        ).execute(arguments: [
            "act": act.name, "kind": act.chance.kind, "choice": act.choice ?? act.name, "low": offset,
            "high": offset + known.rate.share, "after": known.rate.after,
        ])
    }

    private static func later(_ time: String, _ seconds: String) -> String {
        "strftime('%Y-%m-%d %H:%M:%f', \(time), '+' || round(\(seconds), 3) || ' seconds')"
    }

    /// Where the share of an act begins among those it shares a draw with.
    private func offset(of index: Int) -> Double {
        guard let choice = rates[index].act.choice else { return 0 }
        return rates[..<index].filter { $0.act.choice == choice }.reduce(0) { $0 + $1.rate.share }
    }

    // MARK: - What recurs

    /// The first time of each lead there is; a lead that comes later begins with its event, and each time the next one
    /// is drawn: the gaps of a Poisson process.
    private func begin(_ known: Rates.Known, _ tx: Transaction) throws {
        try insertGaps(known, from: "SELECT 0 AS id, id AS lead_id, :now AS at, id || ':' AS subject FROM leads", tx)
    }

    private func insertGaps(_ known: Rates.Known, from select: String, _ tx: Transaction) throws {
        let mean = 30 * 86_400 / known.rate.share
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO simulation_acts (act, chance_id, lead_id, subject, due_at)
                SELECT :act, chance.id, chance.lead_id, chance.subject, \(Behaviour.later("chance.at", "simulation_delay(chance.subject, :act, :mean)"))
                FROM (\(select)) AS chance WHERE :now IS NOT NULL AND simulation_delay(chance.subject, :act, :mean) <= :most
                """
        ).execute(arguments: [
            "act": known.act.name, "mean": mean, "now": tx.stamp,
            "most": max(0, end.timeIntervalSince(tx.now)) + 86_400,
        ])
    }

    private func sampleBodies(of act: SimulatedAct, _ tx: Transaction) throws {
        try tx.db.execute(
            sql: """
                INSERT INTO simulation_bodies
                SELECT kind, row_number() OVER (ORDER BY id) - 1, body
                FROM (SELECT id, kind, body FROM events WHERE kind = ? ORDER BY id DESC LIMIT 200)
                """, arguments: [act.name])
    }

    // MARK: - Acts

    /// When somebody does something next; nil where nobody does.
    func nextDue() throws -> Date? {
        try kernel.read { db in
            try String.fetchOne(
                db.cachedStatement(
                    sql: "SELECT due_at FROM simulation_acts WHERE done_at IS NULL ORDER BY due_at LIMIT 1")
            ).flatMap { Timestamp.date($0) }
        }
    }

    /// Does what is due.
    func act() throws {
        try kernel.write(origin: Behaviour.origin) { tx in
            let due = Set(
                try String.fetchAll(
                    tx.db.cachedStatement(
                        sql: "SELECT DISTINCT act FROM simulation_acts WHERE done_at IS NULL AND due_at <= ?"),
                    arguments: [tx.stamp]))
            for known in rates where due.contains(known.act.name) {
                let act = known.act
                try tx.db.cachedStatement(sql: "DELETE FROM temp.simulated").execute()
                try tx.db.cachedStatement(
                    sql: """
                        INSERT INTO temp.simulated
                        SELECT chance_id, lead_id, due_at, subject, simulation_bits(subject, act) FROM simulation_acts
                        WHERE done_at IS NULL AND due_at <= :now AND act = :act ORDER BY due_at, id
                        """
                ).execute(arguments: ["now": tx.stamp, "act": act.name])
                try act.perform(tx)
                try tx.db.cachedStatement(
                    sql:
                        "UPDATE simulation_acts SET done_at = :now WHERE done_at IS NULL AND due_at <= :now AND act = :act"
                ).execute(arguments: ["now": tx.stamp, "act": act.name])
                guard act.recurs else { continue }
                try insertGaps(
                    known, from: "SELECT chance_id AS id, lead_id, at, subject || '+' AS subject FROM temp.simulated",
                    tx)
            }
        }
    }
}
