import TrellisKernel

/// What a change does to who is given to whom.
enum HandoffPlan {
    static func changes(_ plan: Plan, _ db: Database) throws -> [PlannedChange] {
        let before = plan.before("handoff_handoffs")
        return try PlannedChange.leads(
            of: Handoff.name, plan, db,
            """
            SELECT coalesce(n.rep, '(queue)'), 'gets a lead', n.lead_id FROM main.handoff_handoffs AS n
            WHERE NOT EXISTS (SELECT 1 FROM \(before) AS o WHERE o.lead_id = n.lead_id AND o.cycle = n.cycle)
            UNION ALL
            SELECT coalesce(o.rep, '(queue)'), 'gets no lead', o.lead_id FROM \(before) AS o
            WHERE NOT EXISTS (SELECT 1 FROM main.handoff_handoffs AS n WHERE n.lead_id = o.lead_id AND n.cycle = o.cycle)
            UNION ALL
            SELECT coalesce(n.rep, '(queue)'), o.state || ' → ' || n.state, n.lead_id
            FROM main.handoff_handoffs AS n JOIN \(before) AS o ON o.lead_id = n.lead_id AND o.cycle = n.cycle
            WHERE o.state <> n.state
            UNION ALL
            SELECT coalesce(n.rep, '(queue)'), 'takes over', n.lead_id
            FROM main.handoff_handoffs AS n JOIN \(before) AS o ON o.lead_id = n.lead_id AND o.cycle = n.cycle
            WHERE o.state = n.state AND o.rep IS NOT n.rep
            UNION ALL
            SELECT o.rep, 'is a rep no more: leads go to others', n.lead_id
            FROM main.handoff_handoffs AS n JOIN \(before) AS o ON o.lead_id = n.lead_id AND o.cycle = n.cycle
            WHERE o.rep IS NOT n.rep AND o.rep NOT IN (SELECT rep FROM main.handoff_reps)
            """)
    }
}
