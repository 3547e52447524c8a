import Foundation
import Logging

/// Events a subscriber could not handle. They are tried again after 1 s, 16 s, 81 s and 256 s, and then rest until a
/// person says `trellis events retry`. Later events of the subscriber do not wait for them.
enum ParkedEvents {
    /// Tries before an event rests for good; the fifth would come ten minutes after the first.
    static let attemptsMax = 5
    static let retriesAtOnce = 100

    static func wait(after attempts: Int) -> TimeInterval {
        Double(attempts * attempts * attempts * attempts)
    }

    /// Notes the first failure, and lets the subscriber pass the event.
    static func setAside(_ eventID: Int64, of id: HookID, because error: any Error, _ kernel: Kernel) throws {
        let loop = try loopChain(error, eventID, kernel)
        try kernel.write(origin: "kernel") { tx in
            let retryAt = loop == nil ? Timestamp.text(tx.now + wait(after: 1)) : nil
            try note(eventID, of: id, attempts: 1, retryAt: retryAt, error: loop ?? sentence(error), tx)
            try Cursor.pass(id, through: eventID, tx.db)
        }
        kernel.logger.warning("\(id) could not handle event \(eventID): \(loop ?? sentence(error))")
    }

    /// Counts a further try before it begins, so that one the process dies of counts too.
    static func begin(_ eventID: Int64, of id: HookID, _ kernel: Kernel) throws {
        try kernel.write(origin: "kernel") { tx in
            let attempts =
                try Int.fetchOne(
                    tx.db,
                    sql: """
                        UPDATE parked_events SET attempts = attempts + 1 WHERE subscriber = ? AND event_id = ? RETURNING attempts
                        """, arguments: [id.description, eventID]) ?? attemptsMax
            let retryAt = attempts < attemptsMax ? Timestamp.text(tx.now + wait(after: attempts)) : nil
            try tx.db.execute(
                sql: "UPDATE parked_events SET retry_at = ? WHERE subscriber = ? AND event_id = ?",
                arguments: [retryAt, id.description, eventID])
        }
    }

    /// Notes why a further try failed.
    static func failed(_ eventID: Int64, of id: HookID, because error: any Error, _ kernel: Kernel) throws {
        let loop = try loopChain(error, eventID, kernel)
        try kernel.write(origin: "kernel") { tx in
            try tx.db.execute(
                sql: """
                    UPDATE parked_events SET error = ?, retry_at = iif(?, NULL, retry_at) WHERE subscriber = ? AND event_id = ?
                    """, arguments: [loop ?? sentence(error), loop != nil, id.description, eventID])
        }
        kernel.logger.warning("\(id) could not handle event \(eventID): \(loop ?? sentence(error))")
    }

    /// Lets the subscriber pass an event that was not run at all.
    static func park(_ eventID: Int64, of id: HookID, because reason: String, _ kernel: Kernel) throws {
        try kernel.write(origin: "kernel") { tx in
            try note(eventID, of: id, attempts: 3, retryAt: nil, error: reason, tx)
            try Cursor.pass(id, through: eventID, tx.db)
        }
        kernel.logger.error("\(id): event \(eventID) is parked: \(reason)")
    }

    static func forget(_ eventID: Int64, of id: HookID, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM parked_events WHERE subscriber = ? AND event_id = ?").execute(
            arguments: [id.description, eventID])
    }

    /// What is to be tried again now, of these subscribers alone: what others left must not take their turn.
    static func due(for subscriptions: [HookTable.Subscription], _ kernel: Kernel) throws -> [(
        HookTable.Subscription, Int64
    )] {
        try kernel.read { db in
            let ids = JSONValue.array(subscriptions.map { .string($0.id.description) }).text()
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT subscriber, event_id FROM parked_events
                        WHERE retry_at <= ? AND subscriber IN (SELECT value FROM json_each(?))
                        ORDER BY event_id LIMIT \(retriesAtOnce)
                        """), arguments: [Timestamp.text(kernel.clock.now()), ids])
            return rows.compactMap { row in
                subscriptions.first { $0.id.description == row[0] as String }.map { ($0, row[1]) }
            }
        }
    }

    private static func note(
        _ eventID: Int64, of id: HookID, attempts: Int, retryAt: String?, error: String, _ tx: Transaction
    ) throws {
        try tx.db.execute(
            sql: """
                INSERT INTO parked_events (subscriber, event_id, attempts, retry_at, error, parked_at) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET attempts = excluded.attempts, retry_at = excluded.retry_at, error = excluded.error
                """, arguments: [id.description, eventID, attempts, retryAt, error, tx.stamp])
    }

    /// What is told of an error: the SQL of a statement, never its values.
    private static func sentence(_ error: any Error) -> String {
        if let failure = error as? DatabaseError {
            if failure.resultCode == .SQLITE_INTERRUPT { return "took longer than its time budget and was interrupted" }
            if let instead = UntoldWords.instead(of: error) { return instead }
            return
                "\(failure.message ?? "SQLite error \(failure.resultCode.rawValue)")\(failure.sql.map { " in: \($0.prefix(200))" } ?? "")"
        }
        return UntoldWords.instead(of: error) ?? "\(error)"
    }

    /// A chain of causes beyond the limit is a loop; the names in it are shown, the nearest first.
    private static func loopChain(_ error: any Error, _ eventID: Int64, _ kernel: Kernel) throws -> String? {
        guard let failure = error as? DatabaseError, failure.message?.contains("loop_stopped_at_depth_16") == true
        else { return nil }
        let chain = try kernel.read { db in
            try String.fetchAll(
                db,
                sql: """
                    WITH RECURSIVE chain (id, kind, origin, cause_id, step) AS (
                        SELECT id, kind, origin, cause_id, 0 FROM events WHERE id = ?
                        UNION ALL
                        SELECT e.id, e.kind, e.origin, e.cause_id, step + 1 FROM chain JOIN events AS e ON e.id = chain.cause_id WHERE step < 16)
                    SELECT origin || ' ' || kind FROM chain ORDER BY step DESC
                    """, arguments: [eventID])
        }
        return "loop stopped at depth 16: " + chain.joined(separator: " → ")
    }
}
