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
}
