import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

@Suite struct DealRollTests {
    private let crm: TestKernel

    /// Ann came by a webinar, Ben by email.
    init() throws {
        crm = try TestKernel(plugins: [Figures.self], at: "2026-03-02 09:00:00")
        for name in ["ann", "ben"] { try crm.capture(["email": "\(name)@a.example"]) }
        try write(
            """
            INSERT INTO touches (lead_id, at, kind, channel, campaign) VALUES
                (1, '2026-03-02 09:00:00.000', 'form', 'webinar', 'talk'), (2, '2026-03-02 09:00:00.000', 'form', 'email', NULL)
            """)
    }

    private func write(_ sql: String) throws {
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
        try crm.pump()
    }

    private func deals() throws -> [String] {
        try crm.rows(
            "SELECT opportunity_id, lead, month, currency, is_won, amount, channel, days, days_from_arrival FROM figures_closed_deals ORDER BY 1"
        )
    }

    private func cycles() throws -> [String] {
        try crm.rows("SELECT measure, days, deals FROM figures_cycles WHERE scope = 3 ORDER BY 1, 2")
    }

    private func earnings() throws -> [String] {
        try crm.rows(
            "SELECT opportunity_id, channel, month, first_touch, last_touch, linear, position FROM figures_earnings ORDER BY 1, 2"
        )
    }

    @Test func `a deal that is changed, opened again or deleted is counted as it is`() throws {
        try write(
            """
            INSERT INTO opportunities (lead_id, stage, amount, opened_at, closed_at) VALUES
                (1, 'won', 100, '2026-03-02', '2026-03-12'), (1, 'lost', 50, '2026-03-02', '2026-03-04')
            """)
        #expect(try deals() == ["1|1|2026-03||1|100.0|webinar|10|10", "2|1|2026-03||0|50.0|webinar|2|2"])
        #expect(try cycles() == ["arrival|10|1", "opening|10|1", "won|0|1"])
        #expect(try earnings() == ["1|webinar|2026-03|100.0|100.0|100.0|100.0"])
        try write("UPDATE opportunities SET amount = 80, closed_at = '2026-04-01' WHERE id = 1")
        #expect(try cycles() == ["arrival|30|1", "opening|30|1", "won|0|1"])
        #expect(try earnings() == ["1|webinar|2026-04|80.0|80.0|80.0|80.0"])
        #expect(try crm.troubles() == [])
        try write("UPDATE opportunities SET stage = 'open', closed_at = NULL WHERE id = 1")
        #expect(try deals() == ["2|1|2026-03||0|50.0|webinar|2|2"])
        #expect(try cycles() == [])
        #expect(try earnings() == [])
        try write("DELETE FROM opportunities WHERE id = 2")
        #expect(try deals() == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a deal begins with the first handoff, also where that is heard of later`() throws {
        try write("INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (1, 'won', 100, '2026-03-12')")
        #expect(try deals() == ["1|1|2026-03||1|100.0|webinar|10|10"])
        try write(
            """
            INSERT INTO events (kind, lead_id, origin, at, body) VALUES
                ('handoff.offered', 1, 'plugin:handoff', '2026-03-05 08:00:00.000', '{"rep":"mia","cycle":1,"offer":1}')
            """)
        #expect(try deals() == ["1|1|2026-03||1|100.0|webinar|7|10"])
        #expect(try cycles() == ["arrival|10|1", "opening|7|1", "won|0|1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `money goes to the roads of the lead, also where one is known later`() throws {
        try write("INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (1, 'won', 100, '2026-03-12')")
        try write("INSERT INTO touches (lead_id, at, kind, channel) VALUES (1, '2026-02-01', 'view', 'referral')")
        try crm.kernel.write(origin: "form") { try $0.emit(FormSubmitted(form: "guide"), lead: 1) }
        try crm.pump()
        #expect(
            try earnings() == [
                "1|referral|2026-03|100.0|0.0|50.0|50.0", "1|webinar|2026-03|0.0|100.0|50.0|50.0",
            ])
        #expect(try crm.rows("SELECT channel FROM figures_closed_deals") == ["referral"])
        #expect(
            try crm.rows("SELECT channel, revenue FROM figures_revenue WHERE model = 'first'") == ["referral|100.0"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a deal goes with the lead that is kept, and stays when the person is erased`() throws {
        try write("INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (1, 'won', 100, '2026-03-12')")
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: 2) }
        try crm.pump()
        #expect(try crm.rows("SELECT lead, channel FROM figures_closed_deals") == ["2|webinar"])
        _ = try Person(email: "ben@a.example").erase(crm.kernel)
        try crm.pump()
        let after = ["1|unknown|2026-03|100.0|100.0|100.0|100.0"]
        #expect(try crm.rows("SELECT lead, channel FROM figures_closed_deals") == ["|unknown"])
        #expect(try earnings() == after)
        #expect(try crm.troubles() == [])
        _ = try Rebuild(crm.kernel).run("figures")
        #expect(try earnings() == after)
        #expect(try crm.troubles() == [])
    }

    @Test func `a deal that names no currency follows that of the site`() throws {
        try write("INSERT INTO opportunities (lead_id, stage, amount, closed_at) VALUES (1, 'won', 100, '2026-03-12')")
        #expect(try crm.rows("SELECT currency, revenue FROM kpi_sales") == ["EUR|100.0"])
        let swiss = try crm.reopened("", site: "site: {name: Acme, currency: CHF}", plugins: [Figures.self])
        #expect(try swiss.rows("SELECT currency, revenue FROM kpi_sales") == ["CHF|100.0"])
        #expect(try swiss.rows("SELECT DISTINCT currency FROM figures_revenue") == ["CHF"])
    }
}
