import Foundation
import TrellisKernel

/// As of when the leads of a batch are judged: not as of this moment, or an event handled a second late would be
/// worth a little less, and just miss a threshold. Nor as of the time an event names, or a history that is loaded
/// today would make cold leads warm. But as of the moment the log had come to when it took the last event of the
/// lead: the latest that any event up to there names. A replay of the log comes to the same moments.
struct Moments {
    let model: ScoringModel
    let tx: Transaction
    let isReplay: Bool

    /// Who was not looked at for longer than this, in seconds, because no worker ran or the log begins before the
    /// plugin does, is judged as of now: what a lead did then is no news any more.
    static let lateMax = 86_400.0

    /// The moment of `scoring_totals AS s`; asks for `:moment`, that of the batch.
    static let ofLead = "coalesce((SELECT m.at FROM temp.scoring_moments AS m WHERE m.lead_id = s.lead_id), :moment)"

    /// Fills `temp.scoring_moments` with the leads of the batch, and moves the clock of the log on.
    ///
    /// - Returns: how far the log has come with this batch.
    func note(_ kinds: Set<String>, hasReviewed: Bool) throws -> String {
        let before =
            try String.fetchOne(
                tx.db.cachedStatement(sql: "SELECT at FROM scoring_clocks WHERE model = ?"), arguments: [model.name]
            ).map { min($0, tx.stamp) }
            ?? ""
        let late = isReplay ? "" : Timestamp.text(tx.now - Moments.lateMax)
        try tx.scratchTable(
            "scoring_log", columns: "event_id INTEGER PRIMARY KEY, lead_id INTEGER, kind TEXT, at TEXT")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_log
                SELECT id, lead_id, kind, CASE WHEN at < :late THEN :now ELSE at END
                FROM (SELECT id, lead_id, kind, min(:now, max(:before, max(at) OVER (ORDER BY id))) AS at FROM batch)
                """
        ).execute(arguments: ["late": late, "now": tx.stamp, "before": before])
        let moment =
            try String.fetchOne(tx.db.cachedStatement(sql: "SELECT max(at) FROM temp.scoring_log")) ?? tx.stamp
        try tx.scratchTable("scoring_moments", columns: "lead_id INTEGER PRIMARY KEY, at TEXT")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_moments
                SELECT lead_id, max(at) FROM (\(Moments.concerned(kinds, hasReviewed: hasReviewed))) GROUP BY lead_id
                """
        ).execute()
        try tx.db.cachedStatement(
            sql:
                "INSERT INTO scoring_clocks (model, at) VALUES (?, ?) ON CONFLICT (model) DO UPDATE SET at = excluded.at"
        ).execute(arguments: [model.name, moment])
        return moment
    }

    /// A SELECT of leads with the moment of each event that concerns them.
    private static func concerned(_ kinds: Set<String>, hasReviewed: Bool) -> String {
        var parts = ["SELECT lead_id, at FROM temp.scoring_log WHERE lead_id IS NOT NULL"]
        if kinds.contains("lead.merged") {
            parts.append(
                """
                SELECT json_extract(b.body, '$.into'), m.at FROM temp.scoring_log AS m CROSS JOIN batch AS b ON b.id = m.event_id
                WHERE m.kind = 'lead.merged'
                """)
        }
        if kinds.contains("account.updated") {
            parts.append(
                """
                SELECT l.id, m.at FROM temp.scoring_log AS m CROSS JOIN batch AS b ON b.id = m.event_id
                CROSS JOIN leads AS l ON l.account_id = json_extract(b.body, '$.account_id') WHERE m.kind = 'account.updated'
                """)
        }
        if hasReviewed {
            parts.append(
                """
                SELECT r.lead_id, m.at FROM temp.scoring_log AS m CROSS JOIN temp.scoring_reviewed AS r WHERE m.kind = 'scoring.review_due'
                """)
        }
        return parts.joined(separator: "\nUNION ALL\n")
    }
}
