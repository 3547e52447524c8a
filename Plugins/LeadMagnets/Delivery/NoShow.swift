import Foundation
import TrellisKernel

/// Who registered for a webinar and did not come has missed it: logged by the command, or by itself some time after
/// its end. A magnet whose `starts_at` moves on is a webinar of several editions: each counts who registered since the
/// end of the one before, which its appointment in the log tells.
enum NoShow {
    static let kind = "magnets.no_show_due"

    /// Later than this nobody expects to be told of a webinar that they missed.
    private static let daysUsual = 30

    /// What of `no_show_after` works, and is hardly meant.
    static func check(_ magnet: Named<MagnetSettings.Magnet>, _ check: ConfigCheck) {
        guard let after = magnet.value.webinar.noShowAfter, let due = magnet.value.noShowAt else { return }
        if after.value.seconds == 0 {
            check.note(
                "everybody who registered has missed it the moment it ends, for nobody is known to have attended yet. Leave time enough for your import: 3 hours",
                at: after.place)
        } else if after.value.seconds > daysUsual * 86_400 {
            check.note(
                "who did not come is told so \(after.value) after the end, when few remember it. Write some hours or days: 3 hours",
                at: after.place)
        }
        if due <= check.clock.now() {
            check.note(
                "this moment was \(Timestamp.text(due).prefix(16)) UTC. Written or changed after it, it counts nobody: "
                    + "run 'trellis magnets close-webinar \(magnet.name)', or move starts_at on to the next edition",
                at: after.place)
        }
    }

    /// One appointment for each webinar to come that says when. For one whose moment has passed there is the command:
    /// a setting that is written months later does not send mails about it. A webinar that is put off before its end
    /// has no other appointment any more, and was no edition.
    static func appoint(_ magnets: [Named<MagnetSettings.Magnet>], _ tx: Transaction) throws {
        for magnet in magnets {
            let due = magnet.value.noShowAt.map(Timestamp.text)
            try tx.db.cachedStatement(
                sql: """
                    DELETE FROM scheduled_events WHERE kind = :kind AND json_extract(body, '$.webinar') = :webinar
                      AND json_extract(body, '$.ends_at') > :now AND due_at IS NOT :due
                    """
            ).execute(arguments: ["kind": kind, "webinar": magnet.name, "now": tx.stamp, "due": due])
            guard let due, due > tx.stamp, let end = magnet.value.webinar.end else { continue }
            try tx.schedule(
                kind,
                forEach: """
                    SELECT 'magnets no-show ' || :webinar || ' ' || :due AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id,
                           json_object('webinar', :webinar, 'ends_at', :end) AS body
                    """, arguments: ["webinar": magnet.name, "due": due, "end": Timestamp.text(end)])
        }
    }

    /// What is due in the batch: each edition as it was when it ended, whichever comes next by now.
    static func run(_ magnets: [Named<MagnetSettings.Magnet>], _ tx: Transaction) throws {
        let editions = try Row.fetchAll(
            tx.db.cachedStatement(
                sql: """
                    SELECT CAST(json_extract(body, '$.webinar') AS TEXT), CAST(json_extract(body, '$.ends_at') AS TEXT) FROM batch
                    WHERE json_extract(body, '$.webinar') IS NOT NULL AND json_extract(body, '$.ends_at') IS NOT NULL ORDER BY id
                    """))
        for edition in editions {
            let (webinar, end) = (edition[0] as String, edition[1] as String)
            guard magnets.contains(where: { $0.name == webinar && $0.value.kind == .webinar }) else { continue }
            try note(webinar, end: end, registeredBefore: end, tx)
        }
    }

    /// Logs `webinar.missed` for who registered for an edition and has not attended; nobody twice. Who was merged
    /// counts as the lead that was kept, and who is gone not at all. Of several editions, attendance before somebody
    /// registered for this one was of another.
    ///
    /// - Parameters:
    ///   - end: when the edition ends; nil for a recording alone.
    ///   - limit: whoever registered later wanted the recording. Nil counts everybody since the edition before.
    static func note(_ webinar: String, end: String?, registeredBefore limit: String?, _ tx: Transaction) throws {
        let since = try String.fetchOne(
            tx.db.cachedStatement(
                sql: """
                    SELECT max(json_extract(body, '$.ends_at')) FROM events WHERE kind = :kind
                      AND json_extract(body, '$.webinar') = :webinar AND (:end IS NULL OR json_extract(body, '$.ends_at') < :end)
                    """), arguments: ["kind": kind, "webinar": webinar, "end": end])
        try tx.emit(
            "webinar.missed",
            forEach: """
                SELECT r.lead_id, r.cause_id, json_object('webinar', :webinar) AS body
                FROM (SELECT coalesce(m.kept_id, e.lead_id) AS lead_id, max(e.id) AS cause_id, min(e.id) AS first_id
                      FROM events AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
                      WHERE e.kind = 'webinar.registered' AND json_extract(e.body, '$.webinar') = :webinar
                        AND (:since IS NULL OR e.at >= :since) AND (:limit IS NULL OR e.at < :limit)
                      GROUP BY 1) AS r
                LEFT JOIN (SELECT coalesce(m.kept_id, e.lead_id) AS lead_id, max(e.id) AS last_id
                      FROM events AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
                      WHERE e.kind IN ('webinar.attended', 'webinar.missed') AND json_extract(e.body, '$.webinar') = :webinar
                      GROUP BY 1) AS known ON known.lead_id = r.lead_id
                WHERE EXISTS (SELECT 1 FROM leads WHERE id = r.lead_id)
                  AND (known.last_id IS NULL OR :since IS NOT NULL AND known.last_id < r.first_id)
                ORDER BY r.lead_id
                """, arguments: ["webinar": webinar, "since": since, "limit": limit])
    }
}

extension MagnetSettings.Webinar {
    /// When it is over; nil for a recording alone.
    var end: Date? { startsAt.map { $0 + Double(minutes) * 60 } }
}

extension MagnetSettings.Magnet {
    /// When who has not attended has missed it; nil where nobody has by themselves.
    var noShowAt: Date? {
        guard kind == .webinar, let after = webinar.noShowAfter, let end = webinar.end else { return nil }
        return end + Double(after.value.seconds)
    }
}
