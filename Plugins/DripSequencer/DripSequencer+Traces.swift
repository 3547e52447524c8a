import TrellisKernel

extension DripSequencer {
    public static var traces: [TraceSource] {
        [
            TraceSource(
                "enrolment", of: "drip_enrolments", cause: "t.event_id", at: "t.entered_at",
                says: """
                    'entered the sequence ' || t.sequence || CASE WHEN t.cycle > 1 THEN ' again' ELSE '' END
                        || CASE t.state WHEN 'active' THEN '' WHEN 'completed' THEN ', and completed it'
                                        WHEN 'goal' THEN ', and reached its goal' ELSE ', and left it: ' || t.reason END
                    """),
            TraceSource(
                "task", of: "drip_tasks",
                cause:
                    "coalesce(t.event_id, (SELECT e.event_id FROM drip_enrolments AS e WHERE e.id = t.enrolment_id))",
                at: "t.created_at",
                says: "'a person is to do: ' || t.kind || ' (' || t.state || ')'",
                events: """
                    SELECT k.id FROM events AS k WHERE k.lead_id = t.lead_id AND k.kind GLOB 'task.*' AND json_extract(k.body, '$.task') = t.id
                    """),
        ]
    }
}
