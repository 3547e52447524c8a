import TrellisKernel

extension Scoring {
    public static var traces: [TraceSource] {
        [
            TraceSource(
                "score", of: "scoring_ledger", cause: "t.event_id",
                says: """
                    CASE WHEN t.points < 0 THEN 'lost ' ELSE 'scored ' END || abs(t.points)
                        || CASE abs(t.points) WHEN 1 THEN ' point for ' ELSE ' points for ' END || t.rule
                        || CASE t.model WHEN 'main' THEN '' ELSE ' in the model ' || t.model END
                    """)
        ]
    }
}
