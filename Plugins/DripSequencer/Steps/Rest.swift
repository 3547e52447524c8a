import Foundation
import TrellisKernel

/// Lays leads that came to a wait down in `drip_enrolments`, each with the moment that wakes it, and makes the
/// appointments.
struct Rest {
    let edition: Edition
    let settings: DripSettings
    let tx: Transaction

    /// The moment that never comes: of a wait for an event without a limit, or for a day nobody knows yet.
    static let never = "9999-12-31 23:59:59.999"

    /// Lays down the leads of `temp.drip_due` that are at a wait.
    ///
    /// - Parameter here: the condition on `drip_due` that finds them.
    func lie(at index: Int, _ operation: Operation, where here: String) throws {
        switch operation.act {
        case .wait(let seconds):
            let due = Timestamp.text(tx.now + Double(seconds))
            try lie(at: index, step: index + 1, due: due, here)
            if tx.db.changesCount > 0 { try Tick.appoint(at: due, key: "drip.due \(due)", tx) }
        case .waitFor(_, _, let seconds, let otherwise):
            let due = seconds.map { Timestamp.text(tx.now + Double($0)) } ?? Rest.never
            try lie(at: index, step: otherwise, due: due, here)
            if seconds != nil, tx.db.changesCount > 0 { try Tick.appoint(at: due, key: "drip.due \(due)", tx) }
        case .waitUntil(let moment):
            try lie(at: index, step: index + 1, due: Rest.never, here)
            try reckon(moment, at: index, among: "id IN (SELECT id FROM temp.drip_due WHERE \(here))")
        default: return
        }
        try tx.db.cachedStatement(sql: "DELETE FROM temp.drip_due WHERE \(here)").execute()
    }

    /// The one write of a lead that waits on.
    private func lie(at index: Int, step: Int, due: String, _ here: String) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET step = \(step), due_at = :due, resting_at = \(index), arrived_at = :now,
                    since_event = (SELECT coalesce(max(id), 0) FROM events), is_late = 0, is_shifted = 0
                WHERE id IN (SELECT id FROM temp.drip_due WHERE \(here))
                """
        ).execute(arguments: ["due": due, "now": tx.stamp])
    }

    /// Sets the moment of leads that rest at a `wait_until`: when they come to it, and whenever their day changes.
    /// Zones are beyond SQL, so each place and day among them is reckoned once, however many leads share it.
    func reckon(_ moment: Moment, at index: Int, among condition: String) throws {
        let column: String
        if case .column(let name, _, _) = moment { column = "leads.\"\(name)\"" } else { column = "NULL" }
        try tx.scratchTable("drip_moments", columns: "zone TEXT, value TEXT, at TEXT, PRIMARY KEY (zone, value)")
        let pairs = try Row.fetchAll(
            tx.db,
            sql: """
                SELECT DISTINCT coalesce(leads.timezone, '') AS zone, coalesce(\(column), '') AS value FROM leads
                WHERE leads.id IN (SELECT lead_id FROM drip_enrolments WHERE \(condition))
                """)
        for pair in pairs {
            let value: String = pair["value"]
            let place = tx.place(ofZone: pair["zone"])
            let instant = moment.instant(value: value.isEmpty ? nil : value, now: tx.now, in: place)
            try tx.db.cachedStatement(sql: "INSERT INTO temp.drip_moments VALUES (?, ?, ?)").execute(
                arguments: [pair["zone"] as String, value, instant.map(Timestamp.text) ?? Rest.never])
        }
        // What lies behind already goes on at once; if it is long past, as late as any step that was missed.
        let isLate =
            edition.sequence.settings.late == .send
            ? "0" : "at < '\(Timestamp.text(tx.now - Double(settings.lateAfter.seconds)))'"
        try tx.db.execute(
            sql: """
                UPDATE drip_enrolments SET due_at = max(m.at, :now), is_late = \(isLate)
                FROM temp.drip_moments AS m, leads
                WHERE drip_enrolments.\(condition.hasPrefix("id ") ? condition : "id IN (SELECT id FROM drip_enrolments WHERE \(condition))")
                  AND drip_enrolments.state = 'active' AND leads.id = drip_enrolments.lead_id
                  AND m.zone = coalesce(leads.timezone, '') AND m.value = coalesce(\(column), '')
                """, arguments: ["now": tx.stamp])
        try tx.schedule(
            "drip.due",
            forEach: """
                SELECT DISTINCT 'drip.due ' || due AS key, due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body
                FROM (SELECT strftime('%Y-%m-%d %H:%M:00.000', max(at, :now), '+59.999 seconds') AS due FROM temp.drip_moments
                      WHERE at < '\(Rest.never)')
                """, arguments: ["now": tx.stamp])
    }

    // MARK: - Woken before their time

    /// An event a lead waits for takes it on at once.
    func hear(_ kinds: Set<String>) throws {
        for (index, operation) in edition.program.operations.enumerated() {
            guard case .waitFor(let kind, let condition, _, _) = operation.act, kinds.contains(kind) else { continue }
            let filter = condition.map { "(\($0)\n)" } ?? "true"
            try tx.db.cachedStatement(
                sql: """
                    UPDATE drip_enrolments SET step = \(index + 1), due_at = :now, resting_at = NULL, is_shifted = 0
                    FROM (SELECT event_lead_id AS hearing_lead, max(event_id) AS heard FROM \(tx.relation(of: kind))
                          WHERE \(filter) GROUP BY event_lead_id)
                    WHERE \(edition.condition) AND state = 'active' AND resting_at = \(index) AND lead_id = hearing_lead
                      AND heard > coalesce(since_event, event_id)
                    """
            ).execute(arguments: ["now": tx.stamp])
        }
    }

    /// A day that was moved moves the wait for it.
    func followDays() throws {
        for (index, operation) in edition.program.operations.enumerated() {
            guard case .waitUntil(let moment) = operation.act, case .column(let column, _, _) = moment else { continue }
            let condition = """
                id IN (SELECT e.id FROM batch AS b JOIN drip_enrolments AS e ON e.lead_id = b.lead_id
                       WHERE b.kind = 'lead.updated' AND e.state = 'active' AND e.resting_at = \(index)
                         AND e.sequence = \(edition.sequence.name.sqlLiteral) AND e.version = \(edition.version)
                         AND EXISTS (SELECT 1 FROM json_each(b.body, '$.columns') WHERE value IN (\(column.sqlLiteral), 'timezone')))
                """
            let isAny = try Bool.fetchOne(
                tx.db, sql: "SELECT EXISTS (SELECT 1 FROM drip_enrolments WHERE \(condition))")
            if isAny == true { try reckon(moment, at: index, among: condition) }
        }
    }
}
