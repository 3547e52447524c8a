import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct LeadLoaderTests {
    private static let channels = "leads: {channels: {partner: {source: [union]}, trade-press: {}}}"

    private func run(
        _ csv: String, _ yaml: String = LeadLoaderTests.channels, set: [String: String] = [:],
        map: [String: String] = [:]
    ) throws -> (crm: TestKernel, report: ImportReport) {
        let crm = try TestKernel(yaml, files: ["leads.csv": csv])
        var mapping = ImportMapping()
        mapping.constants = set.map { Named($0.key, $0.value) }
        mapping.columns = map.map { Named($0.key, $0.value) }
        return (crm, try Importer(crm.kernel, file: crm.folder + "/leads.csv", mapping: mapping).run())
    }

    private func touches(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT channel, source, medium, campaign FROM touches ORDER BY lead_id")
    }

    @Test func `a source and a medium tell the channel as they do for a form`() throws {
        let (crm, report) = try run(
            """
            email,source,medium,campaign
            a@a.example,google,cpc,spring
            b@a.example,google,organic,
            c@a.example,union,cpc,
            d@a.example,google,cpc,
            e@a.example,trade fair,,
            f@a.example,,,
            """)
        #expect(report.created == 6)
        #expect(
            try touches(crm) == [
                "paid_search|google|cpc|spring", "organic_search|google|organic|", "partner|union|cpc|",
                "paid_search|google|cpc|", "|trade fair||", "|||",
            ])
    }

    @Test func `a row on which a filter of the config fails is rejected, and the others are taken in`() throws {
        let (crm, report) = try run(
            "email\na1@z.example\na2@z.example\na3@z.example\n",
            "hooks: {rv: {filter: lead, set: \"SELECT 'zz' AS country WHERE :email = 'a2@z.example'\"}}")
        #expect(report.created == 2 && report.rejected == 1)
        #expect(try crm.rows("SELECT email FROM leads ORDER BY id") == ["a1@z.example", "a3@z.example"])
        let rejected = try String(contentsOfFile: crm.folder + "/leads.csv.rejected.csv", encoding: .utf8)
        #expect(rejected.contains("hooks/rv failed: country: expected a country such as DE or Germany"), "\(rejected)")
    }

    @Test func `columns called as in a link are the source, the medium and the campaign`() throws {
        let (crm, report) = try run(
            "email,utm_source,UTM Medium,utm_campaign,utm_term\na@a.example,google,cpc,spring,pos\n")
        #expect(report.ignoredColumns == ["utm_term"])
        #expect(try touches(crm) == ["paid_search|google|cpc|spring"])
        #expect(try crm.rows("SELECT source, medium, campaign FROM leads") == ["google|cpc|spring"])
    }

    @Test func `where the file has a source of its own, that of the link is left out`() throws {
        let (crm, report) = try run("email,utm_source,source\na@a.example,google,fair\n")
        #expect(report.ignoredColumns == ["utm_source"])
        #expect(try crm.rows("SELECT source FROM leads") == ["fair"])
    }

    @Test func `a channel that is said counts before what the source tells`() throws {
        let (all, _) = try run("email,source,medium\na@a.example,google,cpc\n", set: ["channel": "trade-press"])
        #expect(try touches(all) == ["trade-press|google|cpc|"])
        let (each, report) = try run(
            "email,channel,source,medium\na@a.example,offline,google,cpc\nb@a.example,,google,cpc\n",
            set: ["channel": "outbound"])
        #expect(report.ignoredColumns == [])
        #expect(try touches(each) == ["offline|google|cpc|", "outbound|google|cpc|"])
        #expect(try all.rows("SELECT count(*) FROM pragma_table_info('leads') WHERE name = 'channel'") == ["0"])
    }

    @Test func `a channel nobody knows is refused with the list`() throws {
        let error = #expect(throws: KernelError.self) {
            try run("email\na@a.example\n", set: ["channel": "trade-pres"])
        }
        #expect(
            error?.description.hasPrefix("constants: channel: expected one of organic_search, paid_search") == true
                && error?.description.contains("partner, trade-press. Did you mean 'trade-press'?") == true)
        let (crm, report) = try run("email,Road\na@a.example,offlin\nb@a.example,offline\n", map: ["Road": "channel"])
        #expect(report.rejected == 1 && report.created == 1)
        #expect(
            report.examples.first?.hasPrefix("line 2: Road (channel): expected one of organic_search") == true
                && report.examples.first?.contains("Did you mean 'offline'?") == true)
        #expect(try touches(crm) == ["offline|||"])
    }

    @Test func `a column of the site called channel is that column, and takes anything`() throws {
        let (crm, _) = try run(
            "email,channel\na@a.example,Our Shop\n", "leads: {fields: {channel: text}}", set: ["channel": "none"])
        #expect(try crm.rows("SELECT channel FROM leads") == ["Our Shop"])
        #expect(try touches(crm) == ["|||"])
    }

    @Test func `more sources than are remembered are told as well`() throws {
        let rows = (1...12_000).map { "l\($0)@a.example,site\($0),cpc\n" }.joined()
        let (crm, report) = try run("email,source,medium\n" + rows)
        #expect(report.created == 12_000)
        #expect(try crm.rows("SELECT DISTINCT channel FROM touches") == ["paid_search"])
    }
}
