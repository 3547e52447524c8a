import Foundation
import TrellisKernel

/// What jumps of the machine's clock, while nobody worked, did to the times of who waits. They stand in `clock_jumps`.
struct ClockJumps {
    /// When the work stopped: the last sign of life by a clock that was believed.
    let since: Date
    let tx: Transaction

    /// Where the clock was put forward in the meantime, and that was accepted: what it said then. Whoever came later
    /// has lost no more than the time since.
    func accepted() throws -> String? {
        try String.fetchOne(
            tx.db,
            sql:
                "SELECT max(noticed_at) FROM clock_jumps WHERE noticed_at > expected_at AND noticed_at BETWEEN ? AND ?",
            arguments: [Timestamp.text(since), tx.stamp])
    }

    /// Whoever came, or heard what it waited for, while the clock was ahead, and that has come back: the times of then
    /// are off by as much as it jumped, and days of the calendar are reckoned anew.
    ///
    /// What was settled at the last sign of life was set right with it, once.
    func setRight(_ editions: [Edition], _ settings: DripSettings) throws {
        let jump = try Row.fetchOne(
            tx.db,
            sql: """
                SELECT noticed_at, expected_at FROM clock_jumps
                WHERE settled_at > ? AND settled_by = 'clock' AND noticed_at > expected_at ORDER BY id DESC LIMIT 1
                """, arguments: [Timestamp.text(since)])
        guard let jump, let noticed = Timestamp.date(jump[0] as String),
            let expected = Timestamp.date(jump[1] as String)
        else { return }
        let ahead = Timestamp.text(noticed).sqlLiteral
        let off = "'-\(Int(noticed.timeIntervalSince(expected).rounded())) seconds'"
        func right(_ column: String) -> String { "strftime('%Y-%m-%d %H:%M:%f', \(column), \(off))" }
        for edition in editions {
            let days = try reckonDays(of: edition, settings, where: "(arrived_at >= \(ahead) OR due_at >= \(ahead))")
            try tx.db.execute(
                sql: """
                    UPDATE drip_enrolments SET due_at = iif(resting_at IN (\(days)), due_at, \(right("due_at"))),
                        arrived_at = iif(arrived_at >= \(ahead), \(right("arrived_at")), arrived_at),
                        entered_at = iif(entered_at >= \(ahead), \(right("entered_at")), entered_at)
                    WHERE state = 'active' AND \(edition.condition) AND due_at < '\(Rest.never)' AND (
                        arrived_at >= \(ahead)
                        OR (due_at >= \(ahead) AND heard_event IS NOT NULL AND resting_at IS NULL AND NOT is_shifted))
                    """)
            guard tx.db.changesCount > 0 else { continue }
            try Tick.wake(where: "\(edition.condition) AND arrived_at >= \(Timestamp.text(expected).sqlLiteral)", tx)
            try Tick.appoint(at: tx.stamp, key: nil, tx)
        }
    }

    /// Sets the moments of those anew who rest until a day of the calendar.
    ///
    /// - Returns: the operations they rest at, as a list of SQL.
    private func reckonDays(
        of edition: Edition, _ settings: DripSettings, where condition: String
    ) throws -> String {
        var days: [Int] = []
        for (index, operation) in edition.program.operations.enumerated() {
            guard case .waitUntil(let moment) = operation.act else { continue }
            days.append(index)
            try Rest(edition: edition, settings: settings, tx: tx).reckon(
                moment, at: index,
                among: "state = 'active' AND \(edition.condition) AND resting_at = \(index) AND \(condition)")
        }
        return days.map(String.init).joined(separator: ", ")
    }
}
