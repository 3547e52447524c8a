import Foundation
import TrellisKernel

/// Leads whose step fails: a statement of it does, as one that sets a number to a word, or a condition that reads JSON
/// of what is none. Each rests where it was, with the error in its row, while the others go on; the events that end the
/// sequence are heard for it as ever. It is tried again after a while, at the start of a worker, when somebody says so,
/// and with the steps of a newer version where there is one.
struct FailingSteps {
    let edition: Edition
    let tx: Transaction

    /// Leads that are set aside in one transaction; where more fail, an appointment for right now goes on with the
    /// next.
    static let most = 100
    /// Until a failing step is tried again: a minute, then by the fourth power of the tries, and a day at most.
    private static let waitSeconds = (least: 60, most: 86_400)

    /// What an enrolment says whose step does not fail.
    static let none = "failure = NULL, failed_step = NULL, failing_since = NULL, failures = 0"

    /// Takes on the leads of `temp.drip_due` that are in this version, and sets aside those that fail.
    ///
    /// - Parameter advance: takes all of them on that are in `temp.drip_due`, and notes each operation it comes to.
    /// - Returns: whether none is left for the next transaction.
    func setAside(_ advance: (_ step: inout Int) throws -> Void) throws -> Bool {
        let ids = try Int64.fetchAll(
            tx.db, sql: "SELECT id FROM temp.drip_due WHERE \(edition.condition) ORDER BY id")
        try tx.scratchTable("drip_apart", columns: Tick.columns)
        try tx.db.execute(sql: "INSERT INTO temp.drip_apart SELECT * FROM temp.drip_due WHERE \(edition.condition)")
        try tx.db.execute(sql: "DELETE FROM temp.drip_due WHERE \(edition.condition)")
        try tx.scratchTable("drip_failed", columns: "id INTEGER PRIMARY KEY, step INTEGER, error TEXT")
        var step = 0
        let isThrough = try tx.tryInHalves(ids, most: FailingSteps.most) { part in
            try tx.db.cachedStatement(
                sql: "INSERT INTO temp.drip_due SELECT * FROM temp.drip_apart WHERE id BETWEEN ? AND ?"
            ).execute(arguments: [part.lowerBound, part.upperBound])
            try advance(&step)
        } failed: { id, error in
            try tx.db.cachedStatement(sql: "INSERT INTO temp.drip_failed VALUES (?, ?, ?)").execute(
                arguments: [id, step, error])
        }
        try rest()
        return isThrough
    }

    private func rest() throws {
        let (least, most) = FailingSteps.waitSeconds
        let tries = "(failures + 1)"
        try tx.db.execute(
            sql: """
                UPDATE drip_enrolments SET failure = failed.error, failed_step = failed.step,
                    failing_since = coalesce(failing_since, :now), failures = failures + 1,
                    due_at = strftime('%Y-%m-%d %H:%M:%f', :now,
                        '+' || min(\(least) * \(tries) * \(tries) * \(tries) * \(tries), \(most)) || ' seconds')
                FROM temp.drip_failed AS failed WHERE failed.id = drip_enrolments.id
                """, arguments: ["now": tx.stamp])
        try Tick.wake(where: "id IN (SELECT id FROM temp.drip_failed)", tx)
    }

    /// Makes those due whose step failed.
    ///
    /// - Parameter name: of a sequence; nil for all of them.
    /// - Returns: how many.
    @discardableResult
    static func retry(of name: String? = nil, _ tx: Transaction) throws -> Int {
        let here = name.map { "sequence = \($0.sqlLiteral) AND failures > 0" } ?? "failures > 0"
        try tx.db.execute(sql: "UPDATE drip_enrolments SET due_at = ? WHERE \(here)", arguments: [tx.stamp])
        let count = tx.db.changesCount
        if count > 0 { try Tick.appoint(at: tx.stamp, key: nil, tx) }
        return count
    }
}
