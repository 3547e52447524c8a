import TrellisKernel

/// Marketing is silent while somebody of the house has the lead, and while it rests. What the handoff itself began,
/// such as a sequence in the name of the rep, goes on.
struct Pause: Sendable {
    func ask(_ draft: MessageDraft, _ tx: Transaction) throws {
        guard draft.purpose == .marketing, let lead = draft.leadID else { return }
        let reason = try String.fetchOne(
            tx.db.cachedStatement(
                sql: """
                    SELECT CASE state WHEN 'recycled' THEN 'the lead rests' ELSE 'a rep has the lead' END FROM handoff_handoffs
                    WHERE lead_id = :lead AND (
                        state = 'accepted' OR state = 'escalated' AND accepted_at IS NOT NULL OR state = 'converted' AND outcome IS NULL
                        OR state = 'recycled' AND rests_until > :now)
                      AND NOT EXISTS (
                        SELECT 1 FROM outbox_messages AS m JOIN events AS e ON e.id = m.cause_id WHERE m.id = :message AND e.kind GLOB 'handoff.*')
                    """), arguments: ["lead": lead, "now": tx.stamp, "message": draft.messageID])
        if let reason { throw Veto(reason) }
    }
}
