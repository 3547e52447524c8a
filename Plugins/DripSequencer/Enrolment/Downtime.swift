import Foundation
import TrellisKernel

/// What becomes of steps that came due while nobody worked: Trellis was down, or the plugin was off. A fortnight of
/// backlog does not go out in one minute unless the sequence says `late: send`.
struct Downtime {
    let editions: [Edition]
    let settings: DripSettings
    /// When the work stopped.
    let since: Date
    let tx: Transaction

    func settle() throws {
        guard tx.now.timeIntervalSince(since) > Double(settings.lateAfter.seconds) else { return }
        for edition in editions {
            switch edition.sequence.settings.late {
            case .send: break
            case .skip: try pass(edition, "true")
            case .shift: try shift(edition)
            }
        }
    }

    /// Due in the meantime, and longer ago than what counts as late.
    private func missed(_ edition: Edition) -> String {
        """
        state = 'active' AND \(edition.condition) AND due_at > '\(Timestamp.text(since))'
        AND due_at < '\(Timestamp.text(tx.now - Double(settings.lateAfter.seconds)))'
        """
    }

    /// The messages up to the next wait are passed over.
    private func pass(_ edition: Edition, _ condition: String) throws {
        try tx.db.execute(sql: "UPDATE drip_enrolments SET is_late = 1 WHERE \(missed(edition)) AND (\(condition))")
    }

    /// Every wait lasts longer by the time that was lost, so that what was missed comes at the pace it would have come
    /// at. A wait for a day of the calendar cannot last longer: what came after it is passed over, and the next Monday
    /// takes the place of the last.
    private func shift(_ edition: Edition) throws {
        let lost = tx.now.timeIntervalSince(since).rounded(.up)
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
        let isFixed = "resting_at IN (\(fixed.map(String.init).joined(separator: ", ")))"
        try tx.db.execute(
            sql: """
                UPDATE drip_enrolments SET due_at = strftime('%Y-%m-%d %H:%M:%f', due_at, '+\(Int(lost)) seconds'), is_shifted = 1
                WHERE \(missed(edition)) AND NOT is_shifted AND (resting_at IS NULL OR NOT \(isFixed))
                """)
        try Tick.wake(where: edition.condition + " AND is_shifted", tx)
    }
}
