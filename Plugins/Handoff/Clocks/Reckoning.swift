import TrellisKernel

/// Reckons the clocks that run anew, from when they began, by the calendars as they are now: a rep who goes away, is
/// back sooner, or was to go away and stays has the working time that the config says, no less and no more.
struct Reckoning {
    let settings: HandoffSettings
    let tx: Transaction

    /// What says that the calendar of a rep changed, or everybody's.
    static let kind = "handoff.calendar_changed"

    /// The clocks of the reps of the batch: their appointments move with them.
    func followCalendars() throws {
        let changed = "FROM batch AS b WHERE b.kind = '\(Reckoning.kind)'"
        let isRunning = try gather(
            """
            SELECT h.id AS handoff_id, s.body ->> 'clock' AS clock, s.body ->> 'since' AS since, s.key
            FROM handoff_handoffs AS h CROSS JOIN scheduled_events AS s
                ON s.key > 'handoff:' || h.id || ':' || h.offer || ':' AND s.key < 'handoff:' || h.id || ':' || h.offer || ';'
            WHERE h.state IN ('offered', 'escalated', 'accepted')
              AND (h.rep IN (SELECT b.body ->> 'rep' \(changed)) OR EXISTS (SELECT 1 \(changed) AND b.body ->> 'rep' IS NULL))
            """)
        if isRunning { try move() }
    }

    /// The clocks of `temp.handoff_rung` that by now are not due yet ring later, and are no more among them: who went
    /// away, or a holiday that was noted, may not have been looked at before.
    func postpone() throws {
        guard try gather("SELECT handoff_id, clock, since, NULL AS key FROM temp.handoff_rung") else { return }
        try tx.db.cachedStatement(sql: "DELETE FROM temp.handoff_dues WHERE due_at <= ?").execute(arguments: [tx.stamp])
        try move()
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM temp.handoff_rung WHERE (handoff_id, clock) IN (SELECT r.handoff_id, r.clock FROM \(Reckoning.moved))
                """
        ).execute()
    }

    // MARK: - Steps

    /// The clocks of which a moment is known.
    private static let moved = """
        temp.handoff_running AS r JOIN temp.handoff_dues AS due ON due.rep = r.rep AND due.at = r.since AND due.clock = r.clock
        """

    /// Fills `temp.handoff_running` with those clocks that nobody has stopped, and `temp.handoff_dues` with their
    /// moments. False where there are none.
    ///
    /// - Parameter clocks: a SELECT of `handoff_id, clock, since, key`, the last that of the appointment.
    private func gather(_ clocks: String) throws -> Bool {
        try tx.scratchTable(
            "handoff_running",
            columns: """
                handoff_id INTEGER, lead_id INTEGER, event_id INTEGER, rep TEXT, offer INTEGER, clock TEXT, since TEXT, key TEXT
                """)
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_running
                SELECT h.id, h.lead_id, h.event_id, h.rep, h.offer, c.clock, c.since, c.key
                FROM (\(clocks)) AS c CROSS JOIN handoff_handoffs AS h ON h.id = c.handoff_id
                WHERE c.since IS NOT NULL AND (
                    h.state = 'offered' AND (c.clock = 'accept' OR c.clock GLOB 'remind [0-9]*')
                    OR h.state = 'accepted' AND h.contacted_at IS NULL AND (c.clock = 'contact' OR c.clock GLOB 'remind_contact [0-9]*')
                    OR h.state = 'escalated' AND c.clock = 'return' AND c.since = h.escalated_at)
                """
        ).execute()
        guard tx.db.changesCount > 0 else { return false }
        try Appointments(settings: settings, tx: tx).reckon(
            settings.clocks.all, from: "SELECT DISTINCT rep, since FROM temp.handoff_running")
        return true
    }

    /// The appointments, and what is told of them where people look for it.
    private func move() throws {
        try tx.db.cachedStatement(
            sql: "DELETE FROM scheduled_events WHERE key IN (SELECT r.key FROM \(Reckoning.moved))"
        ).execute()
        try tx.schedule(
            Appointments.kind,
            forEach: """
                SELECT 'handoff:' || r.handoff_id || ':' || r.offer || ':' || r.clock || ':' || due.due_at AS key, due.due_at, r.lead_id,
                       r.event_id AS cause_id, json_object('handoff', r.handoff_id, 'offer', r.offer, 'clock', r.clock, 'since', r.since) AS body
                FROM \(Reckoning.moved)
                """)
        for (state, clock, column) in [("offered", "accept", "accept_by"), ("accepted", "contact", "contact_by")] {
            try tx.db.cachedStatement(
                sql: """
                    UPDATE handoff_handoffs SET \(column) = due.due_at FROM \(Reckoning.moved)
                    WHERE handoff_handoffs.id = r.handoff_id AND r.clock = '\(clock)'
                    """
            ).execute()
            try tx.db.cachedStatement(
                sql: """
                    UPDATE handoff_transitions SET due_at = due.due_at FROM \(Reckoning.moved)
                    WHERE r.clock = '\(clock)' AND handoff_transitions.id = (
                        SELECT max(t.id) FROM handoff_transitions AS t WHERE t.handoff_id = r.handoff_id AND t.state = '\(state)')
                    """
            ).execute()
        }
    }
}
