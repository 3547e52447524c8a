import Foundation
import TrellisKernel

/// Takes every enrolment that is due as far as it can go now: a few statements per operation, however many leads
/// there are.
///
/// The due ones are moved along in a temp table; `drip_enrolments` is written once per lead, when it comes to a wait or
/// to the end. What does not fit into one transaction is left for an appointment made for right now.
struct Tick {
    let editions: [Edition]
    let settings: DripSettings
    let tx: Transaction

    /// Enrolments in one transaction: about 50 ms.
    static let most = 5000

    /// Of `temp.drip_due`.
    static let columns = """
        id INTEGER PRIMARY KEY, lead_id INTEGER, cycle INTEGER, event_id INTEGER, step INTEGER, sequence TEXT,
        version INTEGER, first_version INTEGER, is_late INTEGER, mailed_at TEXT,
        heard TEXT, resting_at INTEGER, arrived_at TEXT
        """

    func run() throws {
        // A clock that jumped makes nothing due.
        guard try tx.isClockTrusted else { return }
        try tx.scratchTable("drip_due", columns: Tick.columns)
        let paused = try Pauses.open(tx.db)
        let known = Set(editions.map(\.sequence.name)).filter { paused[$0] == nil }.sorted().map(\.sqlLiteral)
            .joined(separator: ", ")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.drip_due (id, lead_id, cycle, event_id, step, sequence, version, first_version, is_late, heard,
                                           resting_at, arrived_at)
                SELECT id, lead_id, cycle, event_id, step, sequence, version, first_version, is_late,
                       (SELECT kind FROM events WHERE events.id = heard_event), resting_at, arrived_at FROM drip_enrolments
                WHERE state = 'active' AND due_at <= ? AND +sequence IN (\(known)) ORDER BY due_at LIMIT \(Tick.most)
                """
        ).execute(arguments: [tx.stamp])
        let count = tx.db.changesCount
        guard count > 0 else { return }
        let isThrough = try editions.reduce(count < Tick.most) { try advance($1) && $0 }
        if !isThrough { try Tick.appoint(at: tx.stamp, key: nil, tx) }
    }

    /// Takes on who is due in one version. Where a step fails, that is undone, and those it fails for are set aside.
    ///
    /// - Returns: whether none is left for the next transaction.
    private func advance(_ edition: Edition) throws -> Bool {
        let isAny = try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM temp.drip_due WHERE \(edition.condition))"))
        guard isAny == true else { return true }
        var step = 0
        guard try tx.attempt({ try advance(edition, &step) }) != nil else { return true }
        return try FailingSteps(edition: edition, tx: tx).setAside { try advance(edition, &$0) }
    }

    private func advance(_ edition: Edition, _ step: inout Int) throws {
        try Unsent(edition: edition, settings: settings, tx: tx).keepBack()
        try Advance(edition: edition, settings: settings, tx: tx).run(&step)
    }

    static func appoint(at due: String, key: String?, _ tx: Transaction) throws {
        try tx.schedule(
            "drip.due", forEach: "SELECT :key AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
            arguments: ["key": key, "due": due])
    }

    /// Appointments for all moments that some leads wait for, to the minute: after many were changed at once.
    static func wake(where condition: String, _ tx: Transaction) throws {
        try tx.schedule(
            "drip.due",
            forEach: """
                SELECT DISTINCT 'drip.due ' || due AS key, due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body
                FROM (SELECT strftime('%Y-%m-%d %H:%M:00.000', max(due_at, :now), '+59.999 seconds') AS due FROM drip_enrolments
                      WHERE state = 'active' AND due_at < '\(Rest.never)' AND \(condition))
                """, arguments: ["now": tx.stamp])
    }
}
