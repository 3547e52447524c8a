import TrellisKernel

/// Keeps when each lead was handed to sales and what sales did, from the facts in the log.
struct HandoffRoll {
    let tx: Transaction

    static let kinds = [
        "handoff.offered", "handoff.queued", "handoff.accepted", "handoff.rejected", "handoff.expired",
        "lead.contacted",
    ]

    func keep(_ kinds: Set<String>) throws {
        guard !kinds.isDisjoint(with: HandoffRoll.kinds) else { return }
        // Out of the sums, changed, and in again.
        try count(-1)
        if !kinds.isDisjoint(with: HandoffRoll.kinds.dropLast()) {
            try follow()
            try followOffers()
        }
        if kinds.contains("lead.contacted") { try noteContacts() }
        try time()
        try count(1)
        try tx.db.cachedStatement(
            sql: "DELETE FROM figures_answer_bands INDEXED BY figures_answer_bands_empty WHERE handoffs = 0"
        ).execute()
    }

    /// One event after the other: what came first counts of an acceptance, what came last of a refusal.
    private func follow() throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO figures_handoffs (lead, cycle, rep, event_id, offered_at, accepted_at, rejected_at, reason, expired_at)
                SELECT lead_id, json_extract(body, '$.cycle'), json_extract(body, '$.rep'), id, at, CASE kind WHEN 'handoff.accepted' THEN at END,
                       CASE kind WHEN 'handoff.rejected' THEN at END, json_extract(body, '$.reason'),
                       CASE kind WHEN 'handoff.expired' THEN at END
                FROM batch
                WHERE kind IN ('handoff.offered', 'handoff.queued', 'handoff.accepted', 'handoff.rejected', 'handoff.expired')
                  AND lead_id IS NOT NULL AND json_extract(body, '$.cycle') IS NOT NULL
                ORDER BY id
                ON CONFLICT (lead, cycle) DO UPDATE SET
                    rep = coalesce(excluded.rep, rep), accepted_at = coalesce(accepted_at, excluded.accepted_at),
                    rejected_at = coalesce(excluded.rejected_at, rejected_at), reason = coalesce(excluded.reason, reason),
                    expired_at = coalesce(excluded.expired_at, expired_at)
                """
        ).execute()
    }

    /// Who takes a lead over without being asked was offered it then.
    private func followOffers() throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO figures_offers (lead, cycle, offer, rep, event_id, offered_at, accepted_at)
                SELECT lead_id, json_extract(body, '$.cycle'), coalesce(json_extract(body, '$.offer'), 1), json_extract(body, '$.rep'), id, at,
                       CASE kind WHEN 'handoff.accepted' THEN at END
                FROM batch
                WHERE kind IN ('handoff.offered', 'handoff.accepted')
                  AND lead_id IS NOT NULL AND json_extract(body, '$.cycle') IS NOT NULL AND json_extract(body, '$.rep') IS NOT NULL
                ORDER BY id
                ON CONFLICT (lead, cycle, offer) DO UPDATE SET accepted_at = coalesce(accepted_at, excluded.accepted_at)
                """
        ).execute()
    }

    /// The first word after a handoff belongs to the last handoff before it, and to the rep who had the lead then.
    private func noteContacts() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE figures_offers AS o SET contacted_at = word.at
                FROM (SELECT b.lead_id, (SELECT max(event_id) FROM figures_offers WHERE lead = b.lead_id AND event_id < b.id) AS event_id, min(b.at) AS at
                      FROM batch AS b WHERE b.kind = 'lead.contacted' GROUP BY 1, 2) AS word
                WHERE o.lead = word.lead_id AND o.event_id = word.event_id AND o.contacted_at IS NULL
                """
        ).execute()
        try tx.db.cachedStatement(
            sql: """
                UPDATE figures_handoffs AS h SET contacted_at = word.at
                FROM (SELECT b.lead_id, (SELECT max(cycle) FROM figures_handoffs WHERE lead = b.lead_id AND event_id < b.id) AS cycle, min(b.at) AS at
                      FROM batch AS b WHERE b.kind = 'lead.contacted' GROUP BY 1, 2) AS word
                WHERE h.lead = word.lead_id AND h.cycle = word.cycle AND h.contacted_at IS NULL
                """
        ).execute()
    }

    // MARK: - How fast

    private static let hours = "(julianday(coalesce(contacted_at, accepted_at)) - julianday(offered_at)) * 24"
    private static let touched = """
        SELECT lead_id FROM batch WHERE kind IN (\(kinds.map(\.sqlLiteral).joined(separator: ", "))) AND lead_id IS NOT NULL
        """

    /// How long each handoff and offer of the leads touched waits, or waited. The view `figures_answered` is written
    /// out again because SQLite would read it for all leads first; an invariant holds the two together.
    private func time() throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO figures_answers (lead, cycle, offer, month, rep, hours, is_accepted, is_rejected)
                SELECT lead, cycle, 0, substr(offered_at, 1, 7), '', \(HandoffRoll.hours), accepted_at IS NOT NULL, rejected_at IS NOT NULL
                FROM figures_handoffs WHERE lead IN (\(HandoffRoll.touched))
                UNION ALL
                SELECT lead, cycle, offer, substr(offered_at, 1, 7), rep, \(HandoffRoll.hours), accepted_at IS NOT NULL, 0
                FROM figures_offers WHERE offer > 0 AND lead IN (\(HandoffRoll.touched))
                ON CONFLICT (lead, cycle, offer) DO UPDATE SET
                    hours = excluded.hours, is_accepted = excluded.is_accepted, is_rejected = excluded.is_rejected
                """
        ).execute()
    }

    /// Adds what is known of the leads touched to the sums, or takes it out.
    private func count(_ sign: Int) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO figures_answer_bands (month, rep, band, handoffs, accepted, rejected)
                WITH bounds AS MATERIALIZED (SELECT band, begins FROM figures_bands)
                SELECT month, rep, (SELECT coalesce(max(band), 0) FROM bounds WHERE begins <= hours), \(sign) * count(*),
                       \(sign) * sum(is_accepted), \(sign) * sum(is_rejected)
                FROM figures_answers WHERE lead IN (\(HandoffRoll.touched)) GROUP BY 1, 2, 3
                ON CONFLICT (month, rep, band) DO UPDATE SET
                    handoffs = handoffs + excluded.handoffs, accepted = accepted + excluded.accepted, rejected = rejected + excluded.rejected
                """
        ).execute()
    }
}
