import TrellisKernel

/// What a change does to who is in which sequence.
enum SequencePlan {
    static func changes(_ plan: Plan, _ db: Database) throws -> [PlannedChange] {
        let before = plan.before("drip_enrolments")
        let tasksBefore = plan.before("drip_tasks")
        let isSame = "o.lead_id = n.lead_id AND o.sequence = n.sequence AND o.cycle = n.cycle"
        let leads = try PlannedChange.leads(
            of: DripSequencer.name, plan, db,
            """
            SELECT n.sequence, 'enter', n.lead_id FROM main.drip_enrolments AS n
            WHERE NOT EXISTS (SELECT 1 FROM \(before) AS o WHERE \(isSame))
            UNION ALL
            SELECT n.sequence, CASE n.reason WHEN '\(Departure.removed)' THEN 'leave, for the sequence is not in the config' ELSE 'leave' END, n.lead_id
            FROM main.drip_enrolments AS n JOIN \(before) AS o ON \(isSame)
            WHERE o.state = 'active' AND n.state <> 'active'
            UNION ALL
            SELECT o.sequence, 'do not enter', o.lead_id FROM \(before) AS o
            WHERE NOT EXISTS (SELECT 1 FROM main.drip_enrolments AS n WHERE \(isSame))
            UNION ALL
            SELECT n.sequence, 'stay', n.lead_id FROM main.drip_enrolments AS n JOIN \(before) AS o ON \(isSame)
            WHERE o.state <> 'active' AND n.state = 'active'
            UNION ALL
            SELECT n.sequence, 'new task', n.lead_id FROM main.drip_tasks AS n
            WHERE NOT EXISTS (SELECT 1 FROM \(tasksBefore) AS o WHERE o.key = n.key)
            UNION ALL
            SELECT o.sequence, 'no task', o.lead_id FROM \(tasksBefore) AS o
            WHERE NOT EXISTS (SELECT 1 FROM main.drip_tasks AS n WHERE n.key = o.key)
            UNION ALL
            SELECT n.sequence, 'move to another step', n.lead_id FROM main.drip_enrolments AS n JOIN \(before) AS o ON \(isSame)
            WHERE o.state = 'active' AND n.state = 'active' AND (o.version, o.step) IS NOT (n.version, n.step)
            UNION ALL
            SELECT n.sequence, 'rest, for step ' || n.failed_step || ' fails: ' || min(n.failure) OVER (PARTITION BY n.sequence, n.failed_step), n.lead_id
            FROM main.drip_enrolments AS n
            WHERE n.failures > 0 AND NOT EXISTS (SELECT 1 FROM \(before) AS o WHERE \(isSame) AND o.failures > 0)
            UNION ALL
            SELECT n.sequence, 'are missed, for a condition fails: ' || min(n.error) OVER (PARTITION BY n.sequence, n.condition), n.lead_id
            FROM main.drip_missed AS n
            WHERE NOT EXISTS (SELECT 1 FROM \(plan.before("drip_missed")) AS o
                              WHERE o.sequence = n.sequence AND o.condition = n.condition AND o.lead_id = n.lead_id)
            """)
        let held = try PlannedChange.rows(
            of: DripSequencer.name, db,
            """
            \(pauses(in: "main.drip_pauses", butNot: plan.before("drip_pauses"), "stand still, for it is paused"))
            UNION ALL
            \(pauses(in: plan.before("drip_pauses"), butNot: "main.drip_pauses", "go on, for it is not paused any more"))
            """)
        return (leads + held).sorted { ($0.item, $0.change) < ($1.item, $1.change) }
    }

    private static func pauses(in table: String, butNot other: String, _ change: String) -> String {
        """
        SELECT DISTINCT p.sequence, '\(change)',
               (SELECT count(*) FROM main.drip_enrolments AS e WHERE e.sequence = p.sequence AND e.state = 'active')
        FROM \(table) AS p WHERE p.resumed_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM \(other) AS o WHERE o.sequence = p.sequence AND o.resumed_at IS NULL)
        """
    }
}
