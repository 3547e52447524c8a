/// Facts that will happen. They move to the log when they are due; there are no other timers.
enum ScheduledEvents {
    /// At most so many move in one transaction.
    static let moveMax = 5000

    /// Moves what is due, except of plugins that are off: their appointments are frozen. Returns how many moved.
    static func moveDue(_ kernel: Kernel) throws -> Int {
        let now = Timestamp.text(kernel.clock.now())
        let isDue = try kernel.read { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM scheduled_events AS s WHERE due_at <= ? AND \(isAwake))"),
                arguments: [now])
        }
        guard isDue == true else { return 0 }
        return try kernel.write(origin: "schedule") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO events (kind, lead_id, cause_id, depth, origin, at, body)
                    SELECT kind, lead_id, cause_id, depth, CASE owner WHEN 'kernel' THEN 'kernel' ELSE 'plugin:' || owner END, :now, body
                    FROM scheduled_events AS s WHERE due_at <= :due AND \(isAwake) ORDER BY due_at, id LIMIT \(moveMax)
                    """, arguments: ["now": tx.stamp, "due": now])
            try tx.db.execute(
                sql: """
                    DELETE FROM scheduled_events WHERE id IN (
                        SELECT id FROM scheduled_events AS s WHERE due_at <= ? AND \(isAwake) ORDER BY due_at, id LIMIT \(moveMax))
                    """, arguments: [now])
            return tx.db.changesCount
        }
    }

    /// When the next one after a moment is due; nil where none waits.
    static func nextDue(after stamp: String, _ db: Database) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(
                sql: "SELECT due_at FROM scheduled_events AS s WHERE due_at > ? AND \(isAwake) ORDER BY due_at LIMIT 1"),
            arguments: [stamp])
    }

    /// The plugins that are made anew from the log.
    private static let madeAnew = """
        SELECT substr(a.id, 1, instr(a.id, '/') - 1) FROM subscribers AS a
        WHERE a.last_event_id < a.anew_through AND substr(a.id, 1, instr(a.id, '/') - 1) IN (SELECT name FROM plugins WHERE is_on)
        """
    /// While the clock cannot be trusted nothing is due, and what a plugin that is off has made never is. Who waits for
    /// another that is made anew waits with its appointments, too: else each batch would make one.
    private static let isAwake = """
        NOT EXISTS (SELECT 1 FROM plugins AS p WHERE p.name = s.owner AND NOT p.is_on)
        AND NOT EXISTS (SELECT 1 FROM clock_jumps WHERE settled_at IS NULL)
        AND (NOT EXISTS (\(madeAnew)) OR s.owner IN (\(madeAnew)) OR s.owner = 'kernel')
        """
}
