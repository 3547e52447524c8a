import TrellisKernel

/// What becomes of converted leads: won and lost come back from the opportunities, whoever closes them.
struct Outcomes {
    let settings: HandoffSettings
    let tx: Transaction

    /// Opportunities of the batch that were closed or opened again, and leads that were converted elsewhere.
    func learn() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET state = 'converted', opportunity_id = converted.opportunity_id
                FROM (SELECT lead_id, max(body ->> 'opportunity_id') AS opportunity_id FROM batch WHERE kind = 'lead.converted' GROUP BY lead_id) AS converted
                WHERE converted.lead_id = handoff_handoffs.lead_id AND state IN ('queued', 'offered', 'escalated', 'accepted')
                """
        ).execute()
        let closed = """
            opportunity_id IN (SELECT body ->> 'opportunity_id' FROM batch WHERE kind GLOB 'opportunity.*' OR kind = 'lead.converted')
            """
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET outcome = CASE WHEN o.stage IN ('won', 'lost') THEN o.stage END
                FROM opportunities AS o WHERE o.id = handoff_handoffs.opportunity_id AND \(closed)
                  AND state = 'converted' AND outcome IS NOT CASE WHEN o.stage IN ('won', 'lost') THEN o.stage END
                """
        ).execute()
        try follow(closed)
    }

    /// The stage of the lead: a customer, or back to marketing.
    ///
    /// - Parameter condition: over `handoff_handoffs`.
    func follow(_ condition: String) throws {
        let isStage = try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM stages WHERE name = 'customer')"))
        if isStage == true {
            try tx.moveStage(
                to: "customer",
                leads:
                    "SELECT lead_id FROM handoff_handoffs WHERE \(condition) AND state = 'converted' AND outcome = 'won'"
            )
        }
        guard let recycle = settings.afterLoss else { return }
        let lost = "\(condition) AND state = 'converted' AND outcome = 'lost'"
        let handoffs = try Int64.fetchAll(tx.db, sql: "SELECT id FROM handoff_handoffs WHERE \(lost)")
        guard !handoffs.isEmpty else { return }
        try Answers(settings: settings, tx: tx).giveBack(handoffs, resting: recycle, isLoss: true)
    }
}
