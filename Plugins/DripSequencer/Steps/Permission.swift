import Foundation
import TrellisKernel

/// Asked about every marketing mail in the transaction that claims it, whichever plugin ordered it: not more than the
/// cap to one lead, and not in quiet hours. What may not go now goes later. Nothing of a paused sequence goes.
struct Permission: Sendable {
    let settings: DripSettings

    func ask(_ draft: MessageDraft, _ tx: Transaction) throws {
        if draft.origin == "plugin:\(DripSequencer.name)", try Pauses.holds(draft.messageID, tx) {
            throw Hold(because: Pauses.reason)
        }
        guard draft.purpose == .marketing, let lead = draft.leadID else { return }
        if let quiet = settings.quiet {
            let opening = quiet.opening(after: tx.now, in: tx.place(ofZone: draft.values["timezone"] ?? ""))
            if opening > tx.now { throw Postpone(until: opening, because: "quiet hours") }
        }
        guard let cap = settings.cap.mail else { return }
        let earlier = try String.fetchOne(
            tx.db.cachedStatement(
                sql: """
                    SELECT coalesce(settled_at, leased_at) AS went FROM outbox_messages
                    WHERE lead_id = :lead AND purpose = 'marketing' AND transport = 'mail' AND id <> :message
                      AND state IN ('sending', 'inflight', 'sent', 'unknown') AND coalesce(settled_at, leased_at) > :since
                    ORDER BY went DESC LIMIT 1 OFFSET :most
                    """),
            arguments: [
                "lead": lead, "message": draft.messageID, "most": cap.count - 1,
                "since": Timestamp.text(tx.now - Double(cap.span.seconds)),
            ])
        guard let earlier = earlier.flatMap({ Timestamp.date($0) }) else { return }
        throw Postpone(until: earlier + Double(cap.span.seconds), because: "no more than \(cap)")
    }
}

extension QuietHours {
    /// Fills `temp.drip_openings` with the next hour that is not quiet for each zone among the leads of `drip_due`
    /// that a condition finds.
    func open(forLeadsOf here: String, _ tx: Transaction) throws {
        try tx.scratchTable("drip_openings", columns: "zone TEXT PRIMARY KEY, at TEXT")
        let zones = try String.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT DISTINCT coalesce(timezone, '') FROM leads WHERE id IN (SELECT lead_id FROM temp.drip_due WHERE \(here))
                    """))
        for zone in zones {
            let opening = opening(after: tx.now, in: tx.place(ofZone: zone))
            try tx.db.cachedStatement(sql: "INSERT INTO temp.drip_openings VALUES (?, ?)").execute(
                arguments: [zone, Timestamp.text(opening)])
        }
    }
}
