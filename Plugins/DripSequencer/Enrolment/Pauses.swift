import Foundation
import TrellisKernel

/// Sequences that stand still while the others go on, by the config (`paused: true`) or by hand. Who comes in rests at
/// its step, who is let go goes; nothing is sent, and what waits in the outbox is held. When it is over, its lateness
/// decides about what came due, as after any time in which nobody worked.
struct Pauses {
    let sequences: [RunningSequence]
    let settings: DripSettings
    let tx: Transaction

    /// Who paused it.
    enum Author: String, Codable {
        case config, hand
    }

    /// Why the messages of a paused sequence are held.
    static let reason = "the sequence is paused"

    struct Begun: Event {
        static let kind = "drip.paused"
        let sequence: String
        let by: Author
    }

    struct Ended: Event {
        static let kind = "drip.resumed"
        let sequence: String
        let by: Author
    }

    // MARK: - What stands still

    /// The sequences that are paused, and since when.
    static func open(_ db: Database) throws -> [String: String] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT sequence, min(paused_at) FROM drip_pauses WHERE resumed_at IS NULL GROUP BY sequence")
        ).reduce(into: [:]) { $0[$1[0]] = $1[1] }
    }

    /// Whether a message of the outbox belongs to a sequence that is paused.
    static func holds(_ message: Int64, _ tx: Transaction) throws -> Bool {
        try Bool.fetchOne(
            tx.db.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM drip_pauses AS p JOIN outbox_messages AS m ON m.id = ?
                        WHERE p.resumed_at IS NULL AND substr(m.key, 1, length(p.sequence) + 6) = 'drip:' || p.sequence || ':')
                    """), arguments: [message]) ?? false
    }

    /// The messages of a sequence, as a condition on `outbox_messages`. Its key begins with `drip:NAME:`, and `;` comes
    /// right after `:`.
    static func messages(of name: String) -> String {
        "key >= \("drip:\(name):".sqlLiteral) AND key < \("drip:\(name);".sqlLiteral)"
    }

    /// What taking up the config would begin and end, and how many leads are in each; nothing is written.
    static func changes(_ sequences: [RunningSequence], _ db: Database) throws -> [(name: String, isPaused: Bool)] {
        let known = Set(
            try String.fetchAll(
                db, sql: "SELECT sequence FROM drip_pauses WHERE paused_by = 'config' AND resumed_at IS NULL"))
        return sequences.filter { $0.settings.isPaused != known.contains($0.name) }.map {
            ($0.name, $0.settings.isPaused)
        }
    }

    // MARK: - Begin

    /// Pauses a sequence by hand, at once.
    ///
    /// - Returns: false where it was so already.
    func pause(_ name: String) throws -> Bool {
        let open = try Row.fetchOne(
            tx.db,
            sql: """
                SELECT id, EXISTS (SELECT 1 FROM events WHERE id > event_id AND kind = 'drip.resumed'
                                   AND json_extract(body, '$.sequence') = sequence AND json_extract(body, '$.by') = 'hand') AS ends
                FROM drip_pauses WHERE sequence = ? AND paused_by = 'hand' AND resumed_at IS NULL
                """, arguments: [name])
        guard let open else {
            try begin(name, by: .hand, since: tx.now)
            return true
        }
        guard open["ends"] else { return false }
        // Somebody let it go, which no worker has heard of: it does not get that far.
        let event = try tx.emit(Begun(sequence: name, by: .hand))
        try tx.db.execute(
            sql: "UPDATE drip_pauses SET event_id = ? WHERE id = ?", arguments: [event, open["id"] as Int64])
        return true
    }

    private func begin(_ name: String, by author: Author, since: Date) throws {
        let event = try tx.emit(Begun(sequence: name, by: author))
        try tx.db.execute(
            sql: """
                INSERT INTO drip_pauses (sequence, paused_by, event_id, paused_at, still_since) VALUES (?, ?, ?, ?, ?)
                """, arguments: [name, author.rawValue, event, tx.stamp, Timestamp.text(min(since, tx.now))])
        try tx.hold(
            because: Pauses.reason,
            forEach: "SELECT id FROM outbox_messages WHERE \(Pauses.messages(of: name)) AND state = 'waiting'")
    }

    // MARK: - End

    /// Begins and ends the pauses that the config asks for, and forgets those of sequences it has no more.
    ///
    /// - Parameters:
    ///   - since: when the work stopped, where it has only now begun again.
    ///   - editions: every version that leads are in.
    func adopt(since: Date? = nil, _ editions: [Edition]) throws {
        for (name, isPaused) in try Pauses.changes(sequences, tx.db) {
            if isPaused {
                try begin(name, by: .config, since: since ?? tx.now)
            } else {
                try end("sequence = \(name.sqlLiteral) AND paused_by = 'config'", editions)
            }
        }
    }

    /// The pauses of sequences that the config has no more are over, and what was held of them is not wanted.
    static func forget(keeping names: [String], _ tx: Transaction) throws {
        let known = names.map(\.sqlLiteral).joined(separator: ", ")
        for name in try Pauses.open(tx.db).keys.sorted() where !names.contains(name) {
            try tx.withdraw(
                because: "the sequence is over: \(Departure.removed)",
                forEach: """
                    SELECT lead_id, key AS prefix, key AS suffix FROM outbox_messages
                    WHERE \(messages(of: name)) AND state = 'held' AND held_by = '\(tx.origin)'
                    """)
        }
        try tx.db.execute(
            sql: "UPDATE drip_pauses SET resumed_at = ? WHERE resumed_at IS NULL AND sequence NOT IN (\(known))",
            arguments: [tx.stamp])
    }

    /// Where the work stopped before a sequence was paused, it stands still since then.
    func stretch(to since: Date) throws {
        try tx.db.execute(
            sql: "UPDATE drip_pauses SET still_since = :since WHERE resumed_at IS NULL AND still_since > :since",
            arguments: ["since": Timestamp.text(since)])
    }

    /// Ends the pauses that somebody ended by hand.
    func hear(_ editions: [Edition]) throws {
        try end(
            """
            paused_by = 'hand' AND EXISTS (
                SELECT 1 FROM events AS e WHERE e.kind = 'drip.resumed' AND e.id > drip_pauses.event_id
                AND json_extract(e.body, '$.by') = 'hand' AND json_extract(e.body, '$.sequence') = drip_pauses.sequence)
            """, editions)
    }

    /// Not by a clock that is not believed: it does not say what is late. `catchUp` ends them then.
    private func end(_ condition: String, _ editions: [Edition]) throws {
        guard try tx.isClockTrusted else { return }
        let ending = try Row.fetchAll(
            tx.db,
            sql:
                "SELECT id, sequence, paused_by, still_since FROM drip_pauses WHERE resumed_at IS NULL AND \(condition)"
        )
        for row in ending {
            let (id, name): (Int64, String) = (row["id"], row["sequence"])
            try tx.db.execute(
                sql: "UPDATE drip_pauses SET resumed_at = ? WHERE id = ?", arguments: [tx.stamp, id])
            if row["paused_by"] == Author.config.rawValue { try tx.emit(Ended(sequence: name, by: .config)) }
            // Paused by both, it stands still until both say that it may go on.
            let others = try Row.fetchOne(
                tx.db, sql: "SELECT id, still_since FROM drip_pauses WHERE sequence = ? AND resumed_at IS NULL",
                arguments: [name])
            let since: String = row["still_since"]
            if let others {
                try tx.db.execute(
                    sql: "UPDATE drip_pauses SET still_since = min(still_since, ?) WHERE id = ?",
                    arguments: [since, others["id"] as Int64])
                continue
            }
            try resume(name, since: Timestamp.date(since) ?? tx.now, editions.filter { $0.sequence.name == name })
        }
    }

    private func resume(_ name: String, since: Date, _ editions: [Edition]) throws {
        guard let sequence = sequences.first(where: { $0.name == name }) else { return }
        let downtime = Downtime(editions: editions, settings: settings, since: since, tx: tx)
        try downtime.settle(shiftingAgain: true)
        try downtime.settle(
            held: "\(Pauses.messages(of: name)) AND state = 'held' AND held_by = '\(tx.origin)'",
            sequence.settings.late)
        // Its appointments went by while it stood still.
        try Tick.appoint(at: tx.stamp, key: nil, tx)
    }
}
