import Foundation
import TrellisKernel

/// What happens when clocks run out: reminders, escalation, and the lead that goes on to somebody else.
struct Overrun {
    let settings: HandoffSettings
    let tx: Transaction

    private var clocks: Clocks { settings.clocks }

    /// The appointments of the batch, as far as nobody has overtaken them.
    func runOut() throws {
        try tx.scratchTable(
            "handoff_rung", columns: "event_id INTEGER PRIMARY KEY, handoff_id INTEGER, clock TEXT, since TEXT")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.handoff_rung
                SELECT b.id, h.id, b.body ->> 'clock', b.body ->> 'since' FROM batch AS b
                CROSS JOIN handoff_handoffs AS h ON h.id = b.body ->> 'handoff' AND h.offer = b.body ->> 'offer'
                WHERE b.kind = '\(Appointments.kind)'
                """
        ).execute()
        guard tx.db.changesCount > 0 else { return }
        // A clock that stood still since it was set, because somebody was away, rings later.
        try Reckoning(settings: settings, tx: tx).postpone()
        try remind("remind", while: "h.state = 'offered'")
        try remind("remind_contact", while: "h.state = 'accepted' AND h.contacted_at IS NULL")
        let isLate = """
            (state = 'offered' AND accept_by <= :now AND clock = 'accept'
             OR state = 'accepted' AND contacted_at IS NULL AND contact_by <= :now AND clock = 'contact')
            """
        if clocks.escalateTo != nil {
            try move(to: "escalated", where: isLate)
            try move(
                to: "expired", where: "(state = 'escalated' AND clock = 'return' AND escalated_at = since)")
        } else {
            try move(to: "expired", where: isLate)
        }
        try passOn()
        try tellOfQueue()
    }

    /// Leads that nobody took from the queue in time: it is noted, and somebody is told, once each time they are there.
    private func tellOfQueue() throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET escalated_at = :now FROM temp.handoff_rung AS r
                WHERE r.handoff_id = handoff_handoffs.id AND r.clock = 'queue' AND state = 'queued' AND offered_at = r.since AND escalated_at IS NULL
                """
        ).execute(arguments: ["now": tx.stamp])
        guard tx.db.changesCount > 0, let address = clocks.escalateTo else { return }
        try tx.send(
            .internal,
            forEach: """
                SELECT 'handoff:' || h.id || ':queue ' || r.since AS key, h.lead_id, :address AS recipient,
                       'handoff-escalation' AS template, json_object('handoff', h.id, 'offer', h.offer) AS body, r.event_id AS cause_id
                FROM temp.handoff_rung AS r JOIN handoff_handoffs AS h ON h.id = r.handoff_id
                WHERE r.clock = 'queue' AND h.state = 'queued' AND h.offered_at = r.since AND h.escalated_at = :now
                """, arguments: ["address": address, "now": tx.stamp])
    }

    /// Handoffs that lapsed go to somebody else, or to the queue: nobody is without either at any moment.
    func passOn() throws {
        let routing = Routing(settings: settings, tx: tx)
        switch clocks.expired {
        case .route: try routing.again("h.state = 'expired'")
        case .queue: try routing.toQueue("h.state = 'expired'", because: "taken back")
        }
    }

    private func move(to state: String, where condition: String) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE handoff_handoffs SET state = '\(state)', reason = \(state == "expired" ? "'a clock ran out'" : "reason")
                FROM temp.handoff_rung AS r WHERE r.handoff_id = handoff_handoffs.id AND \(condition)
                """
        ).execute(arguments: condition.contains(":now") ? ["now": tx.stamp] : [:])
    }

    private func remind(_ clock: String, while condition: String) throws {
        let addresses = RepMails(settings).address
        try tx.send(
            .internal,
            forEach: """
                SELECT 'handoff:' || h.id || ':offer ' || h.offer || ':' || r.clock AS key, h.lead_id, \(addresses) AS recipient,
                       'handoff-reminder' AS template, json_object('handoff', h.id, 'offer', h.offer) AS body, r.event_id AS cause_id
                FROM temp.handoff_rung AS r JOIN handoff_handoffs AS h ON h.id = r.handoff_id
                WHERE r.clock GLOB '\(clock) [0-9]*' AND \(condition) AND \(addresses) IS NOT NULL
                """)
    }
}
