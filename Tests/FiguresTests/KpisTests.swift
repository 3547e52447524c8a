import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

/// What the worked example in the documentation has no room for.
@Suite struct KpisTests {
    /// Ann came by the webinar `talk`, Ben by email.
    private func crm() throws -> TestKernel {
        let crm = try TestKernel(plugins: [Figures.self], at: "2026-03-02 09:00:00")
        for name in ["ann", "ben"] { try crm.capture(["email": "\(name)@a.example"]) }
        try write(
            crm,
            """
            INSERT INTO touches (lead_id, at, kind, channel, campaign) VALUES
                (1, '2026-03-02 09:00:00.000', 'form', 'webinar', 'talk'), (2, '2026-03-02 09:00:00.000', 'form', 'email', NULL)
            """)
        return crm
    }

    private func write(_ crm: TestKernel, _ sql: String) throws {
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
        try crm.pump()
    }

    @Test func `the middle of an even number of deals lies between two, and a deal without a lead has no arrival`()
        throws
    {
        let crm = try crm()
        try write(
            crm,
            """
            INSERT INTO opportunities (lead_id, stage, opened_at, closed_at) VALUES
                (1, 'won', '2026-03-02', '2026-03-05'), (1, 'won', '2026-03-01', '2026-03-09'), (2, 'won', '2026-03-04', '2026-03-06'),
                (NULL, 'won', '2026-03-02', '2026-04-10'), (2, 'lost', '2026-03-02', '2026-03-30')
            """)
        #expect(
            try crm.rows(
                "SELECT month, channel, deals, median_days, mean_days, median_days_from_arrival FROM kpi_sales_cycle ORDER BY 1, 2"
            ) == [
                "||4|5.5|13.0|4.0", "|email|1|2.0|2.0|4.0", "|unknown|1|39.0|39.0|", "|webinar|2|5.5|5.5|5.0",
                "2026-03||3|3.0|4.3|4.0", "2026-03|email|1|2.0|2.0|4.0", "2026-03|webinar|2|5.5|5.5|5.0",
                "2026-04||1|39.0|39.0|", "2026-04|unknown|1|39.0|39.0|",
            ])
    }

    @Test func `a road has its cost in each currency, with leads or without, and its leads without a cost`() throws {
        let crm = try crm()
        try write(
            crm,
            """
            INSERT INTO spend (day, channel, campaign, half, amount, currency) VALUES
                ('2026-03-01', 'webinar', NULL, 'generation', 40, 'EUR'), ('2026-03-01', 'webinar', NULL, 'generation', 20, 'CHF'),
                ('2026-03-01', 'tv', 'spot', 'generation', 10, 'EUR'), ('2026-03-01', 'email', NULL, 'nurturing', 5, 'EUR')
            """)
        #expect(
            try crm.rows(
                "SELECT channel, campaign, currency, spend, leads, mql, cost_per_lead FROM kpi_cost_per_lead ORDER BY 1, 2, 3"
            ) == [
                "email|||0.0|1|0|", "tv||EUR|10.0|0|0|", "tv|spot|EUR|10.0|0|0|", "webinar||CHF|20.0|1|0|20.0",
                "webinar||EUR|40.0|1|0|40.0", "webinar|talk||0.0|1|0|",
            ])
        #expect(
            try crm.rows(
                "SELECT channel, currency, spend, leads FROM ladder_roi WHERE half = 'generation' ORDER BY 1, 2")
                == ["email||0.0|1", "tv|EUR|10.0|0", "webinar|CHF|20.0|1", "webinar|EUR|40.0|1"])
    }

    @Test func `a purchase whose day moves is credited in its new month`() throws {
        let crm = try crm()
        try write(
            crm,
            "INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (1, 'won', 100, '2026-03-20')")
        let customers = "SELECT month, channel, customers FROM figures_customers WHERE model = 'last'"
        #expect(try crm.rows(customers) == ["2026-03|webinar|1.0"])
        try write(crm, "UPDATE opportunities SET closed_at = '2026-04-02'")
        #expect(try crm.rows(customers) == ["2026-04|webinar|1.0"])
        #expect(try crm.troubles() == [])
    }
}
