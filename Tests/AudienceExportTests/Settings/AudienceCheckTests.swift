import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct AudienceCheckTests {
    private func problems(_ rules: String) throws -> [String] {
        do {
            _ = try AudienceSite.crm(rules)
            return []
        } catch let problems as ConfigProblems {
            return problems.problems.map {
                $0.description.replacing(#/^config.yaml:\d+:\d+: plugins.audiences./#, with: "")
            }
        }
    }

    private static let platforms = "There are: google, meta, linkedin, linkedin_companies, tiktok, microsoft, x."

    @Test func `what is wrong with an audience is named with its place`() throws {
        #expect(
            try problems(#"all: {sql: "SELECT id FROM leads", platforms: [gogle], exclude: [nobody]}"#) == [
                "all.sql: the SELECT must have a column 'lead_id'; it has id.",
                "all.platforms.1: there is no platform 'gogle'. Did you mean 'google'? \(Self.platforms)",
                "all.exclude.1: there is no audience 'nobody'.",
            ])
        #expect(
            try problems(#"all: {sql: "DELETE FROM leads RETURNING id AS lead_id"}"#) == [
                "all.sql: only reads are allowed here."
            ])
        #expect(
            try problems(#"all: {sql: "SELECT id AS lead_id FROM lead"}"#).first?.hasPrefix(
                "all.sql: SQL: no such table: lead.") == true)
        #expect(
            try problems(#"all: {sql: "SELECT id AS lead_id FROM leads WHERE country = :country"}"#) == [
                "all.sql: nobody fills the parameter :country. Only :now is known."
            ])
    }

    @Test func `what is wrong with its files is named too`() throws {
        let all = #"sql: "SELECT id AS lead_id FROM leads""#
        #expect(
            try problems("all: {\(all), match: [emal], phones: [mobile], lists: {bing: 1}, export: {to: hook}}") == [
                "all.match.1: 'emal' identifies nobody. Did you mean 'email'? There are: email, phone, name, company.",
                "all.phones.1: leads has no column 'mobile'.",
                "all.lists.bing: there is no platform 'bing'. \(Self.platforms)",
                "all.export.to: there is no webhook 'hook' under webhooks:.",
            ])
        #expect(
            try problems("all: {\(all), value: amont * 2}").first?.hasPrefix("all.value: SQL: no such column: amont")
                == true)
    }

    @Test func `an audience is a SELECT or made of others, and never of itself`() throws {
        let unknown = try problems("first: {in: [others]}")
        #expect(unknown == ["first.in.1: there is no audience 'others'."])
        #expect(
            try problems("empty: {platforms: [google]}").map { $0.replacing(#/^config.yaml:\d+:\d+: /#, with: "") } == [
                "empty: give it sql: with one SELECT, or in: with other audiences."
            ])
        let circular = try problems(
            "a: {in: [b]}\nb: {in: [c], not_in: [a]}\nc: {sql: SELECT id AS lead_id FROM leads}")
        #expect(
            circular == [
                "a: the audience is made of itself, by way of b.",
                "b: the audience is made of itself, by way of c, a.",
            ])
    }

    @Test func `a SELECT that is looked at as a whole is told of, with what would help`() throws {
        let yaml = AudienceSite.yaml(
            """
            quick: {sql: SELECT id AS lead_id FROM leads WHERE stage = 'lead'}
            slow: {sql: SELECT id AS lead_id FROM leads WHERE id IN (SELECT lead_id FROM events WHERE kind = 'lead.created')}
            """)
        let config = try Config.parse(
            TestKernel.site + yaml, plugins: [AudienceExport.self], environment: TestKernel.environment)
        let notes = try config.check(plugins: [AudienceExport.self])
        #expect(notes.map(\.place.path) == ["plugins.audiences.slow.sql"])
        #expect(
            notes.first?.message.hasPrefix(
                "every lead is looked at when one changes, once a minute at most, because it looks at rows of events that are not the lead's. A SELECT in which"
            ) == true)
    }

    @Test func `an audience with all there is to say is sound`() throws {
        let crm = try TestKernel(
            """
            leads: {fields: {mobile: text}}
            activities: {demo.booked: {}}
            webhooks: {ads: {url: "https://hooks.acme.example/ads", secret: "${TRELLIS_ADMIN_TOKEN}"}}
            plugins:
              audiences:
                booked-lately:
                  sql: SELECT lead_id FROM events WHERE kind = 'demo.booked' AND at > datetime('now', '-30 days')
                  every: 6 hours
                heads:
                  sql: SELECT id AS lead_id FROM leads WHERE title LIKE 'Head%'
                customers:
                  sql: SELECT id AS lead_id FROM leads WHERE stage = 'customer'
                  events: false
                warm:
                  in: [booked-lately, heads]
                  not_in: [customers]
                  platforms: [google, meta, linkedin, tiktok, microsoft, x]
                  exclude: [customers]
                  leave_out_open_opportunities: true
                  consent: ads
                  match: [email, phone]
                  phones: [phone, mobile]
                  tiktok_phone: plus
                  lists: {microsoft: "8712"}
                  minimum: 300
                  value: (SELECT max(amount) FROM opportunities WHERE lead_id = leads.id)
                  export: {every: 1 day, to: ads, platforms: [google, meta], difference: true}
            """, plugins: [AudienceExport.self])
        #expect(try crm.kernel.config.check(plugins: [AudienceExport.self]).isEmpty)
    }
}
