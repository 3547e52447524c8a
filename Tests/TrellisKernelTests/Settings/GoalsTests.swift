import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct GoalsTests {
    @Test func `goals of the config are rows, and go when they leave it`() throws {
        let crm = try TestKernel("goals: {leads_per_month: 400, speed_to_lead: 4 hours, cost_per_lead: 12.5}")
        #expect(
            try crm.rows("SELECT * FROM goals ORDER BY name") == [
                "cost_per_lead|12.5|EUR", "leads_per_month|400.0|leads", "speed_to_lead|4.0|hours",
            ])
        let changed = try crm.reopened("goals: {leads_per_month: 300}")
        #expect(try changed.rows("SELECT * FROM goals") == ["leads_per_month|300.0|leads"])
    }

    @Test func `money is in the currency of the site, which SQL can ask`() throws {
        let crm = try TestKernel("goals: {revenue_per_month: 5000}", site: "site: {name: Acme, currency: usd}")
        #expect(try crm.rows("SELECT value, unit, currency FROM goals, site") == ["5000.0|USD|USD"])
        let problems = try #require(throws: ConfigProblems.self) { try TestKernel(site: "site: {currency: euros}") }
        #expect(
            problems.problems.map(\.description) == [
                "config.yaml:1:18: site.currency: expected an ISO 4217 currency such as EUR, got 'euros'."
            ])
    }

    @Test func `an up-to-date file is not written to when it is opened`() throws {
        let yaml = "goals: {leads_per_month: 400}"
        let crm = try TestKernel(yaml)
        let before = try crm.value("SELECT total_changes()")
        let again = try crm.reopened(yaml)
        #expect(try again.value("SELECT total_changes()") == before)
        #expect(try again.rows("SELECT * FROM goals") == ["leads_per_month|400.0|leads"])
    }

    @Test func `what is no goal is refused with its place`() throws {
        let problems = try #require(throws: ConfigProblems.self) {
            try TestKernel(
                """
                goals:
                  leads_per_month: many
                  mql_per_month: 0
                  lead_per_month: 5
                  speed_to_lead: soon
                """)
        }
        #expect(
            problems.problems.map { "\($0)" } == [
                "config.yaml:4:20: goals.leads_per_month: expected a number above 0, got 'many'.",
                "config.yaml:5:18: goals.mql_per_month: expected a number above 0, got '0'.",
                "config.yaml:6:3: goals: unknown key 'lead_per_month'. Did you mean 'leads_per_month'?",
                "config.yaml:7:18: goals.speed_to_lead: expected a duration such as 90m, 4 hours or 3 days, got 'soon'.",
            ])
    }
}
