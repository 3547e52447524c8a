import Foundation
import TrellisKernel

/// Brings leads into a sequence.
struct Entrance {
    let edition: Edition
    /// All sequences there are: some stand aside for others.
    let sequences: [RunningSequence]
    let tx: Transaction

    private var sequence: RunningSequence { edition.sequence }

    /// What a predicate over the lead is asked again after.
    static let watchedKinds = ["lead.created", "lead.updated", "lead.stage_changed", "lead.restored", "drip.recheck"]
    /// Facts that bring a lead into the sequence they name, whatever its entry says.
    static let invitations = [("lead.recycled", "into"), ("drip.invited", "sequence")]

    /// Whoever was to come into a sequence that the config does not have is kept out of it, and the log says so:
    /// another plugin may name one that nobody could look up.
    static func keepOutOfUnknown(_ names: [String], _ kinds: Set<String>, _ tx: Transaction) throws {
        for (kind, field) in invitations where kinds.contains(kind) {
            try tx.emit(
                "drip.kept_out",
                forEach: """
                    SELECT lead_id, id AS cause_id, json_object('sequence', json_extract(body, '$.\(field)'), 'by', 'config') AS body FROM batch
                    WHERE kind = '\(kind)' AND lead_id IS NOT NULL
                      AND json_extract(body, '$.\(field)') NOT IN (\(names.map(\.sqlLiteral).joined(separator: ", ")))
                    """)
        }
    }

    /// A lead enters at its first fitting event of the batch, when the rule of re-entry lets it.
    func enrol(_ kinds: Set<String>) throws {
        let entry = sequence.settings.enter
        if let on = entry.on, kinds.contains(on.value) {
            let condition = entry.condition.map { "(\($0.value)\n)" } ?? "true"
            try enrol(
                from: "SELECT event_id, event_lead_id FROM \(tx.relation(of: on.value)) WHERE \(condition)", kinds)
        }
        if let predicate = entry.when {
            try Watch(edition: edition, sequences: sequences, predicate: predicate.value, tx: tx).look(kinds)
        }
        for (kind, field) in Entrance.invitations where kinds.contains(kind) {
            try enrol(
                from: """
                    SELECT id AS event_id, lead_id AS event_lead_id FROM batch
                    WHERE kind = '\(kind)' AND lead_id IS NOT NULL AND json_extract(body, '$.\(field)') = \(sequence.name.sqlLiteral)
                    """, kinds)
        }
    }

    /// - Parameter coming: a SELECT of `event_id, event_lead_id`.
    func enrol(from coming: String, _ kinds: Set<String>) throws {
        let endings = sequence.endings.filter { kinds.contains($0.kind) }
        let isEnding = !endings.isEmpty
        var events = isEnding ? after(endings, coming) : coming
        let rivals = Rivals(of: sequence, among: sequences)
        if !rivals.isEmpty {
            try tx.scratchTable("drip_coming", columns: "event_lead_id INTEGER PRIMARY KEY, event_id INTEGER")
            try tx.db.cachedStatement(
                sql:
                    "INSERT INTO temp.drip_coming SELECT event_lead_id, min(event_id) FROM (\(events)) GROUP BY event_lead_id"
            ).execute(
                arguments: isEnding || events.contains(":sequence")
                    ? ["sequence": sequence.name, "now": tx.stamp] : [:])
            try rivals.keepOut(tx)
            events = "SELECT event_id, event_lead_id FROM temp.drip_coming"
        }
        let (step, wait) = edition.program.entry
        let due = Timestamp.text(tx.now + Double(wait?.seconds ?? 0))
        var arguments: StatementArguments = ["sequence": sequence.name, "now": tx.stamp, "due": due, "step": step]
        let mayEnter: String
        switch sequence.settings.reentry {
        case .never: mayEnter = "last_cycle IS NULL"
        case .eachTime: mayEnter = "last_cycle IS NULL OR NOT is_active"
        case .after(let span):
            mayEnter = "last_cycle IS NULL OR (NOT is_active AND last_entered <= :before)"
            arguments += ["before": Timestamp.text(tx.now - Double(span.seconds))]
        }
        // A lead that was never here, which is the usual case, costs one look-up.
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO drip_enrolments (lead_id, sequence, cycle, step, due_at, event_id, entered_at, version, first_version, resting_at, arrived_at)
                SELECT entering_lead, :sequence, coalesce(last_cycle, 0) + 1, :step, :due, entering_event, :now,
                       \(edition.version), \(edition.version), \(wait == nil ? "NULL" : "0"), :now
                FROM (
                    SELECT entering_lead, entering_event, max(past.cycle) AS last_cycle, coalesce(max(past.state = 'active'), 0) AS is_active,
                           max(past.entered_at) AS last_entered
                    FROM (SELECT event_lead_id AS entering_lead, min(event_id) AS entering_event FROM (\(events)) GROUP BY event_lead_id) AS entering
                    LEFT JOIN drip_enrolments AS past ON past.lead_id = entering_lead AND past.sequence = :sequence
                    GROUP BY entering_lead)
                WHERE \(mayEnter)
                """
        ).execute(arguments: arguments)
        guard tx.db.changesCount > 0 else { return }
        if wait != nil { try Tick.appoint(at: due, key: "drip.due \(due)", tx) }
        if !rivals.isEmpty { try rivals.takeOver(tx) }
    }

    /// Of a lead that was let go in this batch, only what came after the event that ended it: before it, the lead was
    /// still in it.
    private func after(_ endings: [RunningSequence.Ending], _ coming: String) -> String {
        let ends = endings.map { "SELECT lead_id, ending_event, \($0.kind.sqlLiteral) AS kind FROM (\($0.events(tx)))" }
        return """
            SELECT event_id, event_lead_id FROM (\(coming)) AS came LEFT JOIN (
                SELECT ending.lead_id AS gone_lead, max(ending_event) AS last_end
                FROM (\(ends.joined(separator: " UNION ALL "))) AS ending
                JOIN drip_enrolments AS gone ON gone.lead_id = ending.lead_id AND gone.reason = ending.kind
                WHERE gone.sequence = :sequence AND gone.state IN ('exited', 'goal') AND gone.ended_at = :now
                GROUP BY ending.lead_id
            ) ON gone_lead = came.event_lead_id
            WHERE event_id > coalesce(last_end, 0)
            """
    }
}
