import Foundation
import TrellisKernel

/// Takes every enrolment that is due as far as it can go now: a few statements per operation, however many leads
/// there are.
///
/// The due ones are moved along in a temp table; `drip_enrolments` is written once per lead, when it comes to a wait or
/// to the end. What does not fit into one transaction is left for an appointment made for right now.
struct Tick {
    let sequences: [RunningSequence]
    let tx: Transaction

    /// Enrolments in one transaction: about 50 ms.
    static let most = 5000

    func run() throws {
        try tx.scratchTable(
            "drip_due",
            columns:
                "id INTEGER PRIMARY KEY, lead_id INTEGER, cycle INTEGER, event_id INTEGER, step INTEGER, sequence TEXT")
        let known = sequences.map(\.name.sqlLiteral).joined(separator: ", ")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.drip_due SELECT id, lead_id, cycle, event_id, step, sequence FROM drip_enrolments
                WHERE state = 'active' AND due_at <= ? AND sequence IN (\(known)) ORDER BY due_at LIMIT \(Tick.most)
                """
        ).execute(arguments: [tx.stamp])
        let count = tx.db.changesCount
        guard count > 0 else { return }
        for sequence in sequences { try advance(sequence) }
        if count == Tick.most { try Tick.appoint(at: tx.stamp, key: nil, tx) }
    }

    private func advance(_ sequence: RunningSequence) throws {
        let name = sequence.name.sqlLiteral
        let steps = Set(
            try Int.fetchAll(
                tx.db.cachedStatement(sql: "SELECT DISTINCT step FROM temp.drip_due WHERE sequence = ?"),
                arguments: [sequence.name]))
        guard let first = steps.min() else { return }
        let operations = sequence.program.operations
        for (index, operation) in operations.enumerated().dropFirst(first) {
            let here = "sequence = \(name) AND step = \(index)"
            switch operation {
            case .wait(let span): try wait(span, here, next: index + 1)
            case .mail(let mail, let label):
                try tx.send(
                    .marketing,
                    forEach: """
                        SELECT 'drip:' || sequence || ':\(label):lead ' || lead_id || ':cycle ' || cycle AS key, lead_id, NULL AS recipient,
                               \(mail.sqlLiteral) AS template, '{}' AS body, event_id AS cause_id
                        FROM temp.drip_due WHERE \(here)
                        """)
                try move(here, to: "\(index + 1)")
            case .branch(let condition, let otherwise):
                try move(
                    here,
                    to: """
                        CASE WHEN (SELECT 1 FROM leads WHERE leads.id = drip_due.lead_id AND (\(condition)
                        )) THEN \(index + 1) ELSE \(otherwise) END
                        """)
            case .jump(let target): try move(here, to: "\(target)")
            case .set(let columns):
                try set(columns, here)
                try move(here, to: "\(index + 1)")
            case .exit: try move(here, to: "\(operations.count)")
            }
        }
        try complete(sequence, end: operations.count)
    }

    private func move(_ here: String, to step: String) throws {
        try tx.db.cachedStatement(sql: "UPDATE temp.drip_due SET step = \(step) WHERE \(here)").execute()
    }

    /// The one write of a lead that waits on; one appointment wakes all that came here together.
    private func wait(_ span: Span, _ here: String, next: Int) throws {
        let due = Timestamp.text(tx.now + Double(span.seconds))
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET step = \(next), due_at = ? WHERE id IN (SELECT id FROM temp.drip_due WHERE \(here))
                """
        ).execute(arguments: [due])
        guard tx.db.changesCount > 0 else { return }
        try tx.db.cachedStatement(sql: "DELETE FROM temp.drip_due WHERE \(here)").execute()
        try Tick.appoint(at: due, key: "drip.due \(due)", tx)
    }

    private func set(_ columns: [Named<LocatedText>], _ here: String) throws {
        let assignments = columns.map { "\"\($0.name)\" = \($0.value.value.sqlLiteral)" }.joined(separator: ", ")
        try tx.db.cachedStatement(
            sql: """
                UPDATE leads SET \(assignments), updated_at = ? WHERE id IN (SELECT lead_id FROM temp.drip_due WHERE \(here))
                """
        ).execute(arguments: [tx.stamp])
    }

    private func complete(_ sequence: RunningSequence, end: Int) throws {
        let here = "sequence = \(sequence.name.sqlLiteral) AND step >= \(end)"
        try tx.db.cachedStatement(
            sql: """
                UPDATE drip_enrolments SET state = 'completed', step = \(end), due_at = NULL, ended_at = ? WHERE id IN (SELECT id FROM temp.drip_due WHERE \(here))
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

    static func appoint(at due: String, key: String?, _ tx: Transaction) throws {
        try tx.schedule(
            "drip.due", forEach: "SELECT :key AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
            arguments: ["key": key, "due": due])
    }
}
