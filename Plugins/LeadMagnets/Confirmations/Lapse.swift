import Foundation
import TrellisKernel

/// Forms whose address nobody confirmed do not stay for ever: they lapse. A lead of whom nothing else is known goes
/// with them, because anybody could have typed that address; what somebody of the house did with a lead keeps it.
struct Lapse {
    static let kind = "magnets.lapse_due"
    /// Leads in one transaction: about 50 ms.
    static let most = 1000

    let settings: MagnetSettings
    let tx: Transaction

    /// No form lapses while the link in its mail still works.
    private var after: Double { Double(max(settings.unconfirmedAfter.seconds, settings.linkDays * 86_400)) }

    /// Whoever made the lead was a stranger, and so was everybody since: no confirmation, no consent, nothing handed
    /// over, no owner, no deal, no hand of the house in the log.
    private static let isStranger = """
        NOT EXISTS (SELECT 1 FROM magnets_submissions AS o WHERE o.lead_id = s.lead_id AND o.state = 'delivered')
        AND NOT EXISTS (SELECT 1 FROM consents AS c WHERE c.lead_id = s.lead_id AND c.state <> 'requested')
        AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.lead_id = s.lead_id AND (e.kind = 'form.confirmed'
            OR (e.origin NOT GLOB 'form:*' AND e.origin NOT GLOB 'plugin:*' AND e.origin <> 'kernel')))
        AND NOT EXISTS (SELECT 1 FROM lead_merges AS m WHERE m.kept_id = s.lead_id)
        AND NOT EXISTS (SELECT 1 FROM opportunities AS d WHERE d.lead_id = s.lead_id)
        AND NOT EXISTS (SELECT 1 FROM leads AS l WHERE l.id = s.lead_id AND coalesce(l.owner, l.contact_id) IS NOT NULL)
        """

    /// One appointment for all that begin to wait on the same day.
    func appoint(forms events: ClosedRange<Int64>) throws {
        try appoint(
            waiting: "SELECT at FROM magnets_submissions WHERE event_id BETWEEN :first AND :last AND state = 'waiting'",
            arguments: ["first": events.lowerBound, "last": events.upperBound])
    }

    private func appoint(waiting select: String, arguments: StatementArguments = [:]) throws {
        try tx.schedule(
            Lapse.kind,
            forEach: """
                SELECT 'magnets lapse ' || day AS key, day || ' 00:00:00.000' AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body
                FROM (SELECT date(min(at), :after, '+1 day') AS day FROM (\(select))) WHERE day IS NOT NULL
                """, arguments: arguments &+ ["after": "+\(Int(after)) seconds"])
    }

    /// Lets lapse what is due; what does not fit into one transaction has an appointment right away.
    func run() throws {
        try tx.scratchTable("magnets_lapsing", columns: "lead_id INTEGER PRIMARY KEY, is_stranger INTEGER")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.magnets_lapsing
                SELECT s.lead_id, \(Lapse.isStranger)
                FROM (SELECT lead_id FROM magnets_submissions WHERE state = 'waiting'
                      GROUP BY lead_id HAVING max(at) <= ? LIMIT \(Lapse.most)) AS s
                """
        ).execute(arguments: [Timestamp.text(tx.now - after)])
        let count = tx.db.changesCount
        try tx.db.cachedStatement(
            sql: """
                UPDATE magnets_submissions SET state = 'rejected', lapsed_at = ?
                WHERE state = 'waiting' AND lead_id IN (SELECT lead_id FROM temp.magnets_lapsing)
                """
        ).execute(arguments: [tx.stamp])
        try forgetStrangers()
        if count == Lapse.most {
            try tx.schedule(
                Lapse.kind,
                forEach: "SELECT NULL AS key, :now AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
                arguments: ["now": tx.stamp])
        } else {
            // A lead's last form counts: an appointment for an earlier one would find nothing, and be made again.
            try appoint(
                waiting: "SELECT max(at) AS at FROM magnets_submissions WHERE state = 'waiting' GROUP BY lead_id")
        }
    }

    /// Nothing is left but ids: what is deleted goes to no trash, and the mails keep no words.
    private func forgetStrangers() throws {
        let strangers = "(SELECT lead_id FROM temp.magnets_lapsing WHERE is_stranger)"
        for table in LeadMagnets.personTables + ["consents", "touches", "magnets_receipts", "magnets_mixed_scripts"] {
            try tx.db.cachedStatement(sql: "DELETE FROM \(table) WHERE lead_id IN \(strangers)").execute()
        }
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET content = NULL, recipient = NULL, body = '{}' WHERE lead_id IN \(strangers)
                """
        ).execute()
        try tx.db.cachedStatement(sql: "DELETE FROM leads WHERE id IN \(strangers)").execute()
        try tx.db.cachedStatement(
            sql: "DELETE FROM trash WHERE table_name = 'leads' AND row_id IN \(strangers)"
        ).execute()
    }
}
