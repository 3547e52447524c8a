import Foundation
import TrellisKernel

/// Lets leads go for whom a sequence is over, with all it still had for them: mails that wait and tasks that are open.
struct Departure {
    let sequence: RunningSequence
    let tx: Transaction

    /// Events after which there is nobody to nurture.
    static let lostKinds = ["lead.deleted", "lead.erased", "lead.merged"]

    func end(_ kinds: Set<String>) throws {
        // Only events after the one that brought the lead in count.
        for ending in sequence.endings where kinds.contains(ending.kind) {
            try Departure.end(
                as: ending.state, because: ending.kind,
                forEach: """
                    SELECT e.id FROM (\(ending.events(tx))) AS ending
                    CROSS JOIN drip_enrolments AS e ON e.lead_id = ending.lead_id AND e.sequence = \(sequence.name.sqlLiteral)
                    WHERE e.state = 'active' AND e.event_id < ending_event
                    """, tx)
            try withdrawWhatIsLeft(after: ending)
        }
        if kinds.contains("drip.dismissed") {
            try Departure.end(
                as: "exited", because: "dismissed",
                forEach: """
                    SELECT e.id FROM batch AS b
                    CROSS JOIN drip_enrolments AS e ON e.lead_id = b.lead_id AND e.sequence = \(sequence.name.sqlLiteral)
                    WHERE b.kind = 'drip.dismissed' AND json_extract(b.body, '$.sequence') = e.sequence
                      AND e.state = 'active' AND e.event_id < b.id
                    """, tx)
        }
    }

    /// Who has run to the end may still have its last mail waiting for the morning, or a task that nobody needs now.
    private func withdrawWhatIsLeft(after ending: RunningSequence.Ending) throws {
        let completed = """
            FROM (\(ending.events(tx))) AS ending
            CROSS JOIN drip_enrolments AS e ON e.lead_id = ending.lead_id AND e.sequence = \(sequence.name.sqlLiteral)
            WHERE e.state = 'completed' AND e.event_id < ending_event
            """
        try tx.withdraw(
            because: "the sequence is over: \(ending.kind)",
            forEach: """
                SELECT e.lead_id, 'drip:' || e.sequence || ':' AS prefix, ':lead ' || e.lead_id || ':cycle ' || e.cycle AS suffix
                \(completed)
                """)
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_tasks SET state = 'withdrawn', closed_at = ?
                WHERE state = 'open' AND (lead_id, enrolment_id) IN (SELECT e.lead_id, e.id \(completed))
                """
        ).execute(arguments: [tx.stamp])
    }

    static func endForLostLeads(_ tx: Transaction) throws {
        let kinds = lostKinds.map(\.sqlLiteral).joined(separator: ", ")
        try end(
            as: "exited", because: "the lead is gone",
            forEach: """
                SELECT e.id FROM batch AS b CROSS JOIN drip_enrolments AS e ON e.lead_id = b.lead_id
                WHERE b.kind IN (\(kinds)) AND e.state = 'active'
                """, tx)
    }

    /// A merged lead that was in a sequence under both its ids goes on with what it began first.
    static func endForMergedLeads(_ tx: Transaction) throws {
        try end(
            as: "exited", because: "the lead was merged",
            forEach: """
                SELECT e.id FROM drip_enrolments AS e
                WHERE e.state = 'active' AND e.lead_id IN (SELECT json_extract(body, '$.into') FROM batch WHERE kind = 'lead.merged')
                  AND EXISTS (SELECT 1 FROM drip_enrolments AS first WHERE first.lead_id = e.lead_id
                              AND first.sequence = e.sequence AND first.state = 'active' AND first.id < e.id)
                """, tx)
    }

    /// Ends the enrolments whose ids a SELECT gives.
    static func end(as state: String, because reason: String, forEach select: String, _ tx: Transaction) throws {
        try tx.scratchTable("drip_ending", columns: "id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(sql: "INSERT OR IGNORE INTO temp.drip_ending \(select)").execute()
        guard tx.db.changesCount > 0 else { return }
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET state = :state, reason = :reason, due_at = NULL, resting_at = NULL, ended_at = :now
                WHERE id IN (SELECT id FROM temp.drip_ending)
                """
        ).execute(arguments: ["state": state, "reason": reason, "now": tx.stamp])
        try tx.withdraw(
            because: "the sequence is over: \(reason)",
            forEach: """
                SELECT lead_id, 'drip:' || sequence || ':' AS prefix, ':lead ' || lead_id || ':cycle ' || cycle AS suffix
                FROM drip_enrolments WHERE id IN (SELECT id FROM temp.drip_ending)
                """)
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_tasks SET state = 'withdrawn', closed_at = ?
                WHERE state = 'open' AND (lead_id, enrolment_id) IN (
                    SELECT lead_id, id FROM drip_enrolments WHERE id IN (SELECT id FROM temp.drip_ending))
                """
        ).execute(arguments: [tx.stamp])
    }
}
