import TrellisKernel

/// Keeps when each lead was handed to sales and what sales did, from the facts in the log.
struct HandoffRoll {
    let tx: Transaction

    static let kinds = [
        "handoff.offered", "handoff.queued", "handoff.accepted", "handoff.rejected", "handoff.expired",
        "lead.contacted",
    ]

    func keep(_ kinds: Set<String>) throws {
        if !kinds.isDisjoint(with: HandoffRoll.kinds.dropLast()) {
            try follow()
            try followOffers()
        }
        if kinds.contains("lead.contacted") { try noteContacts() }
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
}
