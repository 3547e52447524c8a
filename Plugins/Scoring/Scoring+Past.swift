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
            (SELECT coalesce(sum(\(Weight.points("e", at: ":at"))), 0.0) FROM scoring_ledger AS e
             WHERE e.lead_id = t.lead_id AND e.model = t.model AND e.axis = 'engagement')
            """
        let fit = """
            (SELECT coalesce(sum(e.points), 0) FROM scoring_ledger AS e
             WHERE e.lead_id = t.lead_id AND e.model = t.model AND e.axis = 'fit')
            """
        return [
            PastView(
                "scoring_ledger",
                [
                    PastView.Source(
                        from: """
                            main.scoring_ledger AS t \(event)
                            WHERE given.at <= :at AND t.lead_id NOT IN (SELECT now_id FROM temp.past_merges)
                            """),
                    PastView.Source(
                        from: """
                            main.scoring_ledger AS t \(event)
                            WHERE given.at <= :at AND t.lead_id IN (SELECT now_id FROM temp.past_merges)
                            """, ["lead_id": whose]),
                ], separatesMerged: true),
            PastView(
                "scoring_totals",
                [
                    PastView.Source(
                        from: """
                            (SELECT lead_id, model FROM main.scoring_totals UNION
                             SELECT gone_id, model FROM temp.past_merges JOIN main.scoring_totals ON lead_id = now_id) AS t
                            WHERE EXISTS (SELECT 1 FROM scoring_ledger AS e WHERE e.lead_id = t.lead_id AND e.model = t.model)
                            """,
                        [
                            "fit": fit, "engagement": engagement, "score": "\(fit) + \(engagement)",
                            "decays": """
                            (SELECT max(coalesce(e.half_life, e.fade, e.lifetime) IS NOT NULL) FROM scoring_ledger AS e
                             WHERE e.lead_id = t.lead_id AND e.model = t.model)
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
