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
            let place = try tx.place(
                ofZone: draft.values["timezone"], country: draft.values["country"], or: zone(of: draft, tx))
            let opening = quiet.opening(after: tx.now, in: place)
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

    /// The zone of the sequence that a mail is of; nil where it has none, or the mail is of no sequence.
    private func zone(of draft: MessageDraft, _ tx: Transaction) throws -> String? {
        guard draft.origin == "plugin:\(DripSequencer.name)" else { return nil }
        let key = try String.fetchOne(
            tx.db.cachedStatement(sql: "SELECT key FROM outbox_messages WHERE id = ?"), arguments: [draft.messageID])
        return key.flatMap(settings.zone(ofKey:))
    }
}

extension DripSettings {
    /// The zone of the sequence that a message of this key is of; nil where it has none, or the message is of none.
    func zone(ofKey key: String) -> String? {
        sequences.first { $0.value.timezone != nil && key.hasPrefix("drip:\($0.name):") }?.value.timezone
    }
}

extension QuietHours {
    /// Fills `temp.drip_zones` with the zone of each lead of `drip_due` that a condition finds, empty where nobody
    /// knows it, and `temp.drip_openings` with the next hour that is not quiet for each zone among them.
    ///
    /// - Parameter fallback: the zone of the others.
    func open(forLeadsOf here: String, or fallback: String?, _ tx: Transaction) throws {
        try tx.scratchTable("drip_zones", columns: "lead_id INTEGER PRIMARY KEY, zone TEXT")
        try tx.scratchTable("drip_openings", columns: "zone TEXT PRIMARY KEY, at TEXT")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.drip_zones SELECT l.id, coalesce(nullif(l.timezone, ''), z.zone, '')
                FROM leads AS l LEFT JOIN country_zones AS z ON z.country = l.country
                WHERE l.id IN (SELECT lead_id FROM temp.drip_due WHERE \(here))
                """
        ).execute()
        for zone in try String.fetchAll(tx.db.cachedStatement(sql: "SELECT DISTINCT zone FROM temp.drip_zones")) {
            let opening = opening(after: tx.now, in: tx.place(ofZone: zone, or: fallback))
            try tx.db.cachedStatement(sql: "INSERT INTO temp.drip_openings VALUES (?, ?)").execute(
                arguments: [zone, Timestamp.text(opening)])
        }
    }
}
