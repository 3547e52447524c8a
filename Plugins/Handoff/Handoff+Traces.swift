import TrellisKernel

extension Handoff {
    public static var traces: [TraceSource] {
        [
            TraceSource(
                "handoff", of: "handoff_handoffs", cause: "t.event_id",
                at: "(SELECT min(s.at) FROM handoff_transitions AS s WHERE s.handoff_id = t.id)",
                says: """
                    'was handed off' || CASE WHEN t.cycle > 1 THEN ', try ' || t.cycle ELSE '' END || ' (' || t.route || ', now ' || t.state || ')'
                    """,
                events: "SELECT s.event_id FROM handoff_transitions AS s WHERE s.handoff_id = t.id")
        ]
    }
}
