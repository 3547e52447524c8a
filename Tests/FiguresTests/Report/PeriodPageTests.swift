import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

@Suite struct PeriodPageTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel("goals: {leads_per_month: 3}", plugins: [Figures.self], at: "2026-02-10 09:00:00")
        try arrive(2, by: "webinar")
        crm.clock.set("2026-03-10 09:00:00")
        try arrive(4, by: "paid_search")
        try arrive(1, by: "webinar")
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO spend (day, channel, amount) VALUES ('2026-02-03', 'webinar', 60), ('2026-03-03', 'paid_search', 100);
                    INSERT INTO opportunities (owner, stage, amount, currency, opened_at, closed_at) VALUES ('mia', 'won', 1200, 'EUR', '2026-03-01', '2026-03-20');
                    """)
        }
        crm.clock.set("2026-04-02 09:00:00")
        try crm.pump()
    }

    private func arrive(_ count: Int, by channel: String) throws {
        for _ in 0..<count {
            var draft = try crm.kernel.draft([("email", "\(UUID().uuidString)@a.example")])
            draft.arrive(nil, kind: "form", channel: channel)
            let arriving = draft
            try crm.kernel.write(origin: "form") { _ = try $0.capture(arriving) }
        }
    }

    private func document(_ period: PeriodReport.Period) throws -> PeriodDocument {
        try #require(try crm.kernel.ask(PeriodReport(period, now: crm.clock.now)).flatMap { $0 }.first)
    }

    @Test func `a month is held against the one before, with its reasons`() throws {
        let document = try document(.monthly)
        #expect(document.title == "The month: March 2026, against February 2026")
        let figures = try #require(document.parts.first)
        #expect(
            figures.table.rows.map { $0.map { $0.text ?? "" }.joined(separator: "|") } == [
                "New leads|5.0|2.0|150.0|percent", "Qualified by marketing|0.0|0.0||", "New customers|0.0|0.0||",
                "Revenue (EUR)|1200.0|||",
                "Spend (EUR)|100.0|60.0|66.7|percent", "Cost per lead (EUR)|20.0|30.0|-33.3|percent",
                "Deals won, of those decided|100.0|||",
                "Forms filled in|0.0|0.0||",
            ])
        #expect(
            figures.sentences == [
                "New leads rose from 2 to 5 (+150 %): paid_search +4; against it webinar −1.",
                "Revenue (EUR) rose from 0 to 1,200: mia +1,200.",
                "Cost per lead (EUR) fell from 30 to 20, for the better.",
            ])
        #expect(
            document.parts.contains {
                $0.title == "Goals of 2026-03" && $0.table.rows.first?.first == "leads_per_month"
            })
    }

    @Test func `the SQL that is shown is the SQL that was run`() throws {
        for part in try document(.monthly).parts {
            for statement in part.sql.split(separator: ";\n\n") {
                let rows = try crm.rows(String(statement))
                #expect(part.title == "The figures" || rows.count == part.table.rows.count, "\(part.title)")
            }
        }
    }

    @Test func `a week begins on Monday`() throws {
        crm.clock.set("2026-03-18 09:00:00")
        let document = try document(.weekly)
        #expect(document.title == "The week: the week of 9 March 2026, against the week of 2 March 2026")
        #expect(document.parts.first?.sentences.first == "New leads rose from 0 to 5: paid_search +4 and webinar +1.")
    }

    @Test func `another month can be asked for, and the one that runs`() throws {
        let now = crm.clock.now
        func title(_ period: PeriodReport.Period, _ day: String) throws -> String? {
            let moment = Timestamp.date(day)
            return try crm.kernel.ask(PeriodReport(period, now: now, of: moment)).flatMap { $0 }.first?.title
        }
        #expect(try title(.monthly, "2026-02-14") == "The month: February 2026, against January 2026")
        #expect(
            try title(.weekly, "2026-03-04")
                == "The week: the week of 2 March 2026, against the week of 23 February 2026")
        #expect(
            try crm.kernel.ask(PeriodReport(.monthly, now: now, of: now)).flatMap { $0 }.first?.title.contains(
                " so far, against ") == true)
    }

    @Test func `a file with nothing in it makes a page of nothing`() throws {
        let empty = try TestKernel(plugins: [Figures.self])
        let document = try #require(
            try empty.kernel.ask(PeriodReport(.monthly, now: empty.clock.now)).flatMap { $0 }.first)
        #expect(document.parts.first?.table.rows.count == 4)
        #expect(document.values["charts"] == .list([]))
    }

    @Test func `more leads than looks are no rate and no loss, and it is said how they came`() throws {
        // As it reads once there are pages that somebody could look at.
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    DROP VIEW figures_page_views;
                    CREATE VIEW figures_page_views AS
                    SELECT '2026-03-02' AS day, 'plan' AS magnet, NULL AS variant, 'direct' AS channel, 1 AS views;
                    """)
        }
        let part = try #require(document(.monthly).parts.first { $0.title.hasPrefix("From awareness") })
        #expect(
            part.table.rows.prefix(2).map { $0.map { $0.text ?? "" }.joined(separator: "|") } == [
                "awareness|(looked)|1|||", "interest|(arrived)|5|||",
            ])
        #expect(
            part.sentences == [
                "More people are at 'became a lead' (5) than at 'looked' (1): the others came another way, as by an import."
            ])
        #expect(
            try crm.rows("SELECT count(*) FROM funnel_steps WHERE rate_percent > 100 OR lost < 0") == ["0"])
    }

    @Test func `one lead is one lead`() throws {
        #expect(
            try crm.rows("SELECT sentence FROM ladder_roi WHERE month = '2026-03' AND channel = 'webinar'") == [
                "webinar brought 1 lead, and no spend is booked on it."
            ])
        #expect(
            try crm.rows(
                "SELECT sentence FROM ladder_channels WHERE aspect = 'mix' AND month = '2026-03' AND name = 'webinar'")
                == [
                    "webinar brought 1 of the 5 leads of 2026-03."
                ])
    }

    @Test func `a figure that is not known in either period has no tile`() throws {
        let empty = try TestKernel(plugins: [Figures.self])
        try empty.foreign("INSERT INTO spend (day, channel, amount) VALUES ('2026-02-03', 'webinar', 60)")
        let document = try #require(
            try empty.kernel.ask(PeriodReport(.monthly, now: empty.clock.now)).flatMap { $0 }.first)
        #expect(
            document.parts.first?.table.rows.map { $0[0].text } == [
                "New leads", "Qualified by marketing", "New customers", "Spend (EUR)", "Forms filled in",
            ])
    }

    @Test func `names that visitors write are text in a chart`() {
        let svg = Chart.rows([Chart.Bar(label: "<b>&\"", value: 1, text: "1")], title: "<script>")
        #expect(svg.contains("&lt;b&gt;&amp;&quot;</text>"))
        #expect(!svg.contains("<script>"))
    }

    @Test(arguments: [
        (0.0, "0"), (5, "5"), (1234.5, "1,234.5"), (1_234_567.25, "1,234,567.25"), (-1200, "−1,200"), (0.999, "1"),
        (99.999, "100"),
        (0.05, "0.05"), (-0.001, "0"),
    ])
    func `numbers are grouped as people read them`(number: Double, text: String) {
        #expect(number.grouped == text)
    }

    @Test(arguments: [
        ("2026-01-15", "December 2025"), ("2026-03-01", "February 2026"), ("2026-12-31", "November 2026"),
    ])
    func `the last whole month`(day: String, name: String) throws {
        let now = try #require(Timestamp.date(day + " 00:00:00.000"))
        #expect(ReportPeriod(.monthly, before: now).name == name)
    }
}
