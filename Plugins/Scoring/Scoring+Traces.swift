import TrellisKernel

extension Scoring {
    public static var traces: [TraceSource] {
        [
            TraceSource(
                "score", of: "scoring_entries", cause: "t.event_id",
                says: """
                    CASE WHEN t.points < 0 THEN 'lost ' ELSE 'scored ' END || abs(t.points)
                        || CASE abs(t.points) WHEN 1 THEN ' point for ' ELSE ' points for ' END || t.rule
                    """)
        ]
    }
}
