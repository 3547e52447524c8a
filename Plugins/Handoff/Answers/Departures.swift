import TrellisKernel

/// Leads that go, and leads whose rest is over.
struct Departures {
    let tx: Transaction

    /// Withdraws the handoffs of leads that are gone, and lets recycled leads come back.
    func handle() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET state = 'withdrawn', reason = 'the lead is gone'
                WHERE state IN ('queued', 'offered', 'escalated', 'accepted', 'expired')
                  AND lead_id IN (SELECT lead_id FROM batch WHERE kind IN ('lead.deleted', 'lead.erased', 'lead.merged'))
                """
        ).execute()
        try forget()
        // Somebody may have moved the lead meanwhile: only one that still rests comes back.
        try tx.emit(
            "lead.recycled",
            forEach: """
                SELECT b.lead_id, b.id AS cause_id, b.body FROM batch AS b JOIN leads AS l ON l.id = b.lead_id
                WHERE b.kind = 'handoff.recycle_due' AND l.stage = 'recycled'
                """)
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET stage = 'lead', updated_at = ?
                WHERE stage = 'recycled' AND id IN (SELECT lead_id FROM batch WHERE kind = 'handoff.recycle_due')
                """
        ).execute(arguments: [tx.stamp])
    }

    /// What a rep wrote in words of their own about a person who was erased is erased too.
    private func forget() throws {
        let erased = "lead_id IN (SELECT lead_id FROM batch WHERE kind = 'lead.erased')"
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_transitions SET reason = NULL
                WHERE \(erased) AND (
                    state = 'rejected' AND NOT (SELECT reason_is_code FROM handoff_handoffs AS h WHERE h.id = handoff_id)
                    OR state IN ('won', 'lost') AND NOT (SELECT outcome_is_code FROM handoff_handoffs AS h WHERE h.id = handoff_id))
                """
        ).execute()
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET
                    reason = CASE WHEN reason_is_code OR state = 'withdrawn' THEN reason END,
                    outcome_reason = CASE WHEN outcome_is_code THEN outcome_reason END
                WHERE \(erased)
                """
        ).execute()
    }
}
