import TrellisKernel

/// What the plugin promises of its rows, for `trellis doctor`.
enum Promises {
    static let all = [
        Invariant(
            "a lead is in one pair of hands",
            violations: """
                SELECT lead_id FROM handoff_handoffs WHERE state IN ('queued', 'offered', 'escalated', 'accepted', 'expired')
                GROUP BY lead_id HAVING count(*) > 1
                """),
        Invariant(
            "cycles of handoffs are counted without a gap",
            violations: "SELECT lead_id FROM handoff_handoffs GROUP BY lead_id HAVING max(cycle) <> count(*)"),
        Invariant(
            "what each rep has in hand is counted",
            violations: """
                SELECT rep, in_hand FROM handoff_loads AS l
                WHERE in_hand <> (SELECT count(*) FROM handoff_handoffs AS h WHERE h.rep = l.rep AND h.state IN ('offered', 'escalated', 'accepted'))
                """),
        Invariant(
            "each handoff is where its last step left it",
            violations: """
                SELECT h.id, h.state FROM handoff_handoffs AS h
                WHERE (h.state, h.rep) IS NOT (
                    SELECT t.state, t.rep FROM handoff_transitions AS t
                    WHERE t.handoff_id = h.id AND t.state NOT IN ('won', 'lost') ORDER BY t.id DESC LIMIT 1)
                """),
        Invariant(
            "every step of a handoff has its event",
            violations: """
                SELECT t.id FROM handoff_transitions AS t LEFT JOIN events AS e ON e.id = t.event_id
                WHERE t.event_id IS NOT NULL AND e.kind IS NOT 'handoff.' || t.state
                """),
        Invariant(
            "no handoff moved in a way there is not",
            violations: """
                SELECT id, was, state FROM (
                    SELECT id, state, lag(state) OVER (PARTITION BY handoff_id ORDER BY id) AS was
                    FROM handoff_transitions WHERE state NOT IN ('won', 'lost'))
                WHERE was IS NOT NULL AND (was, state) NOT IN (SELECT from_state, to_state FROM handoff_moves)
                """),
        Invariant(
            "a lead that lapsed is somebody's again at once",
            violations: """
                SELECT id FROM handoff_handoffs WHERE state = 'expired' AND (
                    SELECT event_id FROM handoff_transitions AS t WHERE t.handoff_id = handoff_handoffs.id ORDER BY t.id DESC LIMIT 1)
                    <= (SELECT last_event_id FROM subscribers WHERE id = 'handoff/announce')
                """),
        Invariant(
            "every clock that runs has its appointment",
            violations: """
                SELECT id, clock FROM (
                    SELECT id, offer, 'accept' AS clock, accept_by AS due_at FROM handoff_handoffs WHERE state = 'offered' AND accept_by IS NOT NULL
                    UNION ALL
                    SELECT id, offer, 'contact', contact_by FROM handoff_handoffs
                    WHERE state = 'accepted' AND contact_by IS NOT NULL AND contacted_at IS NULL)
                WHERE 'handoff:' || id || ':' || offer || ':' || clock || ':' || due_at NOT IN (SELECT key FROM scheduled_events WHERE key IS NOT NULL)
                  AND (id, offer, clock) NOT IN (
                    SELECT body ->> 'handoff', body ->> 'offer', body ->> 'clock' FROM events
                    WHERE kind = 'handoff.clock_due' AND body ->> 'handoff' IS NOT NULL)
                """),
        Invariant(
            "no clock that ran out was missed",
            violations: """
                SELECT h.id FROM events AS e JOIN handoff_handoffs AS h ON h.id = e.body ->> 'handoff' AND h.offer = e.body ->> 'offer'
                WHERE e.kind = 'handoff.clock_due' AND e.id <= (SELECT last_event_id FROM subscribers WHERE id = 'handoff/clocks')
                  AND e.id NOT IN (SELECT event_id FROM parked_events WHERE subscriber = 'handoff/clocks')
                  AND (e.body ->> 'clock' = 'accept' AND h.state = 'offered' AND h.accept_by <= e.at
                       OR e.body ->> 'clock' = 'contact' AND h.state = 'accepted' AND h.contacted_at IS NULL AND h.contact_by <= e.at)
                """),
        Invariant(
            "who rests has an end of it",
            violations: "SELECT id FROM handoff_handoffs WHERE state = 'recycled' AND rests_until IS NULL"),
        Invariant(
            "leads are dealt by weight, to within a few",
            violations: """
                SELECT pool, rep, dealt, entitled / 1000000.0 AS entitled FROM handoff_turns
                WHERE pool = 'round_robin' AND abs(dealt - entitled / 1000000.0) > 3 + 0.02 * dealt
                """),
    ]
}
