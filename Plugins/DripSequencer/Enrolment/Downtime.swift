import Foundation
import TrellisKernel

/// What becomes of steps that came due while nobody worked: Trellis was down, the plugin was off, the sequence was
/// paused, or the clock was not believed. A fortnight of backlog does not go out in one minute unless the sequence says
/// `late: send`.
struct Downtime {
    let editions: [Edition]
    let settings: DripSettings
    /// When the work stopped.
    let since: Date
    let tx: Transaction

    private var isLong: Bool { tx.now.timeIntervalSince(since) > Double(settings.lateAfter.seconds) }
    private var limit: String { Timestamp.text(tx.now - Double(settings.lateAfter.seconds)) }
    private var lost: Int { seconds(since: since) }

    /// In whole seconds.
    private func seconds(since: Date) -> Int { Int(tx.now.timeIntervalSince(since).rounded(.up)) }

    /// - Parameter shiftingAgain: whether a wait that was lengthened before is so once more: a person decides how often
    ///   a sequence is paused, a machine that is down each night does not.
    func settle(shiftingAgain: Bool = false) throws {
        guard isLong else { return }
        for edition in editions {
            switch edition.sequence.settings.late {
            case .send: break
            case .skip: try pass(edition, "true")
            case .shift: try shift(edition, shiftingAgain ? "true" : "NOT is_shifted")
            }
        }
    }

    /// Lets go what was held of a sequence: late messages as its lateness says, others as they were.
    ///
    /// - Parameter condition: which of `outbox_messages`.
    func settle(held condition: String, _ lateness: SequenceSettings.Lateness) throws {
        let isLate = isLong ? "ready_at < \(limit.sqlLiteral)" : "false"
        if lateness == .skip {
            try tx.withdraw(
                because: "it came due while the sequence was paused",
                forEach: """
                    SELECT lead_id, key AS prefix, key AS suffix FROM outbox_messages WHERE \(condition) AND \(isLate)
                    """)
        }
        let ready =
            lateness == .shift
            ? "iif(\(isLate), strftime('%Y-%m-%d %H:%M:%f', ready_at, '+\(lost) seconds'), ready_at)" : "ready_at"
        try tx.release(forEach: "SELECT id, \(ready) AS ready_at FROM outbox_messages WHERE \(condition)")
    }

    /// Decides about late messages of a sequence that the pause of marketing mail holds; the kernel lets go of them.
    ///
    /// - Parameter condition: which of `outbox_messages`.
    func settle(paused condition: String, _ lateness: SequenceSettings.Lateness) throws {
        guard isLong else { return }
        let late = "\(condition) AND \(MarketingPause.waiting) AND ready_at < \(limit.sqlLiteral)"
        switch lateness {
        case .send: break
        case .skip:
            try tx.withdraw(
                because: "it came due while marketing mail was paused",
                forEach: "SELECT lead_id, key AS prefix, key AS suffix FROM outbox_messages WHERE \(late)")
        case .shift:
            try tx.db.execute(
                sql: """
                    UPDATE outbox_messages SET ready_at = strftime('%Y-%m-%d %H:%M:%f', ready_at, '+\(lost) seconds') WHERE \(late)
                    """)
        }
    }

    /// Due in the meantime, and longer ago than what counts as late.
    private func missed(_ edition: Edition) -> String {
        """
        state = 'active' AND \(edition.condition) AND due_at > '\(Timestamp.text(since))'
        AND due_at < '\(limit)'
        """
    }

    /// The messages up to the next wait are passed over.
    private func pass(_ edition: Edition, _ condition: String) throws {
        try tx.db.execute(sql: "UPDATE drip_enrolments SET is_late = 1 WHERE \(missed(edition)) AND (\(condition))")
    }

    /// Every wait lasts longer by the time that was lost, so that what was missed comes at the pace it would have come
    /// at. A wait for a day of the calendar cannot last longer: what came after it is passed over, and the next Monday
    /// takes the place of the last.
    private func shift(_ edition: Edition, _ condition: String) throws {
        var fixed: [Int] = []
        for (index, operation) in edition.program.operations.enumerated() {
            guard case .waitUntil(let moment) = operation.act else { continue }
            fixed.append(index)
            if case .column = moment {
                try pass(edition, "resting_at = \(index)")
            } else {
                try Rest(edition: edition, settings: settings, tx: tx).reckon(
                    moment, at: index,
                    among: "id IN (SELECT id FROM drip_enrolments WHERE \(missed(edition)) AND resting_at = \(index))")
            }
        }
        let jump = try ClockJumps(since: since, tx: tx).accepted()
        let isFixed = "resting_at IN (\(fixed.map(String.init).joined(separator: ", ")))"
        try tx.db.execute(
            sql: """
                UPDATE drip_enrolments SET is_shifted = 1, due_at = strftime(
                    '%Y-%m-%d %H:%M:%f', due_at,
                    '+' || iif(coalesce(arrived_at, entered_at) >= :jump, :afterJump, :lost) || ' seconds')
                WHERE \(missed(edition)) AND \(condition) AND (resting_at IS NULL OR NOT \(isFixed))
                """,
            arguments: [
                "jump": jump, "afterJump": jump.flatMap { Timestamp.date($0) }.map { seconds(since: $0) }, "lost": lost,
            ])
        try Tick.wake(where: edition.condition + " AND is_shifted", tx)
    }
}
