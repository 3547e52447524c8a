import TrellisKernel

/// Keeps what each decided deal came to: when it was closed, how long it took, and which roads its money is credited
/// to.
///
/// The deals touched are taken out of the sums, read again as they are now, and put back in, so that no order of events
/// makes them drift. It comes behind the rolls of leads and of handoffs, because it reads what they keep.
struct DealRoll {
    let tx: Transaction

    func keep(_ kinds: Set<String>) throws {
        guard try gather(kinds) else { return }
        try count(-1)
        try tx.run("DELETE FROM figures_earnings WHERE opportunity_id IN (\(Self.touched))")
        try tx.run("DELETE FROM figures_closed_deals WHERE opportunity_id IN (\(Self.touched))")
        try close()
        try credit()
        try count(1)
        try tx.run("DELETE FROM figures_cycles INDEXED BY figures_cycles_empty WHERE deals = 0")
    }

    /// Asked once every event is counted, and none is set aside. Days that follow from `updated_at` or `created_at` are
    /// left out: what is written to these alone is not logged.
    static let isAsItIs = Invariant(
        "the closed deals are kept as they are",
        violations: """
            WITH counted AS (
                SELECT 1 WHERE NOT EXISTS (
                    SELECT 1 FROM events WHERE id > coalesce((SELECT last_event_id FROM subscribers WHERE id = 'figures/count'), 0))
                AND NOT EXISTS (SELECT 1 FROM parked_events WHERE subscriber = 'figures/count')
            )
            SELECT d.opportunity_id, d.is_won, d.amount, k.amount AS kept, d.owner, d.closed_on, k.month
            FROM counted CROSS JOIN figures_deals AS d JOIN opportunities AS o ON o.id = d.opportunity_id
            LEFT JOIN figures_closed_deals AS k ON k.opportunity_id = d.opportunity_id
            WHERE (k.opportunity_id, k.lead, k.owner, k.currency, k.is_won, k.amount, k.channel, k.campaign)
                  IS NOT (d.opportunity_id, d.lead_id, d.owner, o.currency, d.is_won, d.amount, d.channel, d.campaign)
               OR o.closed_at IS NOT NULL AND (k.month, k.days_from_arrival) IS NOT (substr(d.closed_on, 1, 7), d.days_from_arrival)
               OR o.closed_at IS NOT NULL AND coalesce(o.opened_at, d.arrived_on) IS NOT NULL AND k.days IS NOT d.days
            UNION ALL
            SELECT k.opportunity_id, NULL, NULL, k.amount, NULL, NULL, k.month
            FROM counted CROSS JOIN figures_closed_deals AS k LEFT JOIN opportunities AS o ON o.id = k.opportunity_id
            WHERE (o.stage IN ('won', 'lost')) IS NOT 1
            """)

    private static let touched = "SELECT opportunity_id FROM temp.figures_deals_touched"

    /// Deals that were written, and those of leads whose road, purchase or first handoff may have changed.
    private func gather(_ kinds: Set<String>) throws -> Bool {
        try tx.scratchTable("figures_deals_touched", columns: "opportunity_id INTEGER NOT NULL UNIQUE")
        if !kinds.isDisjoint(with: LeadRoll.opportunityKinds) {
            try tx.run(
                """
                INSERT OR IGNORE INTO temp.figures_deals_touched
                SELECT json_extract(body, '$.opportunity_id') FROM batch WHERE kind GLOB 'opportunity.*'
                """)
        }
        try tx.run(
            """
            INSERT OR IGNORE INTO temp.figures_deals_touched
            SELECT o.id FROM temp.figures_touched AS t CROSS JOIN opportunities AS o ON o.lead_id = t.lead
            """)
        if !kinds.isDisjoint(with: HandoffRoll.kinds) {
            try tx.run(
                """
                INSERT OR IGNORE INTO temp.figures_deals_touched
                SELECT o.id FROM batch AS b CROSS JOIN opportunities AS o ON o.lead_id = b.lead_id
                WHERE b.kind IN (\(HandoffRoll.kinds.map(\.sqlLiteral).joined(separator: ", ")))
                """)
        }
        return try Bool.fetchOne(tx.db.cachedStatement(sql: "SELECT EXISTS (\(Self.touched))")) ?? false
    }

    /// The deal as `figures_deals` has it. A currency that is not named stays so: the site may change its own.
    private func close() throws {
        try tx.run(
            """
            INSERT INTO figures_closed_deals
                (opportunity_id, lead, month, owner, currency, is_won, amount, channel, campaign, days, days_from_arrival)
            SELECT d.opportunity_id, d.lead_id, substr(d.closed_on, 1, 7), d.owner, o.currency, d.is_won, d.amount, d.channel, d.campaign,
                   d.days, d.days_from_arrival
            FROM figures_deals AS d JOIN opportunities AS o ON o.id = d.opportunity_id WHERE d.opportunity_id IN (\(Self.touched))
            """)
    }

    private func credit() throws {
        try tx.run(
            """
            INSERT INTO figures_earnings (opportunity_id, channel, campaign, month, currency, first_touch, last_touch, linear, position)
            SELECT d.opportunity_id, coalesce(c.channel, d.channel), coalesce(c.campaign, d.campaign), d.month, d.currency,
                   d.amount * coalesce(c.first_touch, 1), d.amount * coalesce(c.last_touch, 1), d.amount * coalesce(c.linear, 1),
                   d.amount * coalesce(c.position, 1)
            FROM figures_closed_deals AS d LEFT JOIN figures_credits AS c ON c.lead = d.lead
            WHERE d.is_won AND d.opportunity_id IN (\(Self.touched))
            """)
    }

    /// Adds the deals touched to the sums, or takes them out.
    private func count(_ sign: Int) throws {
        try tx.run(
            """
            INSERT INTO figures_cycles (measure, scope, month, channel, days, deals)
            SELECT measure, scope, month, channel, days, \(sign) * count(*) FROM figures_timed
            WHERE opportunity_id IN (\(Self.touched)) GROUP BY 1, 2, 3, 4, 5
            ON CONFLICT (measure, scope, month, channel, days) DO UPDATE SET deals = deals + excluded.deals
            """)
    }
}
