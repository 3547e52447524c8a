import Testing

@testable import TrellisKernel

/// Adds a column to the cards of leads.
private struct Ranks: Plugin {
    static let name = "ranks"
    static let summary = "Ranks."
    static var cardColumns: KeyValuePairs<String, String> { ["rank": "SELECT 1"] }

    init(settings: NoSettings) {}

    var hooks: [any Hook] { [] as [any Hook] }
}

@Suite struct ConfigCheckFieldsTests {
    @Test func `a field that stands in the place of a plugin's column is noted`() throws {
        let config = try Config.parse("leads: {fields: {rank: integer, budget: real}}", plugins: [Ranks.self])
        #expect(
            try config.check(plugins: [Ranks.self]).map(\.description).filter { $0.contains("lead_cards") } == [
                "config.yaml:1:18: leads.fields.rank: lead_cards shows this field in place of the column 'rank' of a plugin. Call it otherwise to see both."
            ])
    }

    @Test func `a field that clashes with a column hides nothing else that is wrong`() throws {
        let config = try Config.parse(
            """
            leads: {fields: {email: integer, budget: real}}
            queries:
              rich: {sql: SELECT id FROM leads WHERE budgte > 9}
            hooks:
              flag: {on: lead.created, sql: UPDATE leads SET ownr = 'me'}
            """, plugins: [])
        let error = try #require(throws: ConfigProblems.self) { try config.check(plugins: []) }
        #expect(error.problems.map(\.place.path) == ["leads.fields.email", "queries.rich.sql", "hooks.flag.sql"])
        #expect(error.problems[1].message == "SQL: no such column: budgte. Did you mean 'budget'?")
    }
}
