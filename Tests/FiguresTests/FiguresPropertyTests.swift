import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

/// Whatever happens in whatever order, and in whatever batches it is counted, a replay of the log counts the same.
@Suite struct FiguresPropertyTests {
    private static let tables = [
        "figures_leads": "lead", "figures_stages": "lead, stage", "figures_days": "1, 2, 3, 4",
        "figures_cohorts": "1, 2, 3, 4",
        "figures_credits": "1, 2, 3", "figures_contents": "1, 2, 3, 4, 5, 6", "figures_forms": "1, 2, 3, 4",
        "figures_handoffs": "1, 2", "figures_offers": "1, 2, 3", "figures_answers": "1, 2, 3",
        "figures_answer_bands": "1, 2, 3", "figures_months": "1, 2, 3, 4", "figures_content_months": "1, 2, 3, 4, 5, 6",
        "figures_form_months": "1, 2, 3, 4", "figures_closed_deals": "1", "figures_earnings": "1, 2, 3",
        "figures_cycles": "1, 2, 3, 4, 5", "figures_silences": "1",
    ]

    private func rows(_ crm: TestKernel) throws -> [String: [String]] {
        try Self.tables.reduce(into: [:]) { all, table in
            all[table.key] = try crm.rows("SELECT * FROM \(table.key) ORDER BY \(table.value)")
        }
    }

    @Test(arguments: 1...16)
    func `after any history, with merges, erasures, the trash and replays`(_ seed: Int) throws {
        var dice = Dice(seed: UInt64(seed))
        let crm = try TestKernel(
            "activities: {demo.booked: {}}\ngoals: {speed_to_lead: 24 hours}\nplugins: {figures: {activities: [demo.booked]}}",
            plugins: [Figures.self])
        for number in 1...5 { try arrive("lead\(number)@a.example", crm, &dice) }
        var arrived = 5
        for _ in 0..<90 {
            let alive = try crm.rows("SELECT id FROM leads ORDER BY id").compactMap(Int64.init)
            guard let lead = alive.randomElement(using: &dice) else { break }
            switch Int.random(in: 0..<30, using: &dice) {
            case 0..<3:
                arrived += 1
                try arrive("lead\(arrived)@a.example", crm, &dice)
            case 3..<8: try move(lead, crm, &dice)
            case 8..<12: try sell(lead, crm, &dice)
            case 12..<16: try mail(lead, crm, &dice)
            case 16..<18: try touch(lead, crm, &dice)
            case 18..<20: try handOff(lead, crm, &dice)
            case 20: try crm.record("demo.booked", lead: lead)
            case 21:
                if alive.count > 3, let other = alive.filter({ $0 != lead }).randomElement(using: &dice) {
                    try crm.kernel.write(origin: "cli") { try $0.merge(other, into: lead) }
                }
            case 22:
                if alive.count > 3, let email = try crm.value("SELECT email FROM leads WHERE id = \(lead)"),
                    !email.isEmpty
                {
                    _ = try Person(email: email).erase(crm.kernel)
                }
            case 23: try crm.foreign("DELETE FROM leads WHERE id = \(lead)")
            case 24: try restore(crm)
            case 25..<27:
                crm.clock.advance(by: ["1 hour", "3 days", "20 days"].randomElement(using: &dice) ?? "1 hour")
            default: try crm.pump()
            }
        }
        try crm.pump()
        #expect(try crm.troubles() == [])
        let before = try rows(crm)
        _ = try Rebuild(crm.kernel).run("figures")
        let after = try rows(crm)
        for table in Self.tables.keys.sorted() {
            let difference = Set(after[table] ?? []).symmetricDifference(before[table] ?? [])
            #expect(difference.isEmpty, "\(table), seed \(seed)")
        }
        #expect(try crm.troubles() == [])
        #expect(try differing(crm) == [])
        #expect(try crm.rows(Self.slow) == crm.rows("\(Self.speeds) FROM kpi_speed_to_lead ORDER BY 1, 2"))
        #expect(try crm.rows(Self.stale) == [])
        #expect(try crm.rows(Self.slowCycles) == crm.rows("\(Self.cycles) FROM kpi_sales_cycle ORDER BY 1, 2"))
        #expect(try crm.rows(Self.slowRevenue) == [])
    }

    @Test func `a deal that was closed on no day is in no month, and in all of them together`() throws {
        let crm = try TestKernel(plugins: [Figures.self], at: "2026-03-02 09:00:00")
        try crm.capture(["email": "ann@a.example"])
        _ = try crm.foreign(
            "INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (1, 'won', 100, 'soon'), (1, 'won', 50, '2026-03-12')"
        )
        try crm.pump()
        let deals = try crm.rows(
            "SELECT coalesce(month, 'all'), coalesce(channel, 'all'), deals FROM kpi_sales_cycle ORDER BY 1, 2")
        #expect(deals == ["2026-03|all|1", "2026-03|unknown|1", "all|all|2", "all|unknown|2"])
        #expect(try crm.rows(Self.slowCycles) == crm.rows("\(Self.cycles) FROM kpi_sales_cycle ORDER BY 1, 2"))
        #expect(try crm.rows(Self.stale) == [])
        #expect(try crm.troubles() == [])
    }

    /// Deals that are not kept as they are, whatever was done to them and to their leads since.
    private static let stale = """
        WITH kept AS (
            SELECT opportunity_id, lead, month, owner, coalesce(currency, (SELECT currency FROM site)) AS currency, is_won, amount, channel, campaign,
                   days, days_from_arrival FROM figures_closed_deals
        ), due AS (
            SELECT opportunity_id, lead_id AS lead, substr(closed_on, 1, 7) AS month, owner, currency, is_won, amount, channel, campaign,
                   days, days_from_arrival FROM figures_deals
        )
        SELECT 'stale', * FROM (SELECT * FROM kept EXCEPT SELECT * FROM due)
        UNION ALL SELECT 'missing', * FROM (SELECT * FROM due EXCEPT SELECT * FROM kept)
        """

    private static let cycles = "SELECT month, channel, deals, median_days, mean_days, median_days_from_arrival"

    /// The sales cycle from the deals themselves, the middle counted off.
    private static let slowCycles = """
        WITH won AS (
            SELECT substr(closed_on, 1, 7) AS month, channel, days, days_from_arrival FROM figures_deals WHERE is_won
        ), grouped AS (
            SELECT 0 AS scope, month, channel, days, days_from_arrival FROM won WHERE month IS NOT NULL
            UNION ALL SELECT 1, month, NULL, days, days_from_arrival FROM won WHERE month IS NOT NULL
            UNION ALL SELECT 2, NULL, channel, days, days_from_arrival FROM won
            UNION ALL SELECT 3, NULL, NULL, days, days_from_arrival FROM won
        ), placed AS (
            SELECT *, row_number() OVER (PARTITION BY scope, month, channel ORDER BY days NULLS LAST) AS place,
                   count(days) OVER (PARTITION BY scope, month, channel) AS timed,
                   row_number() OVER (PARTITION BY scope, month, channel ORDER BY days_from_arrival NULLS LAST) AS arrival_place,
                   count(days_from_arrival) OVER (PARTITION BY scope, month, channel) AS arrivals
            FROM grouped
        )
        \(cycles) FROM (
            SELECT month, channel, count(*) AS deals, avg(days) FILTER (WHERE place IN ((timed + 1) / 2, timed / 2 + 1)) AS median_days,
                   round(avg(days), 1) AS mean_days,
                   avg(days_from_arrival) FILTER (WHERE arrival_place IN ((arrivals + 1) / 2, arrivals / 2 + 1)) AS median_days_from_arrival
            FROM placed GROUP BY scope, month, channel)
        ORDER BY 1, 2
        """

    /// Where the revenue of a road is not that of its deals and credits.
    private static let slowRevenue = """
        SELECT model, month, channel, campaign, currency, round(sum(revenue), 4) FROM (
            SELECT model, month, channel, campaign, currency, revenue FROM figures_revenue
            UNION ALL
            SELECT m.model, substr(d.closed_on, 1, 7), coalesce(c.channel, d.channel), coalesce(c.campaign, d.campaign), d.currency,
                   -d.amount * coalesce(CASE m.model WHEN 'first' THEN c.first_touch WHEN 'last' THEN c.last_touch WHEN 'linear' THEN c.linear
                                        ELSE c.position END, 1)
            FROM (SELECT 'first' AS model UNION ALL SELECT 'last' UNION ALL SELECT 'linear' UNION ALL SELECT 'position') AS m
            CROSS JOIN figures_deals AS d LEFT JOIN figures_credits AS c ON c.lead = d.lead_id WHERE d.is_won)
        GROUP BY 1, 2, 3, 4, 5 HAVING abs(sum(revenue)) > 0.0001
        """

    private static let speeds = "SELECT month, rep, handoffs, answered, median_hours, within_goal_percent"

    /// The speed to lead from the times of each handoff and offer, without what is kept for it.
    private static let slow = """
        WITH grouped AS (
            SELECT substr(offered_at, 1, 7) AS month, '' AS rep, (julianday(coalesce(contacted_at, accepted_at)) - julianday(offered_at)) * 24 AS hours
            FROM figures_handoffs
            UNION ALL
            SELECT substr(offered_at, 1, 7), rep, (julianday(coalesce(contacted_at, accepted_at)) - julianday(offered_at)) * 24 FROM figures_offers
        ), sizes AS (
            SELECT month, rep, count(*) AS handoffs, count(hours) AS answered, count(*) FILTER (WHERE round(hours, 4) <= 24) AS timely
            FROM grouped GROUP BY month, rep
        ), placed AS (
            SELECT month, rep, hours, row_number() OVER (PARTITION BY month, rep ORDER BY hours) AS place FROM grouped WHERE hours IS NOT NULL
        )
        \(speeds) FROM (
            SELECT s.month, nullif(s.rep, '') AS rep, handoffs, answered, round(avg(hours), 2) AS median_hours,
                   round(100.0 * timely / handoffs, 1) AS within_goal_percent
            FROM sizes AS s LEFT JOIN placed AS p ON p.month = s.month AND p.rep = s.rep AND place IN ((answered + 1) / 2, answered / 2 + 1)
            GROUP BY s.month, s.rep)
        ORDER BY 1, 2
        """

    /// Leads that bought whose credit in the table is not that of the view.
    private func differing(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            """
            SELECT lead, channel, campaign, round(sum(first_touch), 6), round(sum(last_touch), 6), round(sum(linear), 6), round(sum(position), 6) FROM (
                SELECT c.lead, c.channel, c.campaign, c.first_touch, c.last_touch, c.linear, c.position FROM figures_credits AS c JOIN leads ON leads.id = c.lead
                UNION ALL
                SELECT lead_id, channel, campaign, -sum(weight) FILTER (WHERE model = 'first'), -sum(weight) FILTER (WHERE model = 'last'),
                       -sum(weight) FILTER (WHERE model = 'linear'), -sum(weight) FILTER (WHERE model = 'position')
                FROM attribution WHERE lead_id IN (SELECT lead FROM figures_leads JOIN leads ON leads.id = lead WHERE bought_on IS NOT NULL) GROUP BY 1, 2, 3)
            GROUP BY 1, 2, 3 HAVING abs(sum(first_touch)) + abs(sum(last_touch)) + abs(sum(linear)) + abs(sum(position)) > 0.0001
            """)
    }

    // MARK: - What happens

    private func arrive(_ email: String, _ crm: TestKernel, _ dice: inout Dice) throws {
        let draft = try crm.kernel.draft([("email", email)])
        let channel = ["paid_search", "webinar", "email"].randomElement(using: &dice) ?? "email"
        let campaign = ["", "brand"].randomElement(using: &dice) ?? ""
        var proposal = draft
        proposal.form = Bool.random(using: &dice) ? "guide" : nil
        proposal.arrive(
            Arrival(landingPage: "https://a.example/?utm_campaign=\(campaign)", referrer: nil), kind: "form",
            channel: channel)
        let arriving = proposal
        try crm.kernel.write(origin: "form") { _ = try $0.capture(arriving) }
    }

    private func move(_ lead: Int64, _ crm: TestKernel, _ dice: inout Dice) throws {
        let stage =
            ["mql", "sal", "sql", "opportunity", "customer", "recycled", "disqualified"].randomElement(using: &dice)
            ?? "mql"
        // What the file refuses, such as a way back, is no history.
        _ = try? crm.foreign("UPDATE leads SET stage = '\(stage)' WHERE id = \(lead)")
    }

    private func sell(_ lead: Int64, _ crm: TestKernel, _ dice: inout Dice) throws {
        let number = Int.random(in: 1...8, using: &dice)
        let stage = ["open", "won", "lost"].randomElement(using: &dice) ?? "open"
        let day = "2026-0\(Int.random(in: 3...5, using: &dice))-1\(Int.random(in: 0...9, using: &dice))"
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: try crm.foreign("DELETE FROM opportunities WHERE id = \(number)")
        case 1: try crm.foreign("UPDATE opportunities SET lead_id = \(lead) WHERE id = \(number)")
        case 2:
            try crm.foreign("UPDATE opportunities SET stage = '\(stage)', closed_at = '\(day)' WHERE id = \(number)")
        default:
            try crm.foreign(
                "INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (\(lead), '\(stage)', \(number * 100), \(stage == "open" ? "NULL" : "'\(day)'"))"
            )
        }
    }

    private func mail(_ lead: Int64, _ crm: TestKernel, _ dice: inout Dice) throws {
        let kind =
            ["mail.sent", "mail.opened", "mail.clicked", "mail.bounced", "mail.replied"].randomElement(using: &dice)
            ?? "mail.sent"
        try crm.kernel.write(origin: "courier") { tx in
            var message = try Int64.fetchOne(
                tx.db, sql: "SELECT max(id) FROM outbox_messages WHERE lead_id = ?", arguments: [lead])
            if kind == "mail.sent" || message == nil {
                try tx.db.execute(
                    sql: """
                        INSERT INTO outbox_messages (key, origin, lead_id, template, state, ready_at, created_at, settled_at)
                        VALUES ('drip:welcome:1:lead ' || ?1 || ':cycle ' || (SELECT count(*) FROM outbox_messages), 'plugin:drip', ?1, 'hello', 'sent', ?2, ?2, ?2)
                        """, arguments: [lead, tx.stamp])
                message = tx.db.lastInsertedRowID
                try emit("mail.sent", lead, ["mail": .string("hello"), "message_id": .integer(message ?? 0)], tx)
            }
            if kind != "mail.sent" {
                try emit(kind, lead, ["mail": .string("hello"), "message_id": .integer(message ?? 0)], tx)
            }
        }
    }

    /// Visits of before that come with a form, and a visit of now. After a purchase a visit counts no more; on its very
    /// day it does once something else happens, which is no matter of replays.
    private func touch(_ lead: Int64, _ crm: TestKernel, _ dice: inout Dice) throws {
        let hasBought =
            try crm.value("SELECT 1 FROM figures_leads WHERE lead = \(lead) AND bought_on IS NOT NULL") != nil
        if hasBought { return }
        let early = Bool.random(using: &dice)
        let channel = ["referral", "direct"].randomElement(using: &dice) ?? "direct"
        try crm.kernel.write(origin: "form:guide") { tx in
            try tx.db.execute(
                sql: "INSERT INTO touches (lead_id, at, kind, channel) VALUES (?, ?, 'view', ?)",
                arguments: [lead, early ? "2026-03-01 08:00:00.000" : tx.stamp, channel])
            if early { try emit("form.submitted", lead, ["form": .string("guide"), "channel": .string(channel)], tx) }
        }
    }

    private func handOff(_ lead: Int64, _ crm: TestKernel, _ dice: inout Dice) throws {
        let kind = ["offered", "accepted", "rejected", "expired", "queued"].randomElement(using: &dice) ?? "offered"
        let cycle = Int.random(in: 1...2, using: &dice)
        try crm.kernel.write(origin: "plugin:handoff") { tx in
            try emit(
                "handoff.\(kind)", lead,
                ["rep": .string("mia"), "cycle": .integer(Int64(cycle)), "reason": .string("no budget")], tx)
            if cycle == 2 { try emit("lead.contacted", lead, ["channel": .string("call")], tx) }
        }
    }

    private func emit(_ kind: String, _ lead: Int64, _ body: KeyValuePairs<String, JSONValue>, _ tx: Transaction) throws
    {
        let text = JSONValue.object(body.map { ($0.key, $0.value) }).text()
        try tx.emit(
            kind, forEach: "SELECT :lead AS lead_id, NULL AS cause_id, :body AS body",
            arguments: ["lead": lead, "body": text])
    }

    private func restore(_ crm: TestKernel) throws {
        // A merged lead stays where it went.
        let trash = try crm.value(
            "SELECT max(id) FROM trash WHERE table_name = 'leads' AND row_id NOT IN (SELECT gone_id FROM lead_merges)")
        guard let id = trash.flatMap(Int64.init) else { return }
        _ = try Trash.restore(crm.kernel, ids: [id])
    }
}
