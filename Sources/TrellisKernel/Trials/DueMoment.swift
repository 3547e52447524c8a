import Foundation

/// When something is to be done next: an appointment, a message whose time comes, an event that is tried again.
enum DueMoment {
    /// The first moment after `now` at which work becomes due; nil where none ever does. What is due by `now` and
    /// still there cannot be done at all, and is not waited for.
    ///
    /// - Parameter transports: the kinds of message that somebody carries.
    static func next(after now: Date, transports: [String], _ db: Database) throws -> Date? {
        let stamp = Timestamp.text(now)
        let appointment = try ScheduledEvents.nextDue(after: stamp, db)
        let retry = try String.fetchOne(
            db.cachedStatement(sql: "SELECT min(retry_at) FROM parked_events WHERE retry_at > ?"), arguments: [stamp])
        let messages = try transports.map { try message($0, after: stamp, db) }
        return ([appointment, retry] + messages).compactMap { $0 }.min().flatMap { Timestamp.date($0) }
    }

    /// While the way out is closed nothing goes, however long it has been waiting.
    private static func message(_ transport: String, after stamp: String, _ db: Database) throws -> String? {
        let stall = try String.fetchOne(
            db.cachedStatement(sql: "SELECT retry_at FROM transport_stalls WHERE transport = ? AND retry_at > ?"),
            arguments: [transport, stamp])
        let ready = try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT min(ready_at) FROM outbox_messages WHERE transport = ? AND state = 'waiting' AND (ready_at > ? OR ?)
                    """), arguments: [transport, stamp, stall != nil])
        return ready.map { max($0, stall ?? $0) }
    }
}
