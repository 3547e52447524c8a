import Foundation
import TrellisKernel

/// A wait behind a mail counts from when the mail went out. Quiet hours are known when it is ordered; that it is held,
/// that a relay is down or puts it off shows afterwards. So whoever wakes from such a wait is looked at: while the mail
/// is still to go, the lead rests on, and where it went later than thought, the wait counts anew from then.
///
/// Otherwise the second mail would come with the first, or before it.
struct Unsent {
    let edition: Edition
    let settings: DripSettings
    let tx: Transaction

    /// A mail that left within so many seconds of its order left at once.
    private static let slack = 60
    /// A lead whose mail is still to go is looked at again after as long as its wait, but within these seconds.
    private static let again = 60...900

    /// A message that something keeps: what no courier has looked at yet is on its way.
    private static let isKept = """
        (o.state = 'held' OR (o.state IN ('waiting', 'sending', 'inflight') AND (
            o.attempts > 0 OR o.reason IS NOT NULL OR EXISTS (SELECT 1 FROM transport_stalls WHERE transport = o.transport))))
        """

    /// Takes out of `temp.drip_due` who is to rest on.
    func keepBack() throws {
        for (index, operation) in edition.program.operations.enumerated() where operation.isWait {
            guard let label = mail(before: index) else { continue }
            let key = Advance(edition: edition, settings: settings, tx: tx).key(label)
            // Whoever heard what the wait was for goes on at once.
            let here = "\(edition.condition) AND resting_at = \(index) AND heard IS NULL"
            try tx.scratchTable("drip_unsent", columns: "id INTEGER PRIMARY KEY, sent_at TEXT")
            try tx.db.cachedStatement(
                sql: """
                    INSERT INTO temp.drip_unsent
                    SELECT due.id, CASE o.state WHEN 'sent' THEN o.settled_at END
                    FROM (SELECT id, arrived_at, \(key) AS mail_key FROM temp.drip_due WHERE \(here)) AS due
                    CROSS JOIN outbox_messages AS o ON o.key = due.mail_key
                    WHERE \(Unsent.isKept)
                       OR (o.state = 'sent' AND o.settled_at > strftime('%Y-%m-%d %H:%M:%f', due.arrived_at, '+\(Unsent.slack) seconds'))
                    """
            ).execute()
            guard tx.db.changesCount > 0 else { continue }
            try lookAgain(after: operation.waitSeconds ?? Unsent.again.upperBound)
            try countAnew(operation, at: index)
        }
    }

    /// The label of the last mail between a wait and the one before it.
    private func mail(before wait: Int) -> String? {
        for operation in edition.program.operations[..<wait].reversed() {
            switch operation.act {
            case .mail, .test: return operation.label
            case .wait, .waitUntil, .waitFor: return nil
            default: continue
            }
        }
        return nil
    }

    private func lookAgain(after seconds: Int) throws {
        let range = Unsent.again
        let due = Timestamp.text(tx.now + Double(min(max(seconds, range.lowerBound), range.upperBound)))
        try tx.db.cachedStatement(
            sql:
                "UPDATE drip_enrolments SET due_at = ? WHERE id IN (SELECT id FROM temp.drip_unsent WHERE sent_at IS NULL)"
        ).execute(arguments: [due])
        guard tx.db.changesCount > 0 else { return }
        try Tick.appoint(at: due, key: "drip.due \(due)", tx)
        try tx.db.cachedStatement(
            sql: "DELETE FROM temp.drip_due WHERE id IN (SELECT id FROM temp.drip_unsent WHERE sent_at IS NULL)"
        ).execute()
    }

    private func countAnew(_ operation: Operation, at index: Int) throws {
        if case .waitUntil(let moment) = operation.act {
            try Rest(edition: edition, settings: settings, tx: tx).reckon(
                moment, at: index, among: "id IN (SELECT id FROM temp.drip_unsent WHERE sent_at IS NOT NULL)",
                mailedAt: "(SELECT sent_at FROM temp.drip_unsent AS u WHERE u.id = e.id)")
        } else if let seconds = operation.waitSeconds {
            try tx.db.cachedStatement(
                sql: """
                    UPDATE drip_enrolments SET due_at = strftime('%Y-%m-%d %H:%M:%f', u.sent_at, '+\(seconds) seconds')
                    FROM temp.drip_unsent AS u WHERE drip_enrolments.id = u.id AND u.sent_at IS NOT NULL
                    """
            ).execute()
        }
        let restsOn =
            "SELECT u.id FROM temp.drip_unsent AS u JOIN drip_enrolments AS e ON e.id = u.id WHERE e.due_at > :now"
        try tx.db.cachedStatement(sql: "DELETE FROM temp.drip_due WHERE id IN (\(restsOn))").execute(
            arguments: ["now": tx.stamp])
        guard tx.db.changesCount > 0 else { return }
        try Tick.wake(where: "id IN (SELECT id FROM temp.drip_unsent)", tx)
    }
}

extension Operation {
    /// How long a wait lasts at most; nil where that is a moment, or no limit.
    fileprivate var waitSeconds: Int? {
        switch act {
        case .wait(let seconds): seconds
        case .waitFor(_, _, _, let seconds, _): seconds
        default: nil
        }
    }
}
