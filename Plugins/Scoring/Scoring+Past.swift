import TrellisKernel

extension Scoring {
    /// An entry counts from the event that gave it, and not from its own time: what takes points back for idleness
    /// names the time of what it takes back. A score is worth what its entries are worth at that moment.
    public static var pastViews: [PastView] {
        let event = "JOIN main.events AS given ON given.id = t.event_id"
        let whose = """
            coalesce((SELECT then_id FROM temp.past_owners WHERE lead_id = given.lead_id), given.lead_id, t.lead_id)
            """
        let engagement = """
            (SELECT coalesce(sum(\(Weight.points("e", at: ":at"))), 0.0) FROM scoring_entries AS e
             WHERE e.lead_id = t.lead_id AND e.axis = 'engagement')
            """
        let fit = """
            (SELECT coalesce(sum(e.points), 0) FROM scoring_entries AS e WHERE e.lead_id = t.lead_id AND e.axis = 'fit')
            """
        return [
            PastView(
                "scoring_entries",
                [
                    PastView.Source(
                        from: """
                            main.scoring_entries AS t \(event)
                            WHERE given.at <= :at AND t.lead_id NOT IN (SELECT now_id FROM temp.past_merges)
                            """),
                    PastView.Source(
                        from: """
                            main.scoring_entries AS t \(event)
                            WHERE given.at <= :at AND t.lead_id IN (SELECT now_id FROM temp.past_merges)
                            """, ["lead_id": whose]),
                ], separatesMerged: true),
            PastView(
                "scoring_scores",
                [
                    PastView.Source(
                        from: """
                            (SELECT lead_id FROM main.scoring_scores UNION SELECT gone_id FROM temp.past_merges) AS t
                            WHERE EXISTS (SELECT 1 FROM scoring_entries AS e WHERE e.lead_id = t.lead_id)
                            """,
                        [
                            "fit": fit, "engagement": engagement, "score": "\(fit) + \(engagement)",
                            "decays": """
                            (SELECT max(coalesce(e.half_life, e.fade, e.lifetime) IS NOT NULL) FROM scoring_entries AS e
                             WHERE e.lead_id = t.lead_id)
                            """,
                            "as_of": ":at", "review_at": "NULL",
                        ])
                ], separatesMerged: true),
            PastView("scoring_adjustments", from: "main.scoring_adjustments AS t WHERE t.at <= :at", asNow: ["reason"]),
            // What a grade takes is a word of the config, then as now.
            PastView("scoring_grades", from: "main.scoring_grades AS t"),
        ]
    }
}
