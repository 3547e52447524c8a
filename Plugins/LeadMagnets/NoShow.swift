import Foundation
import TrellisKernel

/// Who registered for a webinar and did not come has missed it: logged by the command, or by itself some time after
/// its end.
enum NoShow {
    static let kind = "magnets.no_show_due"

    /// One appointment for each webinar to come that says when. For one whose moment has passed there is the command:
    /// a setting that is written months later does not send mails about it.
    static func appoint(_ magnets: [Named<MagnetSettings.Magnet>], _ tx: Transaction) throws {
        for magnet in magnets {
            guard let due = magnet.value.noShowAt, due > tx.now else { continue }
            try tx.schedule(
                kind,
                forEach: """
                    SELECT 'magnets no-show ' || :webinar || ' ' || :due AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id,
                           json_object('webinar', :webinar) AS body
                    """, arguments: ["webinar": magnet.name, "due": Timestamp.text(due)])
        }
    }

    /// What is due in the batch. A webinar that was put off has a later appointment, and one that says no time any more
    /// none.
    static func run(_ magnets: [Named<MagnetSettings.Magnet>], _ tx: Transaction) throws {
        let names = try String.fetchAll(
            tx.db.cachedStatement(
                sql:
                    "SELECT DISTINCT json_extract(body, '$.webinar') FROM batch WHERE json_extract(body, '$.webinar') IS NOT NULL"
            ))
        for magnet in magnets where names.contains(magnet.name) {
            guard let due = magnet.value.noShowAt, due <= tx.now, let end = magnet.value.webinar.end else { continue }
            try note(magnet.name, registeredBefore: end, tx)
        }
    }

    /// Logs `webinar.missed` for who registered and has not attended; nobody twice. Who was merged counts as the lead
    /// that was kept, and who is gone not at all.
    ///
    /// - Parameter end: whoever registered later wanted the recording. Nil counts everybody.
    static func note(_ webinar: String, registeredBefore end: Date?, _ tx: Transaction) throws {
        try tx.emit(
            "webinar.missed",
            forEach: """
                SELECT r.lead_id, r.cause_id, json_object('webinar', :webinar) AS body
                FROM (SELECT coalesce(m.kept_id, e.lead_id) AS lead_id, max(e.id) AS cause_id
                      FROM events AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
                      WHERE e.kind = 'webinar.registered' AND json_extract(e.body, '$.webinar') = :webinar AND (:end IS NULL OR e.at < :end)
                      GROUP BY 1) AS r
                WHERE EXISTS (SELECT 1 FROM leads WHERE id = r.lead_id) AND r.lead_id NOT IN (
                    SELECT coalesce(m.kept_id, e.lead_id) FROM events AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
                    WHERE e.kind IN ('webinar.attended', 'webinar.missed') AND json_extract(e.body, '$.webinar') = :webinar AND e.lead_id IS NOT NULL)
                ORDER BY r.lead_id
                """, arguments: ["webinar": webinar, "end": end.map(Timestamp.text)])
    }
}

extension MagnetSettings.Webinar {
    /// When it is over; nil for a recording alone.
    var end: Date? { startsAt.map { $0 + Double(minutes) * 60 } }
}

extension MagnetSettings.Magnet {
    /// When who has not attended has missed it; nil where nobody has by themselves.
    fileprivate var noShowAt: Date? {
        guard kind == .webinar, let after = webinar.noShowAfter, let end = webinar.end else { return nil }
        return end + Double(after.seconds)
    }
}
