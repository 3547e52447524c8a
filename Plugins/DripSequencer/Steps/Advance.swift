import Foundation
import TrellisKernel

/// One pass over the operations of one version of a sequence, in order, with all leads of `temp.drip_due` that are in
/// it.
struct Advance {
    let edition: Edition
    let settings: DripSettings
    let tx: Transaction

    private var operations: [Operation] { edition.program.operations }

    /// - Parameter reached: the operation that is done, for whoever is told that it failed.
    func run(_ reached: inout Int) throws {
        let first = try Int.fetchOne(
            tx.db.cachedStatement(sql: "SELECT min(step) FROM temp.drip_due WHERE sequence = ? AND version = ?"),
            arguments: [edition.sequence.name, edition.version])
        guard let first else { return }
        for (index, operation) in operations.enumerated().dropFirst(first) {
            let here = "\(edition.condition) AND step = \(index)"
            reached = index
            switch operation.act {
            case .wait, .waitUntil, .waitFor:
                try Rest(edition: edition, settings: settings, tx: tx).lie(at: index, operation, where: here)
            case .branch(let condition, let otherwise):
                try move(
                    here,
                    to: """
                        CASE WHEN (SELECT 1 FROM leads WHERE leads.id = drip_due.lead_id AND (\(condition)
                        )) THEN \(index + 1) ELSE \(otherwise) END
                        """)
            case .jump(let target): try move(here, to: "\(target)")
            case .exit: try move(here, to: "\(operations.count)")
            default:
                try act(operation, here)
                try move(here, to: "\(index + 1)")
            }
        }
        reached = operations.count
        try complete()
    }

    private func act(_ operation: Operation, _ here: String) throws {
        switch operation.act {
        case .mail(let name, let seconds):
            try mail(
                name, label: operation.label, within: seconds.map { Span(seconds: $0) }, "\(here) AND is_late = 0")
        case .test(let test):
            try Experiment(test: test, sequence: edition.sequence, tx: tx).assign("\(here) AND is_late = 0")
            for arm in test.mails {
                try mail(
                    arm.mail, label: operation.label,
                    """
                    \(here) AND is_late = 0 AND EXISTS (
                        SELECT 1 FROM drip_arms AS a WHERE a.sequence = drip_due.sequence AND a.test = \(test.name.sqlLiteral)
                        AND a.lead_id = drip_due.lead_id AND a.arm = \(arm.mail.sqlLiteral))
                    """)
            }
        case .task(let order):
            try TaskStep(order: order, cap: settings.cap.task, tx: tx).give(
                key: key(operation.label), "\(here) AND is_late = 0")
        case .webhook(let name):
            try tx.callWebhook(
                forEach: """
                    SELECT \(key(operation.label)) AS key, lead_id, \(name.sqlLiteral) AS recipient, 'drip.webhook' AS template,
                           json_object('sequence', sequence, 'step', \(operation.label.sqlLiteral), 'cycle', CAST(cycle AS TEXT)) AS body,
                           event_id AS cause_id
                    FROM temp.drip_due WHERE \(here) AND is_late = 0
                    """)
        case .set(let columns): try set(columns, here)
        case .enter(let sequence): try tell("drip.invited", sequence, here)
        case .leave(let sequence): try tell("drip.dismissed", sequence, here)
        default: break
        }
    }

    /// `drip:welcome:3:lead 42:cycle 1`: the intent of what a step sends. A later version says so, for its steps are
    /// not those of the first.
    func key(_ label: String) -> String {
        let place = edition.version > 1 ? "\(label)@\(edition.version)" : label
        return "'drip:' || sequence || ':\(place):lead ' || lead_id || ':cycle ' || cycle"
    }

    /// A mail goes out at the next hour that is not quiet where the lead is. Who moved here from another version does
    /// not get again what came before.
    private func mail(_ name: String, label: String, within: Span? = nil, _ here: String) throws {
        let purpose = tx.purpose(ofMail: name)
        let isTimed = settings.quiet != nil && purpose == .marketing
        if let quiet = settings.quiet, isTimed {
            try quiet.open(forLeadsOf: here, or: edition.sequence.settings.timezone, tx)
        }
        let zone =
            isTimed
            ? ", (SELECT zone FROM temp.drip_zones WHERE drip_zones.lead_id = drip_due.lead_id) AS zone" : ""
        let isNew =
            edition.version == 1
            ? ""
            : """
             AND (first_version = version OR NOT EXISTS (
                SELECT 1 FROM outbox_messages AS o WHERE o.lead_id = drip_due.lead_id AND o.template = \(name.sqlLiteral)
                AND o.origin = 'plugin:drip' AND o.key GLOB 'drip:*:cycle ' || drip_due.cycle
                AND substr(o.key, 1, length(drip_due.sequence) + 6) = 'drip:' || drip_due.sequence || ':'))
            """
        try tx.send(
            purpose,
            forEach: """
                SELECT \(key(label)) AS key, lead_id, NULL AS recipient, \(name.sqlLiteral) AS template, '{}' AS body,
                       event_id AS cause_id\(zone)
                FROM temp.drip_due WHERE \(here)\(isNew)
                """,
            ready: isTimed ? "(SELECT at FROM temp.drip_openings WHERE drip_openings.zone = message.zone)" : ":now",
            within: within, list: edition.sequence.settings.list)
        if isTimed { try noteOpenings(here) }
    }

    /// Where it is quiet now, the mail goes out later, and what follows it counts from then.
    private func noteOpenings(_ here: String) throws {
        let isQuiet = try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM temp.drip_openings WHERE at > ?)"),
            arguments: [tx.stamp])
        guard isQuiet == true else { return }
        try tx.db.cachedStatement(
            sql: """
                UPDATE temp.drip_due SET mailed_at = max(opening_at, coalesce(mailed_at, ''))
                FROM (SELECT z.lead_id AS opening_lead, o.at AS opening_at
                      FROM temp.drip_zones AS z JOIN temp.drip_openings AS o ON o.zone = z.zone WHERE o.at > ?)
                WHERE lead_id = opening_lead AND \(here)
                """
        ).execute(arguments: [tx.stamp])
    }

    /// Puts a fact about another sequence into the log; whoever runs it hears of it there.
    private func tell(_ kind: String, _ sequence: String, _ here: String) throws {
        try tx.emit(
            kind,
            forEach: """
                SELECT lead_id, event_id AS cause_id, json_object('sequence', \(sequence.sqlLiteral)) AS body
                FROM temp.drip_due WHERE \(here)
                """)
    }

    private func set(_ columns: [Operation.Assignment], _ here: String) throws {
        let assignments = columns.map { "\"\($0.column)\" = \($0.value?.sqlLiteral ?? "NULL")" }.joined(separator: ", ")
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET \(assignments), updated_at = ? WHERE id IN (SELECT lead_id FROM temp.drip_due WHERE \(here))
                """
        ).execute(arguments: [tx.stamp])
    }

    private func move(_ here: String, to step: String) throws {
        try tx.db.cachedStatement(sql: "UPDATE temp.drip_due SET step = \(step) WHERE \(here)").execute()
    }

    private func complete() throws {
        let end = operations.count
        let here = "\(edition.condition) AND step >= \(end)"
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET state = 'completed', step = \(end), due_at = NULL, resting_at = NULL, ended_at = ?,
                    \(FailingSteps.none)
                WHERE id IN (SELECT id FROM temp.drip_due WHERE \(here))
                """
        ).execute(arguments: [tx.stamp])
        guard tx.db.changesCount > 0 else { return }
        try tx.emit(
            "drip.completed",
            forEach: """
                SELECT lead_id, event_id AS cause_id, json_object('sequence', sequence) AS body FROM temp.drip_due WHERE \(here)
                """)
        try tx.db.cachedStatement(sql: "DELETE FROM temp.drip_due WHERE \(here)").execute()
    }
}
