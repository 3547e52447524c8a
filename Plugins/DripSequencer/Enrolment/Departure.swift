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
        try Departure.withdraw(
            forEach: """
                SELECT e.id FROM (\(ending.events(tx))) AS ending
                CROSS JOIN drip_enrolments AS e ON e.lead_id = ending.lead_id AND e.sequence = \(sequence.name.sqlLiteral)
                WHERE e.state = 'completed' AND e.event_id < ending_event
                """, because: ending.kind, tx)
    }

    static func endForLostLeads(_ tx: Transaction) throws {
        let kinds = lostKinds.map(\.sqlLiteral).joined(separator: ", ")
        try end(
            as: "exited", because: "the lead is gone",
            forEach: """
                SELECT e.id FROM batch AS b CROSS JOIN drip_enrolments AS e ON e.lead_id = b.lead_id
                WHERE b.kind IN (\(kinds)) AND e.state = 'active'
                """, tx)
        try tx.db.execute(
            sql: "DELETE FROM drip_missed WHERE lead_id IN (SELECT lead_id FROM batch WHERE kind IN (\(kinds)))")
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
                UPDATE drip_enrolments SET state = :state, reason = :reason, due_at = NULL, resting_at = NULL, ended_at = :now,
                    \(FailingSteps.none)
                WHERE id IN (SELECT id FROM temp.drip_ending)
                """
        ).execute(arguments: ["state": state, "reason": reason, "now": tx.stamp])
        try withdraw(forEach: "SELECT id FROM temp.drip_ending", because: reason, tx)
    }

    /// Takes back what waits for enrolments: their mails and calls of webhooks, and their tasks.
    private static func withdraw(forEach select: String, because reason: String, _ tx: Transaction) throws {
        try tx.withdraw(because: "the sequence is over: \(reason)", forEach: messages(of: select))
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_tasks SET state = 'withdrawn', closed_at = ?
                WHERE state = 'open' AND (lead_id, enrolment_id) IN (
                    SELECT coalesce(m.kept_id, e.lead_id), e.id FROM drip_enrolments AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
                    WHERE e.id IN (\(select)))
                """
        ).execute(arguments: [tx.stamp])
    }

    /// The messages of enrolments that may go yet, found by their lead as it is called now: where leads were merged,
    /// the key of a message still names the lead of then, and so may the enrolment. What tells whose it is, is the
    /// event that brought the lead in; where two leads came by the same one and became one lead, the key.
    static func messages(of select: String) -> String {
        """
        SELECT o.lead_id, o.key AS prefix, o.key AS suffix
        FROM (\(select)) AS ending CROSS JOIN drip_enrolments AS e ON e.id = ending.id LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
        CROSS JOIN outbox_messages AS o ON o.lead_id = coalesce(m.kept_id, e.lead_id)
        WHERE o.state IN (\(Transaction.unsettled)) AND o.cause_id = e.event_id AND substr(o.key, 1, length(e.sequence) + 6) = 'drip:' || e.sequence || ':'
          AND (substr(o.key, -length(':lead ' || e.lead_id || ':cycle ' || e.cycle)) = ':lead ' || e.lead_id || ':cycle ' || e.cycle
               OR NOT EXISTS (SELECT 1 FROM drip_enrolments AS twin WHERE twin.lead_id IN (e.lead_id, m.kept_id)
                              AND twin.sequence = e.sequence AND twin.event_id = e.event_id AND twin.id <> e.id))
        """
    }

    /// Why a lead left a sequence that is not in the config any more.
    static let removed = "sequence.removed"

    /// Lets those go who are in a sequence that the config has no more: nobody would take them on. Whoever is true of a
    /// predicate is forgotten too, so that a sequence of that name begins anew.
    ///
    /// - Parameter names: the sequences of the config.
    static func endForRemovedSequences(keeping names: [String], _ tx: Transaction) throws {
        let known = names.map(\.sqlLiteral).joined(separator: ", ")
        let gone = "SELECT id FROM drip_enrolments WHERE state = 'active' AND sequence NOT IN (\(known))"
        try tx.emit(
            "drip.dismissed",
            forEach: """
                SELECT lead_id, event_id AS cause_id, json_object('sequence', sequence) AS body FROM drip_enrolments
                WHERE id IN (\(gone)) ORDER BY id
                """)
        try end(as: "exited", because: removed, forEach: gone, tx)
        for table in ["drip_matches", "drip_watches", "drip_missed"] {
            try tx.db.execute(sql: "DELETE FROM \(table) WHERE sequence NOT IN (\(known))")
        }
    }
}
