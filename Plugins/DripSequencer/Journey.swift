import Foundation
import TrellisKernel

/// Brings the leads of a batch into a sequence, and lets those go for whom it is over.
struct Journey {
    let sequence: RunningSequence
    let tx: Transaction

    /// Events after which there is nobody to nurture.
    static let lostKinds = ["lead.deleted", "lead.erased", "lead.merged"]

    /// A lead enters at its first fitting event of the batch, when the rule of re-entry lets it.
    func enrol(_ kinds: Set<String>) throws {
        let entry = sequence.settings.enter
        if kinds.contains(entry.on.value) {
            let condition = entry.condition.map { "(\($0.value)\n)" } ?? "true"
            try enrol(
                from: "SELECT event_id, event_lead_id FROM \(tx.relation(of: entry.on.value)) WHERE \(condition)", kinds
            )
        }
        if kinds.contains("lead.recycled") {
            try enrol(
                from: """
                    SELECT id AS event_id, lead_id AS event_lead_id FROM batch
                    WHERE kind = 'lead.recycled' AND json_extract(body, '$.into') = \(sequence.name.sqlLiteral)
                    """, kinds)
        }
    }

    private func enrol(from coming: String, _ kinds: Set<String>) throws {
        let events = endingKinds.isDisjoint(with: kinds) ? coming : afterTheEnd(coming)
        let mayEnter: String
        let (step, wait) = sequence.program.entry
        let due = Timestamp.text(tx.now + Double(wait?.seconds ?? 0))
        var arguments: StatementArguments = ["sequence": sequence.name, "now": tx.stamp, "due": due, "step": step]
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
                INSERT INTO drip_enrolments (lead_id, sequence, cycle, step, due_at, event_id, entered_at)
                SELECT entering_lead, :sequence, coalesce(last_cycle, 0) + 1, :step, :due, entering_event, :now
                FROM (
                    SELECT entering_lead, entering_event, max(past.cycle) AS last_cycle, coalesce(max(past.state = 'active'), 0) AS is_active,
                           max(past.entered_at) AS last_entered
                    FROM (SELECT event_lead_id AS entering_lead, min(event_id) AS entering_event FROM (\(events)) GROUP BY event_lead_id) AS entering
                    LEFT JOIN drip_enrolments AS past ON past.lead_id = entering_lead AND past.sequence = :sequence
                    GROUP BY entering_lead)
                WHERE \(mayEnter)
                """
        ).execute(arguments: arguments)
        if wait != nil, tx.db.changesCount > 0 { try Tick.appoint(at: due, key: "drip.due \(due)", tx) }
    }

    private var endingKinds: Set<String> {
        Set(sequence.settings.exit.map(\.value) + (sequence.settings.goal.map { [$0.value] } ?? []))
    }

    /// Of a lead that was let go in this batch, only what came after the event that ended it: before it, the lead was
    /// still in it.
    private func afterTheEnd(_ coming: String) -> String {
        """
        SELECT event_id, event_lead_id FROM (\(coming)) AS came LEFT JOIN (
            SELECT ending.lead_id AS gone_lead, max(ending.id) AS ending_event
            FROM batch AS ending JOIN drip_enrolments AS gone ON gone.lead_id = ending.lead_id AND gone.reason = ending.kind
            WHERE gone.sequence = :sequence AND gone.state IN ('exited', 'goal') AND gone.ended_at = :now
            GROUP BY ending.lead_id
        ) ON gone_lead = came.event_lead_id
        WHERE event_id > coalesce(ending_event, 0)
        """
    }

    /// The goal first: an event that is both ends the sequence as a success.
    func end(_ kinds: Set<String>) throws {
        if let goal = sequence.settings.goal, kinds.contains(goal.value) { try end(after: goal.value, as: "goal") }
        for kind in sequence.settings.exit where kinds.contains(kind.value) { try end(after: kind.value, as: "exited") }
    }

    /// Only events after the one that brought the lead in count.
    private func end(after kind: String, as state: String) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET state = :state, reason = :kind, due_at = NULL, ended_at = :now
                FROM (SELECT lead_id AS ending_lead, max(id) AS ending_event FROM batch WHERE kind = :kind GROUP BY lead_id)
                WHERE state = 'active' AND sequence = :sequence AND lead_id = ending_lead AND event_id < ending_event
                """
        ).execute(arguments: ["state": state, "kind": kind, "now": tx.stamp, "sequence": sequence.name])
    }

    static func endForLostLeads(_ tx: Transaction) throws {
        let kinds = lostKinds.map(\.sqlLiteral).joined(separator: ", ")
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET state = 'exited', reason = 'the lead is gone', due_at = NULL, ended_at = :now
                WHERE state = 'active' AND lead_id IN (SELECT lead_id FROM batch WHERE kind IN (\(kinds)))
                """
        ).execute(arguments: ["now": tx.stamp])
    }

    /// A merged lead that was in a sequence under both its ids goes on with what it began first.
    static func endForMergedLeads(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET state = 'exited', reason = 'the lead was merged', due_at = NULL, ended_at = :now
                WHERE state = 'active' AND lead_id IN (SELECT json_extract(body, '$.into') FROM batch WHERE kind = 'lead.merged')
                  AND EXISTS (SELECT 1 FROM drip_enrolments AS first WHERE first.lead_id = drip_enrolments.lead_id
                              AND first.sequence = drip_enrolments.sequence AND first.state = 'active' AND first.id < drip_enrolments.id)
                """
        ).execute(arguments: ["now": tx.stamp])
    }
}
