import AudienceExport
import DripSequencer
import Handoff
import LeadMagnets
import Scoring
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Each table whose past is told, with each column whose past is kept: as of a moment it is what it was.
@Suite struct PastViewsTests {
    private let views = KernelPast.views + NurturingSite.plugins.flatMap { $0.pastViews }

    /// What is not said to be as now, though it changes: what the log names without what stood in it, and what a score
    /// was as of its own moment.
    private static let apart: [String: Set<String>] = [
        "leads": ["owner", "account_id", "contact_id", "updated_at"],
        "scoring_totals": ["engagement", "score", "as_of", "review_at", "decays"],
        "contacts": ["updated_at"], "accounts": ["updated_at"], "opportunities": ["updated_at"],
        "outbox_messages": ["lease", "domain", "slot_at", "links_watched", "opens_watched"],
        "magnets_submissions": ["delivered_by", "delivered_as", "handed_at", "asked_at", "lapsed_at"],
    ]

    /// The rows of every table, by those columns.
    private func image(_ rows: (String) throws -> [String], _ crm: TestKernel, in schema: String) throws -> [String:
        [String]]
    {
        try views.reduce(into: [:]) { all, view in
            let columns = try crm.rows(
                "SELECT name FROM pragma_table_xinfo('\(view.table)') WHERE hidden <> 1 ORDER BY cid")
            let left = Set(view.asNow).union(Self.apart[view.table] ?? [])
            #expect(!columns.isEmpty && left.isSubset(of: columns), "\(view.table)")
            let kept = columns.filter { !left.contains($0) }.map { "quote(\"\($0)\")" }.joined(separator: " || '|' || ")
            all[view.table] = try rows("SELECT \(kept) AS line FROM \(schema)\(view.table) ORDER BY line")
        }
    }

    private func past(_ stamp: String, _ crm: TestKernel) throws -> [String: [String]] {
        let moment = PastMoment(try #require(Timestamp.date(stamp)))
        let reader = try PastReader(
            path: crm.kernel.config.databasePath, moment: moment, plugins: NurturingSite.plugins)
        return try image({ try reader.connection.table($0).rows.map { $0[0].text ?? "" } }, crm, in: "")
    }

    @Test func `from a form to a deal, each day is as it was`() async throws {
        let crm = try NurturingSite.crm()
        var days: [(stamp: String, image: [String: [String]])] = []
        func endOfDay() async throws {
            try await crm.work()
            days.append((Timestamp.text(crm.clock.clock.now()), try image(crm.rows, crm, in: "main.")))
            crm.clock.advance(by: "1 day")
        }
        let ann = try NurturingSite.fillInForm(crm, "ann@acme.example", "Ann", title: "Head of Sales")
        _ = try NurturingSite.fillInForm(crm, "ben@acme.example", "Ben", title: "Hand")
        try await endOfDay()
        try crm.record("demo.booked", lead: ann, ["slot": "monday"])
        try await endOfDay()
        try crm.run("handoff accept", "1")
        try await endOfDay()
        try crm.run("handoff convert", "1")
        try await endOfDay()
        try crm.run("handoff won", "1")
        crm.clock.advance(by: "3 days")
        try await endOfDay()
        for day in days {
            let then = try past(day.stamp, crm)
            for table in views.map(\.table) {
                #expect(then[table] == day.image[table], "\(table) at \(day.stamp)")
            }
        }
        #expect(days.last?.image["handoff_handoffs"]?.first?.contains("won") == true)
        #expect(try crm.troubles() == [])
    }

    @Test func `every view of the file can be asked of any moment`() async throws {
        let crm = try NurturingSite.crm()
        try NurturingSite.fillInForm(crm, "ann@acme.example", "Ann", title: "Head of Sales")
        try await crm.work()
        let moment = PastMoment(try #require(Timestamp.date("2026-03-02 09:00:00")))
        let reader = try PastReader(
            path: crm.kernel.config.databasePath, moment: moment, plugins: NurturingSite.plugins)
        let names = try crm.rows("SELECT name FROM sqlite_schema WHERE type = 'view' AND name NOT GLOB 'figures_*'")
        #expect(names.count > 15)
        for name in names { _ = try reader.connection.table("SELECT count(*) FROM \(name)") }
    }
}
