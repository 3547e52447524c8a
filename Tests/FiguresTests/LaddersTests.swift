import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

/// What the worked example in the documentation has no room for.
@Suite struct LaddersTests {
    private func crm(
        _ yaml: String = "goals: {revenue_per_month: 5000, cost_per_lead: 50}", site: String = TestKernel.site
    ) throws -> TestKernel {
        let crm = try TestKernel(yaml, site: site, plugins: [Figures.self])
        try crm.capture(["email": "ann@a.example"])
        return crm
    }

    private func write(_ crm: TestKernel, _ sql: String) throws {
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
        try crm.pump()
    }

    /// As it is read at the time of the test: to whoever only reads it is the time of the machine.
    private func rows(_ crm: TestKernel, _ sql: String) throws -> [String] {
        try crm.kernel.write(origin: "cli") { tx in
            try Row.fetchAll(tx.db, sql: sql).map { row in
                row.databaseValues.map { $0.isNull ? "" : "\($0.storage.value ?? "")" }.joined(separator: "|")
            }
        }
    }

    @Test func `money of two currencies is never added up`() throws {
        let crm = try crm()
        try write(
            crm,
            """
            INSERT INTO opportunities (lead_id, stage, amount, currency, closed_at) VALUES
                (1, 'won', 3000, 'EUR', '2026-03-02'), (1, 'won', 500, NULL, '2026-03-02'), (1, 'won', 9000, 'USD', '2026-03-02'),
                (1, 'open', 2000, 'USD', NULL);
            INSERT INTO spend (day, channel, half, amount, currency) VALUES
                ('2026-03-01', 'webinar', 'generation', 40, 'EUR'), ('2026-03-01', 'webinar', 'generation', 70, 'CHF');
            """)
        #expect(
            try rows(
                crm, "SELECT goal, actual, unit, sentence FROM ladder_goals WHERE target IS NOT NULL ORDER BY goal DESC"
            )
                == [
                    "revenue_per_month|3500.0|EUR|revenue_per_month of 2026-03 is not yet reached: 3500 EUR against 5000, and 9000.00 USD besides.",
                    "cost_per_lead|40.0|EUR|cost_per_lead of 2026-03 is reached: 40 EUR against 50, and 70.00 CHF besides.",
                ])
        #expect(
            try rows(crm, "SELECT figure, \"limit\", sentence FROM pipeline_alarms WHERE alarm = 'pipeline runs dry'")
                == [
                    "0|15000.0|Open deals are worth 0.00 EUR; three times what is to be won in a month would be 15000.00.",
                    "2000.0|9000.0|Open deals are worth 2000.00 USD; three times what is to be won in a month would be 9000.00.",
                ])
        #expect(
            try rows(crm, "SELECT sentence FROM pipeline_alarms WHERE alarm = 'spend is unbalanced' ORDER BY 1") == [
                "100 % of the 40.00 EUR spent in 90 days went into bringing leads, the rest into bringing them on.",
                "100 % of the 70.00 CHF spent in 90 days went into bringing leads, the rest into bringing them on.",
            ])
    }

    @Test func `a deal without a currency is in that of the site`() throws {
        let crm = try crm("goals: {revenue_per_month: 5000}", site: "site: {name: Acme, currency: CHF}")
        try write(
            crm, "INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (1, 'won', 3000, '2026-03-02')")
        #expect(try crm.rows("SELECT currency, revenue FROM kpi_sales") == ["CHF|3000.0"])
        #expect(try rows(crm, "SELECT actual, unit FROM ladder_goals WHERE target IS NOT NULL") == ["3000.0|CHF"])
        #expect(try crm.run("spend add", options: ["day": "2026-03-01", "channel": "fair", "amount": "5"]).count == 1)
        #expect(try crm.rows("SELECT currency FROM spend") == ["CHF"])
    }

    @Test func `a month that is over is missed, the one that runs is not`() throws {
        let crm = try crm("goals: {leads_per_month: 3}")
        try crm.pump()
        #expect(
            try rows(crm, "SELECT sentence FROM ladder_goals WHERE target IS NOT NULL") == [
                "leads_per_month of 2026-03 is not yet reached: 1 leads against 3."
            ])
        crm.clock.set("2026-04-02 09:00:00")
        try crm.capture(["email": "ben@a.example"])
        try crm.pump()
        #expect(
            try rows(crm, "SELECT sentence FROM ladder_goals WHERE target IS NOT NULL ORDER BY month") == [
                "leads_per_month of 2026-03 is missed: 1 leads against 3.",
                "leads_per_month of 2026-04 is not yet reached: 1 leads against 3.",
            ])
    }

    // MARK: - The leak

    private func funnel(_ crm: TestKernel) throws -> [String] {
        try rows(crm, "SELECT step, people, lost, is_leak FROM funnel_steps WHERE month = '2026-03' ORDER BY position")
    }

    @Test func `the leak is where many are lost, and not where the last one is`() throws {
        let crm = try TestKernel(plugins: [Figures.self], at: "2026-03-02 09:00:00")
        for number in 1...14 { try crm.capture(["email": "l\(number)@a.example"]) }
        try crm.pump()
        try write(crm, "UPDATE leads SET stage = 'mql' WHERE id < 3; UPDATE leads SET stage = 'sql' WHERE id = 1")
        crm.clock.set("2026-04-15 09:00:00")
        let steps = try funnel(crm)
        #expect(steps.contains("mql|2|12|1"))
        #expect(steps.filter { $0.hasSuffix("|1") }.count == 1, "\(steps)")
    }

    @Test func `a month is not accused of a step for which its leads had no time yet`() throws {
        let crm = try TestKernel(plugins: [Figures.self], at: "2026-01-10 09:00:00")
        for number in 1...10 { try crm.capture(["email": "old\(number)@a.example"]) }
        try crm.pump()
        // It takes 40 days to become an mql.
        crm.clock.set("2026-02-19 09:00:00")
        try write(crm, "UPDATE leads SET stage = 'mql'")
        crm.clock.set("2026-03-20 09:00:00")
        for number in 1...12 { try crm.capture(["email": "new\(number)@a.example"]) }
        try crm.pump()
        crm.clock.set("2026-05-09 09:00:00")
        #expect(try funnel(crm).allSatisfy { $0.hasSuffix("|0") })
        crm.clock.set("2026-05-10 09:00:00")
        #expect(try funnel(crm).contains("mql|0|12|1"))
    }

    // MARK: - Nurturing without a holdout

    @Test func `what a sequence without a holdout cost is not left out`() throws {
        let crm = try crm()
        try write(
            crm,
            """
            INSERT INTO spend (day, channel, campaign, half, amount, currency) VALUES
                ('2026-03-01', 'email', 'welcome', 'nurturing', 40, 'EUR'), ('2026-03-01', 'email', NULL, 'nurturing', 15, 'EUR');
            INSERT INTO figures_content_months (month, kind, content, sequence, stage, measure, count) VALUES
                ('2026-03', 'mail', 'hello', 'welcome', 'lead', 'sent', 3), ('2026-03', 'mail', 'spring', 'spring', 'lead', 'sent', 1);
            """)
        #expect(
            try rows(crm, "SELECT sequence, spend, leads, sentence FROM ladder_roi WHERE half = 'nurturing' ORDER BY 1")
                == [
                    "|15.0||15.00 EUR of nurturing is booked on no sequence: name it as the campaign.",
                    "spring|0.0||spring: 1 mail, no holdout: what it adds is not known; hold out 10 %.",
                    "welcome|40.0||welcome: 3 mails and 40.00 EUR, no holdout: what it adds is not known; hold out 10 %.",
                ])
    }

    // MARK: - Campaigns and models

    /// A customer who came by the ad of spring and bought by the webinar.
    private func roads(_ figures: String) throws -> TestKernel {
        let crm = try TestKernel("plugins: {figures: {\(figures)}}", plugins: [Figures.self])
        try crm.kernel.write(origin: "kernel") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
        try crm.capture(["email": "ann@a.example"])
        try write(
            crm,
            """
            INSERT INTO touches (lead_id, at, kind, channel, campaign) VALUES
                (1, '2026-03-01 08:00:00.000', 'visit', 'paid_search', 'spring'), (1, '2026-03-02 08:30:00.000', 'form', 'webinar', 'talk');
            INSERT INTO opportunities (lead_id, stage, amount, currency, closed_at) VALUES (1, 'won', 3000, 'EUR', '2026-03-02');
            INSERT INTO spend (day, channel, campaign, half, amount, currency) VALUES
                ('2026-03-01', 'paid_search', 'spring', 'generation', 300, 'EUR'), ('2026-03-01', 'paid_search', NULL, 'generation', 100, 'EUR');
            """)
        return crm
    }

    @Test func `a campaign has its own cost of a customer and its own return`() throws {
        let crm = try roads("")
        #expect(
            try rows(
                crm,
                "SELECT channel, campaign, spend, new_customers, cac FROM kpi_cac WHERE model = 'linear' AND month = '2026-03' ORDER BY 1, 2"
            ) == [
                "||400.0|1.0|400.0", "paid_search||400.0|0.5|800.0", "paid_search|spring|300.0|0.5|600.0",
                "webinar||0.0|0.5|", "webinar|talk|0.0|0.5|",
            ])
        #expect(
            try rows(
                crm,
                "SELECT channel, campaign, spend, revenue, roi_percent FROM kpi_roi WHERE model = 'linear' AND month = '2026-03' ORDER BY 1, 2"
            ) == [
                "||400.0|3000.0|650.0", "paid_search||400.0|1500.0|275.0", "paid_search|spring|300.0|1500.0|400.0",
                "webinar||0.0|1500.0|", "webinar|talk|0.0|1500.0|",
            ])
    }

    @Test(arguments: [
        ("", "paid_search|1.0|3000.0"), ("attribution: last", "webinar|1.0|3000.0"),
        ("attribution: linear", "paid_search|0.5|1500.0 webinar|0.5|1500.0"),
        ("attribution: position", "paid_search|0.5|1500.0 webinar|0.5|1500.0"),
    ])
    func `the ladder and the report credit by the model of the config`(_ setting: String, _ credited: String) throws {
        let crm = try roads(setting)
        #expect(
            try rows(
                crm,
                "SELECT channel, outcomes, revenue FROM ladder_roi WHERE half = 'generation' AND outcomes > 0 ORDER BY 1"
            ).joined(separator: " ") == credited)
        crm.clock.set("2026-04-02 09:00:00")
        let document = try crm.kernel.ask(PeriodReport(.monthly, now: crm.clock.now)).flatMap { $0 }.first
        let channels = try #require(document?.parts.first { $0.title == "Channels" }).table
        let bought = channels.rows.filter { ($0[3].number ?? 0) > 0 }.map { "\($0[0].text ?? "")|\($0[3].number ?? 0)" }
        #expect(
            bought.sorted()
                == credited.split(separator: " ").map { $0.split(separator: "|").prefix(2).joined(separator: "|") })
    }

    @Test func `the road of a lead that was deleted is credited to nobody`() throws {
        let crm = try roads("")
        #expect(try crm.rows("SELECT count(*) FROM attribution WHERE lead_id = 1") != ["0"])
        try write(crm, "DELETE FROM leads WHERE id = 1")
        #expect(try crm.rows("SELECT count(*) FROM attribution") == ["0"])
    }

    // MARK: - The channels together

    @Test func `a road names its first and its last channel, and sales where it spoke`() throws {
        let crm = try TestKernel(plugins: [Figures.self], at: "2026-03-02 09:00:00")
        for name in ["ann", "ben", "cem"] { try crm.capture(["email": "\(name)@a.example"]) }
        try write(
            crm,
            """
            INSERT INTO touches (lead_id, at, kind, channel, campaign) VALUES
                (1, '2026-03-01 08:00:00.000', 'visit', 'paid_search', 'spring'), (1, '2026-03-01 09:00:00.000', 'visit', 'paid_search', 'brand'),
                (2, '2026-03-01 08:00:00.000', 'visit', 'paid_search', NULL), (2, '2026-03-01 09:00:00.000', 'visit', 'email', NULL),
                (2, '2026-03-01 10:00:00.000', 'visit', 'webinar', NULL), (3, '2026-03-01 08:00:00.000', 'visit', 'webinar', NULL);
            INSERT INTO events (kind, lead_id, origin, at, body) VALUES
                ('handoff.offered', 3, 'plugin:handoff', '2026-03-02 08:00:00.000', '{"rep":"mia","cycle":1,"offer":1}'),
                ('handoff.accepted', 3, 'plugin:handoff', '2026-03-02 09:00:00.000', '{"rep":"mia","cycle":1,"offer":1}');
            INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES
                (1, 'won', 10, '2026-03-02'), (2, 'won', 10, '2026-03-02'), (3, 'won', 10, '2026-03-02');
            """)
        #expect(
            try rows(crm, "SELECT name, figure, share_percent FROM ladder_channels WHERE aspect = 'path' ORDER BY 1")
                == ["paid_search|1|33.3", "paid_search > webinar|1|33.3", "webinar > sales|1|33.3"])
    }

    @Test func `a channel that went quiet is a gap, and so is one that only costs`() throws {
        let crm = try TestKernel(plugins: [Figures.self], at: "2026-01-10 09:00:00")
        try crm.capture(["email": "ann@a.example"])
        try write(
            crm,
            "INSERT INTO touches (lead_id, at, kind, channel) VALUES (1, '2026-01-10 09:00:00.000', 'manual', 'offline')"
        )
        let quiet =
            "SELECT aspect, name, figure, sentence FROM ladder_channels WHERE aspect IN ('gap', 'silence') ORDER BY 1, 2"
        crm.clock.set("2026-02-08 09:00:00")
        #expect(try rows(crm, quiet) == [])
        crm.clock.set("2026-03-20 09:00:00")
        try crm.capture(["email": "ben@a.example"])
        try write(
            crm,
            """
            INSERT INTO touches (lead_id, at, kind, channel) VALUES (2, '2026-03-20 09:00:00.000', 'manual', 'email');
            INSERT INTO spend (day, channel, half, amount, currency) VALUES
                ('2026-03-10', 'tv', 'generation', 50, 'EUR'), ('2026-03-10', 'email', 'generation', 5, 'EUR');
            """)
        #expect(
            try rows(crm, quiet) == [
                "gap|offline|69.0|offline has brought no lead since 2026-01-10.",
                "gap|tv||tv cost 50.00 EUR in the last 30 days and brought no lead.",
                "silence|leads|1|1 of 2 leads that may still buy had no word with us for 30 days or more.",
            ])
    }
}
