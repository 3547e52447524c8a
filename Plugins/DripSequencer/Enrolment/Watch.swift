import Foundation
import TrellisKernel

/// `enter: {when: …}`: who becomes true enters; who was true when the sequence was first looked at does not.
struct Watch {
    let edition: Edition
    let sequences: [RunningSequence]
    let predicate: String
    let tx: Transaction

    private var name: String { edition.sequence.name }
    private var missed: MissedEvents { MissedEvents(edition: edition, tx: tx) }

    func look(_ kinds: Set<String>) throws {
        guard try isBegun() else { return try begin() }
        if kinds.contains("drip.recheck"), try isDue() {
            return try look(among: MissedEvents.allLeads, scope: "true", event: "(SELECT max(id) FROM batch)", kinds)
        }
        let asked = Entrance.watchedKinds.dropLast().filter(kinds.contains)
        guard !asked.isEmpty else { return }
        let list = asked.map(\.sqlLiteral).joined(separator: ", ")
        let changed = "SELECT lead_id FROM batch WHERE kind IN (\(list))"
        try look(
            among: "leads.id IN (\(changed))", scope: "lead_id IN (\(changed))",
            event: "(SELECT max(id) FROM batch WHERE batch.lead_id = leads.id AND kind IN (\(list)))", kinds)
    }

    /// - Parameters:
    ///   - condition: which leads are asked.
    ///   - scope: the same for `drip_matches`, leads among them that are gone.
    private func look(among condition: String, scope: String, event: String, _ kinds: Set<String>) throws {
        try tx.scratchTable("drip_matching", columns: "event_lead_id INTEGER PRIMARY KEY, event_id INTEGER")
        try missed.passBy(predicate, among: condition, event: event) { holds in
            try tx.db.cachedStatement(
                sql:
                    "INSERT INTO temp.drip_matching SELECT leads.id, \(event) FROM leads WHERE \(condition) AND \(holds)"
            ).execute()
        }
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM drip_matches WHERE sequence = ? AND \(scope)
                  AND NOT EXISTS (SELECT 1 FROM temp.drip_matching WHERE event_lead_id = drip_matches.lead_id)
                """
        ).execute(arguments: [name])
        try Entrance(edition: edition, sequences: sequences, tx: tx).enrol(
            from: """
                SELECT event_id, event_lead_id FROM temp.drip_matching
                WHERE NOT EXISTS (SELECT 1 FROM drip_matches AS known
                                  WHERE known.sequence = :sequence AND known.lead_id = drip_matching.event_lead_id)
                """, kinds)
        try tx.db.cachedStatement(
            sql:
                "INSERT INTO drip_matches SELECT ?, event_lead_id FROM temp.drip_matching WHERE true ON CONFLICT DO NOTHING"
        ).execute(arguments: [name])
    }

    private func isBegun() throws -> Bool {
        try String.fetchOne(
            tx.db.cachedStatement(sql: "SELECT predicate FROM drip_watches WHERE sequence = ?"), arguments: [name])
            == predicate
    }

    /// Notes who matches now. A predicate that was changed begins anew: who matches it already has been there before.
    func begin() throws {
        try Watch.appoint(edition.sequence, tx)
        guard try !isBegun() else { return }
        try tx.db.execute(sql: "DELETE FROM drip_matches WHERE sequence = ?", arguments: [name])
        try missed.passBy(predicate, among: MissedEvents.allLeads, event: "(SELECT max(id) FROM events)") { holds in
            try tx.db.execute(
                sql: "INSERT INTO drip_matches SELECT ?, leads.id FROM leads WHERE \(holds)", arguments: [name])
        }
        try tx.db.execute(
            sql: """
                INSERT INTO drip_watches (sequence, predicate, at) VALUES (:name, :predicate, :now)
                ON CONFLICT (sequence) DO UPDATE SET predicate = excluded.predicate, at = excluded.at
                """, arguments: ["name": name, "predicate": predicate, "now": tx.stamp])
    }

    private func isDue() throws -> Bool { try Watch.isDue(name, tx) }

    private static func isDue(_ name: String, _ tx: Transaction) throws -> Bool {
        try Bool.fetchOne(
            tx.db,
            sql:
                "SELECT EXISTS (SELECT 1 FROM batch WHERE kind = 'drip.recheck' AND json_extract(body, '$.sequence') = ?)",
            arguments: [name]) ?? false
    }

    /// The next look at all leads, of each sequence that is looked at in this batch.
    static func appointNext(_ sequences: [RunningSequence], _ tx: Transaction) throws {
        for sequence in sequences where sequence.settings.enter.when != nil {
            if try isDue(sequence.name, tx) { try appoint(sequence, tx) }
        }
    }

    /// One that is made already stays as it is.
    private static func appoint(_ sequence: RunningSequence, _ tx: Transaction) throws {
        let due = tx.now + Double(max(60, sequence.settings.enter.recheck.seconds))
        try tx.schedule(
            "drip.recheck",
            forEach: """
                SELECT 'drip.recheck ' || :name AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id, json_object('sequence', :name) AS body
                """, arguments: ["name": sequence.name, "due": Timestamp.text(due)])
    }
}
