import TrellisKernel

/// The other sequences of a group: a lead is in one of them at a time. The one of higher priority takes a lead over;
/// otherwise who comes second stays out, and the log says so.
struct Rivals {
    private let sequence: RunningSequence
    private let stronger: [String]
    private let weaker: [String]

    init(of sequence: RunningSequence, among sequences: [RunningSequence]) {
        self.sequence = sequence
        let own = sequence.settings.priority
        let others = sequences.filter {
            $0.settings.group != nil && $0.settings.group == sequence.settings.group && $0.name != sequence.name
        }
        stronger = others.filter { $0.settings.priority >= own }.map(\.name.sqlLiteral)
        weaker = others.filter { $0.settings.priority < own }.map(\.name.sqlLiteral)
    }

    var isEmpty: Bool { stronger.isEmpty && weaker.isEmpty }

    /// Takes those out of `temp.drip_coming` who are in a sequence that does not stand aside.
    func keepOut(_ tx: Transaction) throws {
        guard !stronger.isEmpty else { return }
        let held = """
            FROM drip_enrolments AS held WHERE held.lead_id = drip_coming.event_lead_id AND held.state = 'active'
            AND held.sequence IN (\(stronger.joined(separator: ", ")))
            """
        try tx.emit(
            "drip.kept_out",
            forEach: """
                SELECT event_lead_id AS lead_id, event_id AS cause_id,
                       json_object('sequence', \(sequence.name.sqlLiteral), 'by', (SELECT held.sequence \(held))) AS body
                FROM temp.drip_coming WHERE EXISTS (SELECT 1 \(held))
                """)
        try tx.db.cachedStatement(sql: "DELETE FROM temp.drip_coming WHERE EXISTS (SELECT 1 \(held))").execute()
    }

    /// The sequence that keeps a lead out, where it is in one.
    func strongerSequence(of lead: Int64, _ db: Database) throws -> String? {
        try names(among: stronger, of: lead, db).first
    }

    /// The sequences that a lead leaves when it comes in here.
    func weakerSequences(of lead: Int64, _ db: Database) throws -> [String] { try names(among: weaker, of: lead, db) }

    private func names(among names: [String], of lead: Int64, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT sequence FROM drip_enrolments
                WHERE lead_id = ? AND state = 'active' AND sequence IN (\(names.joined(separator: ", "))) ORDER BY sequence
                """, arguments: [lead])
    }

    /// Lets those go from the weaker sequences who have just come in here.
    func takeOver(_ tx: Transaction) throws {
        guard !weaker.isEmpty else { return }
        try Departure.end(
            as: "exited", because: "\(sequence.name) took over",
            forEach: """
                SELECT weak.id FROM temp.drip_coming AS c
                CROSS JOIN drip_enrolments AS new ON new.lead_id = c.event_lead_id AND new.sequence = \(sequence.name.sqlLiteral)
                    AND new.state = 'active' AND new.event_id = c.event_id
                CROSS JOIN drip_enrolments AS weak ON weak.lead_id = c.event_lead_id AND weak.state = 'active'
                    AND weak.sequence IN (\(weaker.joined(separator: ", ")))
                """, tx)
    }
}
