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
        case .wait(let seconds): try lie(at: index, step: index + 1, seconds: seconds, here)
        case .waitFor(_, _, _, let seconds, let otherwise):
            if let seconds {
                try lie(at: index, step: otherwise, seconds: seconds, here)
            } else {
                try lie(at: index, step: otherwise, due: Rest.never, here)
            }
            try tx.db.cachedStatement(
                sql: """
                    UPDATE drip_enrolments SET heard_event = NULL
                    WHERE heard_event IS NOT NULL AND id IN (SELECT id FROM temp.drip_due WHERE \(here))
                    """
            ).execute()
        case .waitUntil(let moment):
            try lie(at: index, step: index + 1, due: Rest.never, here)
            try reckon(
                moment, at: index, among: "id IN (SELECT id FROM temp.drip_due WHERE \(here))",
                mailedAt: "(SELECT mailed_at FROM temp.drip_due AS due WHERE due.id = e.id)")
        default: return
        }
        try tx.db.cachedStatement(sql: "DELETE FROM temp.drip_due WHERE \(here)").execute()
    }

    /// For so long: from now, or from when the mail before it goes out.
    private func lie(at index: Int, step: Int, seconds: Int, _ here: String) throws {
        let due = Timestamp.text(tx.now + Double(seconds))
        try lie(at: index, step: step, due: due, here)
        guard tx.db.changesCount > 0 else { return }
        try Tick.appoint(at: due, key: "drip.due \(due)", tx)
        let mailed = """
            SELECT id AS mailed, strftime('%Y-%m-%d %H:%M:%f', mailed_at, '+\(seconds) seconds') AS due
            FROM temp.drip_due WHERE mailed_at IS NOT NULL AND \(here)
            """
        try tx.db.cachedStatement(
            sql: "UPDATE drip_enrolments SET due_at = due FROM (\(mailed)) WHERE id = mailed"
        ).execute()
        guard tx.db.changesCount > 0 else { return }
        try tx.schedule(
            "drip.due",
            forEach: """
                SELECT DISTINCT 'drip.due ' || due AS key, due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body FROM (\(mailed))
                """)
    }

    /// The one write of a lead that waits on. Who comes by an event, the one that let it in or one it waited for, hears
    /// from then on, also what is in the same batch; who comes when a time is up, from now on.
    private func lie(at index: Int, step: Int, due: String, _ here: String) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET step = \(step), due_at = :due, resting_at = \(index), arrived_at = :now,
                    since_event = CASE WHEN resting_at IS NULL THEN coalesce(heard_event, event_id) ELSE (SELECT coalesce(max(id), 0) FROM events) END,
                    is_late = 0, is_shifted = 0, \(FailingSteps.none)
                WHERE id IN (SELECT id FROM temp.drip_due WHERE \(here))
                """
        ).execute(arguments: ["due": due, "now": tx.stamp])
    }

    /// Sets the moment of leads that rest at a `wait_until`: when they come to it, and whenever their day changes.
    /// Zones are beyond SQL, so each place and day among them is reckoned once, however many leads share it.
    ///
    /// - Parameters:
    ///   - condition: which of `drip_enrolments`.
    ///   - mailedAt: a SQL expression over the enrolment `e`: when the mail before the wait goes out, NULL where that
    ///     is now or was long ago.
    func reckon(_ moment: Moment, at index: Int, among condition: String, mailedAt: String = "NULL") throws {
        let column: String
        if case .column(let name, _, _) = moment { column = "l.\"\(name)\"" } else { column = "NULL" }
        let places = """
            SELECT e.id, coalesce(nullif(l.timezone, ''), z.zone, '') AS zone, coalesce(CAST(\(column) AS TEXT), '') AS value, coalesce(\(mailedAt), '') AS mailed_at
            FROM drip_enrolments AS e JOIN leads AS l ON l.id = e.lead_id LEFT JOIN country_zones AS z ON z.country = l.country
            WHERE e.state = 'active' AND e.id IN (SELECT id FROM drip_enrolments WHERE \(condition))
            """
        try tx.scratchTable(
            "drip_moments",
            columns: "zone TEXT, value TEXT, mailed_at TEXT, at TEXT, PRIMARY KEY (zone, value, mailed_at)")
        for row in try Row.fetchAll(tx.db, sql: "SELECT DISTINCT zone, value, mailed_at FROM (\(places))") {
            let (zone, value, mailedAt): (String, String, String) = (row[0], row[1], row[2])
            let instant = moment.instant(
                value: value.isEmpty ? nil : value, now: Timestamp.date(mailedAt) ?? tx.now,
                in: tx.place(ofZone: zone, or: edition.sequence.settings.timezone))
            try tx.db.cachedStatement(sql: "INSERT INTO temp.drip_moments VALUES (?, ?, ?, ?)").execute(
                arguments: [zone, value, mailedAt, instant.map(Timestamp.text) ?? Rest.never])
        }
        // What lies behind already goes on at once; if it is long past, as late as any step that was missed.
        let isLate =
            edition.sequence.settings.late == .send
            ? "0" : "at < '\(Timestamp.text(tx.now - Double(settings.lateAfter.seconds)))'"
        try tx.db.execute(
            sql: """
                UPDATE drip_enrolments SET due_at = max(moment.at, :now), is_late = \(isLate)
                FROM (\(places)) AS place JOIN temp.drip_moments AS moment USING (zone, value, mailed_at)
                WHERE place.id = drip_enrolments.id
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

    /// An event a lead waits for takes it on at once: of several the one that came first. Whose time is up does not
    /// wait any more, also where the step after that fails.
    ///
    /// - Returns: whether it takes anybody on.
    @discardableResult
    func hear(_ kinds: Set<String>) throws -> Bool {
        var isAny = false
        for (index, operation) in edition.program.operations.enumerated() {
            guard case .waitFor(_, _, let condition, _, _) = operation.act else { continue }
            let filter = condition.map { "(\($0)\n)" } ?? "true"
            let events = operation.awaitedKinds.filter(kinds.contains).map { kind in
                "SELECT event_lead_id AS hearing_lead, event_id AS heard FROM \(tx.relation(of: kind)) WHERE \(filter)"
            }
            guard !events.isEmpty else { continue }
            try tx.db.cachedStatement(
                sql: """
                    UPDATE drip_enrolments SET step = \(index + 1), due_at = :now, resting_at = NULL, is_shifted = 0, heard_event = heard
                    FROM (SELECT e.id AS hearing, min(heard) AS heard FROM (\(events.joined(separator: " UNION ALL "))) AS came
                          CROSS JOIN drip_enrolments AS e ON e.lead_id = came.hearing_lead AND \(edition.condition(on: "e"))
                          WHERE e.state = 'active' AND +e.resting_at = \(index) AND e.failures = 0 AND came.heard > coalesce(e.since_event, e.event_id)
                          GROUP BY e.id)
                    WHERE drip_enrolments.id = hearing
                    """
            ).execute(arguments: ["now": tx.stamp])
            isAny = isAny || tx.db.changesCount > 0
        }
        return isAny
    }

    /// A day that was moved moves the wait for it.
    func followDays() throws {
        for (index, operation) in edition.program.operations.enumerated() {
            guard case .waitUntil(let moment) = operation.act, case .column(let column, _, _) = moment else { continue }
            let condition = """
                id IN (SELECT e.id FROM batch AS b CROSS JOIN drip_enrolments AS e ON e.lead_id = b.lead_id AND \(edition.condition(on: "e"))
                       WHERE b.kind = 'lead.updated' AND e.state = 'active' AND +e.resting_at = \(index) AND e.failures = 0
                         AND EXISTS (SELECT 1 FROM json_each(b.body, '$.columns') WHERE value IN (\(column.sqlLiteral), 'timezone', 'country')))
                """
            let isAny = try Bool.fetchOne(
                tx.db, sql: "SELECT EXISTS (SELECT 1 FROM drip_enrolments WHERE \(condition))")
            if isAny == true { try reckon(moment, at: index, among: condition) }
        }
    }
}
