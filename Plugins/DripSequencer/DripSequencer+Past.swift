import TrellisKernel

extension DripSequencer {
    /// Who was on the way, and whether it was over; how far a lead had come is not kept.
    public static var pastViews: [PastView] {
        let isOver = "t.ended_at <= :at"
        return [
            PastView(
                "drip_enrolments", from: "main.drip_enrolments AS t WHERE t.entered_at <= :at",
                [
                    "state": "CASE WHEN \(isOver) THEN t.state ELSE 'active' END",
                    "reason": "CASE WHEN \(isOver) THEN t.reason END",
                    "ended_at": "CASE WHEN \(isOver) THEN t.ended_at END",
                ],
                asNow: [
                    "step", "due_at", "version", "resting_at", "arrived_at", "since_event", "is_late", "is_shifted",
                    "heard_event", "failure", "failed_step", "failing_since", "failures",
                ]),
            PastView(
                "drip_tasks", from: "main.drip_tasks AS t WHERE t.created_at <= :at",
                [
                    "state": "CASE WHEN t.closed_at <= :at THEN t.state ELSE 'open' END",
                    "outcome": "CASE WHEN t.closed_at <= :at THEN t.outcome END",
                    "closed_at": "CASE WHEN t.closed_at <= :at THEN t.closed_at END",
                ], asNow: ["assignee", "due_at"]),
            PastView(
                "drip_pauses", from: "main.drip_pauses AS t WHERE t.paused_at <= :at",
                ["resumed_at": "CASE WHEN t.resumed_at <= :at THEN t.resumed_at END"],
                asNow: ["event_id", "still_since"]),
            PastView(
                "drip_arms", from: "main.drip_arms AS t WHERE t.at <= :at",
                ["converted_at": "CASE WHEN t.converted_at <= :at THEN t.converted_at END"]),
        ]
    }
}
