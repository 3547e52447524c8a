import TrellisKernel

extension Handoff {
    /// The last step of a handoff that was made by then says where it stood.
    public static var pastViews: [PastView] {
        func until(_ column: String) -> String { "CASE WHEN t.\(column) <= :at THEN t.\(column) END" }
        func step(_ condition: String) -> String {
            """
            (SELECT max(s.id) FROM main.handoff_transitions AS s WHERE s.handoff_id = t.id AND s.at <= :at AND \(condition))
            """
        }
        let dealt = "s.state IN ('queued', 'offered')"
        return [
            PastView(
                "handoff_handoffs",
                from: """
                    main.handoff_handoffs AS t
                    JOIN main.handoff_transitions AS last ON last.id = \(step("s.state NOT IN ('won', 'lost')"))
                    LEFT JOIN main.handoff_transitions AS dealt ON dealt.id = \(step(dealt))
                    """,
                [
                    "state": "last.state", "rep": "last.rep", "offer": "last.offer",
                    "route": "coalesce(dealt.route, t.route)", "offered_at": "coalesce(dealt.at, t.offered_at)",
                    "reason": "last.reason", "answered_at": until("answered_at"), "accepted_at": until("accepted_at"),
                    "accept_by": "CASE WHEN last.state IN ('offered', 'escalated') THEN dealt.due_at END",
                    "escalated_at": until("escalated_at"), "contacted_at": until("contacted_at"),
                    "rests_until": "CASE WHEN last.state = 'recycled' THEN t.rests_until END",
                    "opportunity_id": "CASE WHEN last.state = 'converted' THEN t.opportunity_id END",
                    "outcome": "CASE WHEN t.closed_at <= :at THEN t.outcome END",
                    "outcome_reason": "CASE WHEN t.closed_at <= :at THEN t.outcome_reason END",
                    "closed_at": until("closed_at"),
                ], asNow: ["contact_by"]),
            PastView("handoff_transitions", from: "main.handoff_transitions AS t WHERE t.at <= :at"),
        ]
    }
}
