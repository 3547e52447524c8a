import TrellisKernel

/// The first contact with a lead that a rep has: what stops the second clock.
struct Contacts {
    let tx: Transaction

    /// From the events of the batch that say so.
    func learn() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET contacted_at = talk.at
                FROM (SELECT lead_id, min(at) AS at FROM batch WHERE lead_id IS NOT NULL GROUP BY lead_id) AS talk
                WHERE talk.lead_id = handoff_handoffs.lead_id AND state IN ('offered', 'escalated', 'accepted')
                  AND contacted_at IS NULL AND talk.at >= (SELECT at FROM events WHERE events.id = handoff_handoffs.event_id)
                """
        ).execute()
        try settle("lead_id IN (SELECT lead_id FROM batch)")
    }

    /// - Parameters:
    ///   - condition: over `handoff_handoffs`.
    ///   - at: SQL that gives the moment.
    func note(_ condition: String, at: String) throws {
        try tx.db.execute(
            sql: "UPDATE handoff_handoffs SET contacted_at = \(at) WHERE \(condition) AND contacted_at IS NULL")
        try settle(condition)
    }

    /// What was escalated for want of a contact is in order again.
    private func settle(_ condition: String) throws {
        try tx.db.execute(
            sql: """
                UPDATE handoff_handoffs SET state = 'accepted'
                WHERE \(condition) AND state = 'escalated' AND accepted_at IS NOT NULL AND contacted_at IS NOT NULL
                """)
    }
}
