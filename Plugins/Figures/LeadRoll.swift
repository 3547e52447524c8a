import TrellisKernel

/// Keeps what is known of each lead, and the sums over it by day and by cohort.
///
/// A new lead, of which an import brings a million, is counted in passing; so is a lead that moves a stage on. Whatever
/// may change what was counted before takes the leads out of the sums, changes them, and puts them back in: the sums
/// are those of the leads at any time, and no order of events makes them drift.
struct LeadRoll {
    /// The kinds of event that are a word between a lead and us, as a list in SQL.
    let words: String
    let tx: Transaction

    static let kinds =
        [
            "lead.created", "lead.stage_changed", "lead.deleted", "lead.restored", "lead.erased", "lead.merged",
            "form.submitted",
        ] + opportunityKinds
    static let opportunityKinds = ["created", "updated", "stage_changed", "deleted", "restored"].map {
        "opportunity.\($0)"
    }

    func keep(_ kinds: Set<String>) throws {
        if kinds.contains("lead.created") { try welcome() }
        if kinds.contains("lead.stage_changed") { try advance() }
        try review(kinds)
        if kinds.contains("lead.erased") {
            try SilenceRoll(tx: tx).erase()
            try tx.run("UPDATE figures_leads SET is_erased = 1 WHERE lead IN (\(Self.erased))")
        }
    }

    static let erased = """
        SELECT lead_id FROM batch WHERE kind = 'lead.erased' AND NOT EXISTS (SELECT 1 FROM leads WHERE id = batch.lead_id)
        """

    // MARK: - In passing

    /// New leads. Their first touch is the one with the lowest id; where another lies before it, a form brought it, and
    /// the review puts it right.
    private func welcome() throws {
        let last =
            try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT coalesce(max(lead), 0) FROM figures_leads")) ?? 0
        try tx.run(
            """
            INSERT INTO figures_leads (lead, arrived_on, stage, channel, campaign)
            SELECT l.id, coalesce(date(l.created_at), date(b.at)), json_extract(b.body, '$.stage'), \(Self.channel), coalesce(t.campaign, '')
            FROM batch AS b CROSS JOIN leads AS l ON l.id = b.lead_id
            LEFT JOIN touches AS t ON t.id = (SELECT min(id) FROM touches WHERE lead_id = l.id)
            WHERE b.kind = 'lead.created'
            ON CONFLICT (lead) DO NOTHING
            """)
        let newcomers = try newcomers(made: tx.db.changesCount, after: last)
        try tx.scratchTable(
            "figures_arrivals", columns: "day TEXT, channel TEXT, campaign TEXT, stage TEXT, leads INTEGER")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.figures_arrivals
                SELECT arrived_on, channel, campaign, stage, count(*) FROM figures_leads
                WHERE lead > :last AND \(newcomers) GROUP BY 1, 2, 3, 4
                """
        ).execute(arguments: ["last": newcomers == Self.allBeyond ? last : Int64.min])
        let steps = """
            (SELECT day, channel, campaign, '(arrived)' AS step, leads FROM temp.figures_arrivals
             UNION ALL
             SELECT a.day, a.channel, a.campaign, s.name, a.leads
             FROM temp.figures_arrivals AS a JOIN stages AS reached ON reached.name = a.stage AND NOT reached.is_side
             JOIN stages AS s ON s.position <= reached.position AND NOT s.is_side)
            """
        try addDays("SELECT day, channel, campaign, step, sum(leads) FROM \(steps) WHERE true GROUP BY 1, 2, 3, 4")
        try addCohorts(
            "SELECT substr(day, 1, 7), channel, campaign, step, sum(leads), 0 FROM \(steps) WHERE true GROUP BY 1, 2, 3, 4"
        )
        try SilenceRoll(tx: tx).welcome()
        try welcomeErased()
    }

    /// Which leads were made just now: as a rule those with the highest ids, which are not looked up one by one.
    private func newcomers(made: Int, after last: Int64) throws -> String {
        let beyond =
            try Int.fetchOne(
                tx.db.cachedStatement(sql: "SELECT count(*) FROM figures_leads WHERE lead > ?"), arguments: [last]) ?? 0
        return beyond == made
            ? Self.allBeyond : "NOT is_erased AND lead IN (SELECT lead_id FROM batch WHERE kind = 'lead.created')"
    }

    private static let allBeyond = "true"

    /// Only while the log is replayed: an erased lead kept its row, and has to be in the sums again.
    private func welcomeErased() throws {
        let areErased = try Bool.fetchOne(
            tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM figures_leads WHERE is_erased = 1)"))
        guard areErased == true else { return }
        try tx.scratchTable("figures_touched", columns: "lead INTEGER PRIMARY KEY")
        try tx.run(
            """
            INSERT INTO temp.figures_touched
            SELECT f.lead FROM batch AS b CROSS JOIN figures_leads AS f ON f.lead = b.lead_id AND f.is_erased
            WHERE b.kind = 'lead.created'
            """)
        if tx.db.changesCount > 0 { try count(1) }
    }

    /// Leads that moved on: every stage up to the new one that they had not reached yet.
    private func advance() throws {
        try tx.run(
            """
            INSERT INTO figures_stages (lead, stage, day, event_id)
            SELECT b.lead_id, s.name, date(b.at), b.id
            FROM batch AS b CROSS JOIN figures_leads AS f ON f.lead = b.lead_id AND NOT f.is_erased
            JOIN stages AS reached ON reached.name = json_extract(b.body, '$.to') AND NOT reached.is_side
            JOIN stages AS s ON s.position <= reached.position AND NOT s.is_side
            WHERE b.kind = 'lead.stage_changed' AND s.position > \(Self.arrival("f.stage"))
            ORDER BY b.id
            ON CONFLICT (lead, stage) DO NOTHING
            """)
        let steps = """
            batch AS b CROSS JOIN figures_stages AS s ON s.lead = b.lead_id AND s.event_id = b.id
            CROSS JOIN figures_leads AS f ON f.lead = s.lead AND NOT f.is_erased
            WHERE b.kind = 'lead.stage_changed' GROUP BY 1, 2, 3, 4
            """
        try addDays("SELECT s.day, f.channel, f.campaign, s.stage, count(*) FROM \(steps)")
        try addCohorts(
            """
            SELECT substr(f.arrived_on, 1, 7), f.channel, f.campaign, s.stage, count(*),
                   sum(CAST(julianday(s.day) - julianday(f.arrived_on) AS INTEGER))
            FROM \(steps)
            """)
    }

    // MARK: - With care

    /// Leads of which something counted may have changed: out of the sums, changed, and in again.
    private func review(_ kinds: Set<String>) throws {
        guard try gather(kinds) else { return }
        try count(-1)
        if !kinds.isDisjoint(with: ["lead.deleted", "lead.merged"]) { try forget() }
        if kinds.contains("lead.restored") { try recall() }
        try tx.run(
            """
            UPDATE figures_leads AS f SET (arrived_on, channel, campaign) = (
                SELECT coalesce(date(l.created_at), f.arrived_on), \(Self.channel), coalesce(t.campaign, '')
                FROM leads AS l LEFT JOIN touches AS t ON t.id = \(Self.firstTouch("l.id")) WHERE l.id = f.lead)
            WHERE lead IN (SELECT lead FROM temp.figures_touched) AND EXISTS (SELECT 1 FROM leads WHERE id = f.lead)
            """)
        try settlePurchases()
        try count(1)
        try tx.run("DELETE FROM figures_days INDEXED BY figures_days_empty WHERE leads = 0")
        try tx.run("DELETE FROM figures_months INDEXED BY figures_months_empty WHERE leads = 0")
        try tx.run("DELETE FROM figures_cohorts INDEXED BY figures_cohorts_empty WHERE leads = 0")
        try SilenceRoll(tx: tx).forgetEmpty()
    }

    private func gather(_ kinds: Set<String>) throws -> Bool {
        try tx.scratchTable("figures_touched", columns: "lead INTEGER PRIMARY KEY")
        let last = "(SELECT stage FROM figures_stage_order WHERE is_last)"
        let sources: [(kinds: [String], select: String)] = [
            (["lead.created"], "kind = 'lead.created' AND json_extract(body, '$.stage') = \(last)"),
            (["lead.stage_changed"], "kind = 'lead.stage_changed' AND json_extract(body, '$.to') = \(last)"),
            (
                ["lead.deleted", "lead.restored", "lead.merged"],
                "kind IN ('lead.deleted', 'lead.restored', 'lead.merged')"
            ),
            (Self.opportunityKinds, "kind GLOB 'opportunity.*' AND lead_id IS NOT NULL"),
        ]
        for source in sources where !kinds.isDisjoint(with: source.kinds) {
            try tx.run("INSERT OR IGNORE INTO temp.figures_touched SELECT lead_id FROM batch WHERE \(source.select)")
        }
        if kinds.contains("lead.merged") {
            try tx.run(
                """
                INSERT OR IGNORE INTO temp.figures_touched
                SELECT json_extract(body, '$.into') FROM batch WHERE kind = 'lead.merged'
                """)
        }
        if !kinds.isDisjoint(with: Self.opportunityKinds) {
            // Also the lead a deal was taken from: the event names the one it was given to.
            try tx.run(
                """
                INSERT OR IGNORE INTO temp.figures_touched
                SELECT lead FROM figures_leads
                WHERE won_by IN (SELECT json_extract(body, '$.opportunity_id') FROM batch WHERE kind GLOB 'opportunity.*')
                """)
        }
        if kinds.contains("form.submitted") { try gatherEarlierTouches() }
        try tx.run(
            """
            DELETE FROM temp.figures_touched WHERE lead IN (SELECT lead FROM figures_leads WHERE is_erased = 1)
            """)
        return try Bool.fetchOne(tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM temp.figures_touched)"))
            ?? false
    }

    /// A visitor who fills in a form brings the visits of before along: the first of them is now the first touch.
    private func gatherEarlierTouches() throws {
        try tx.run(
            """
            INSERT OR IGNORE INTO temp.figures_touched
            SELECT f.lead FROM batch AS b CROSS JOIN figures_leads AS f ON f.lead = b.lead_id
            CROSS JOIN touches AS t ON t.id = \(Self.firstTouch("b.lead_id"))
            WHERE b.kind = 'form.submitted' AND (f.channel, f.campaign) IS NOT (\(Self.channel), coalesce(t.campaign, ''))
            """)
    }

    /// Leads deleted by hand, or merged into another, were no leads.
    private func forget() throws {
        let gone = """
            SELECT b.lead_id FROM batch AS b
            WHERE b.kind IN ('lead.deleted', 'lead.merged') AND NOT EXISTS (SELECT 1 FROM leads WHERE id = b.lead_id)
              AND NOT EXISTS (SELECT 1 FROM figures_leads WHERE lead = b.lead_id AND is_erased)
            """
        for table in ["figures_stages", "figures_credits", "figures_leads"] {
            try tx.run("DELETE FROM \(table) WHERE lead IN (\(gone))")
        }
    }

    /// A lead that is back from the trash, as the log has it so far.
    private func recall() throws {
        let back = "(SELECT lead_id FROM batch WHERE kind = 'lead.restored')"
        try tx.run(
            """
            INSERT INTO figures_leads (lead, arrived_on, stage, channel, campaign)
            SELECT l.id, coalesce(date(l.created_at), date(e.at)), json_extract(e.body, '$.stage'), 'unknown', ''
            FROM leads AS l JOIN events AS e ON e.lead_id = l.id AND e.kind = 'lead.created' WHERE l.id IN \(back)
            ON CONFLICT (lead) DO NOTHING
            """)
        try tx.run(
            """
            INSERT INTO figures_stages (lead, stage, day, event_id)
            SELECT e.lead_id, s.name, date(e.at), e.id
            FROM figures_leads AS f JOIN events AS e ON e.lead_id = f.lead AND e.kind = 'lead.stage_changed'
                AND e.id <= (SELECT max(id) FROM batch)
            JOIN stages AS reached ON reached.name = json_extract(e.body, '$.to') AND NOT reached.is_side
            JOIN stages AS s ON s.position <= reached.position AND NOT s.is_side
            WHERE f.lead IN \(back) AND NOT f.is_erased AND s.position > \(Self.arrival("f.stage"))
            ORDER BY e.id
            ON CONFLICT (lead, stage) DO NOTHING
            """)
        try tx.run(
            """
            UPDATE figures_leads AS f SET heard_on = (
                SELECT max(date(at)) FROM events AS e
                WHERE e.lead_id = f.lead AND e.id <= (SELECT max(id) FROM batch) AND e.kind IN (\(words)))
            WHERE lead IN \(back) AND NOT is_erased
            """)
    }

    /// The day of the purchase, and to which roads it is credited.
    private func settlePurchases() throws {
        let here = "lead IN (SELECT lead FROM temp.figures_touched) AND EXISTS (SELECT 1 FROM leads WHERE id = f.lead)"
        try tx.run(
            """
            UPDATE figures_leads AS f SET won_by = (
                SELECT id FROM opportunities WHERE lead_id = f.lead AND stage = 'won'
                ORDER BY date(coalesce(closed_at, updated_at)), id LIMIT 1)
            WHERE \(here)
            """)
        try tx.run(
            """
            UPDATE figures_leads AS f SET bought_on = (
                SELECT min(day) FROM (
                    SELECT date(coalesce(closed_at, updated_at)) AS day FROM opportunities WHERE id = f.won_by
                    UNION ALL
                    SELECT day FROM figures_stages WHERE lead = f.lead AND stage = (SELECT stage FROM figures_stage_order WHERE is_last)
                    UNION ALL
                    SELECT f.arrived_on WHERE f.stage = (SELECT stage FROM figures_stage_order WHERE is_last)))
            WHERE \(here)
            """)
        try tx.run("DELETE FROM figures_credits AS f WHERE \(here)")
        try tx.run(Self.credit)
    }

    // MARK: - Sums

    /// Adds the leads touched to the sums, or takes them out.
    private func count(_ sign: Int) throws {
        let touched = "FROM (\(Self.stepsTouched)) WHERE true GROUP BY 1, 2, 3, 4"
        try addDays("SELECT day, channel, campaign, step, \(sign) * count(*) \(touched)")
        try addCohorts(
            """
            SELECT substr(arrived_on, 1, 7), channel, campaign, step, \(sign) * count(*),
                   \(sign) * sum(CAST(julianday(day) - julianday(arrived_on) AS INTEGER)) \(touched)
            """)
        try SilenceRoll(tx: tx).count(sign)
    }

    /// Adds to the sums of the days, and to those of their months.
    private func addDays(_ select: String) throws {
        try tx.run(
            """
            INSERT INTO figures_days (day, channel, campaign, step, leads) \(select)
            ON CONFLICT (day, channel, campaign, step) DO UPDATE SET leads = leads + excluded.leads
            """)
        try tx.run(
            """
            WITH told (day, channel, campaign, step, leads) AS (\(select))
            INSERT INTO figures_months (month, channel, campaign, step, leads)
            SELECT substr(day, 1, 7), channel, campaign, step, sum(leads) FROM told WHERE true GROUP BY 1, 2, 3, 4
            ON CONFLICT (month, channel, campaign, step) DO UPDATE SET leads = leads + excluded.leads
            """)
    }

    private func addCohorts(_ select: String) throws {
        try tx.run(
            """
            INSERT INTO figures_cohorts (month, channel, campaign, step, leads, days) \(select)
            ON CONFLICT (month, channel, campaign, step) DO UPDATE SET leads = leads + excluded.leads, days = days + excluded.days
            """)
    }
}

extension LeadRoll {
    /// Where a touch names no channel its source is one: an import knows no more.
    fileprivate static let channel = "coalesce(t.channel, t.source, 'unknown')"

    fileprivate static func firstTouch(_ lead: String) -> String {
        "(SELECT id FROM touches WHERE lead_id = \(lead) ORDER BY at, id LIMIT 1)"
    }

    /// The position of the stage a lead arrived at; before all where that is a side stage.
    fileprivate static func arrival(_ stage: String) -> String {
        "coalesce((SELECT position FROM stages WHERE name = \(stage) AND NOT is_side), -1)"
    }

    /// The rows of the view `figures_steps` for the leads touched. It is written out again because SQLite would read
    /// the view for all leads first; an invariant holds the two together.
    fileprivate static let stepsTouched = """
        SELECT f.channel, f.campaign, f.arrived_on, '(arrived)' AS step, f.arrived_on AS day
        FROM temp.figures_touched AS d CROSS JOIN figures_leads AS f ON f.lead = d.lead
        UNION ALL
        SELECT f.channel, f.campaign, f.arrived_on, s.name, f.arrived_on
        FROM temp.figures_touched AS d CROSS JOIN figures_leads AS f ON f.lead = d.lead
        JOIN stages AS reached ON reached.name = f.stage AND NOT reached.is_side
        JOIN stages AS s ON s.position <= reached.position AND NOT s.is_side
        UNION ALL
        SELECT f.channel, f.campaign, f.arrived_on, s.stage, s.day
        FROM temp.figures_touched AS d CROSS JOIN figures_leads AS f ON f.lead = d.lead CROSS JOIN figures_stages AS s ON s.lead = f.lead
        UNION ALL
        SELECT f.channel, f.campaign, f.arrived_on, '(bought)', f.bought_on
        FROM temp.figures_touched AS d CROSS JOIN figures_leads AS f ON f.lead = d.lead WHERE f.bought_on IS NOT NULL
        """

    /// The rows of the view `attribution` for the leads touched that have bought, added up by road. It is written out
    /// again because SQLite would work out the view for all leads first; a test holds the two together.
    fileprivate static let credit = """
        INSERT INTO figures_credits (lead, channel, campaign, first_touch, last_touch, linear, position, month)
        WITH buyers AS (
            SELECT f.lead, f.bought_on, f.channel, f.campaign FROM temp.figures_touched AS d CROSS JOIN figures_leads AS f ON f.lead = d.lead
            WHERE f.bought_on IS NOT NULL AND EXISTS (SELECT 1 FROM leads WHERE id = f.lead)
        ), visits AS (
            SELECT b.lead, b.bought_on, min(t.id) AS touch_id, min(t.at) AS at, \(channel) AS channel, coalesce(t.campaign, '') AS campaign
            FROM buyers AS b CROSS JOIN touches AS t ON t.lead_id = b.lead
            GROUP BY b.lead, date(t.at), \(channel), coalesce(t.campaign, '')
        ), placed AS (
            SELECT *, row_number() OVER (PARTITION BY lead ORDER BY at, touch_id) AS place,
                   max(1, count(*) FILTER (WHERE date(at) <= bought_on) OVER (PARTITION BY lead)) AS places
            FROM visits
        )
        SELECT lead, channel, campaign, sum(place = 1), sum(place = places), sum(1.0 / places),
               sum(CASE WHEN places = 1 THEN 1.0 WHEN places = 2 THEN 0.5 WHEN place IN (1, places) THEN 0.4 ELSE 0.2 / (places - 2) END),
               substr(bought_on, 1, 7)
        FROM placed WHERE place <= places GROUP BY lead, channel, campaign
        UNION ALL
        SELECT lead, channel, campaign, 1, 1, 1, 1, substr(bought_on, 1, 7) FROM buyers AS b
        WHERE NOT EXISTS (SELECT 1 FROM touches WHERE lead_id = b.lead)
        """
}
