import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

@Suite struct LeadRollTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel(plugins: [Figures.self])
    }

    /// Leads at each step, by channel.
    private func steps(_ steps: String...) throws -> [String] {
        let list = steps.map { "'\($0)'" }.joined(separator: ", ")
        return try crm.rows(
            """
            SELECT day, channel, step, leads FROM figures_days WHERE step IN (\(list)) AND leads > 0 ORDER BY day, channel, step
            """)
    }

    private func arrive(_ email: String, by channel: String) throws -> Int64 {
        var draft = try crm.kernel.draft([("email", email)])
        draft.arrive(nil, kind: "form", channel: channel)
        let arriving = draft
        return try crm.kernel.write(origin: "form") { try $0.capture(arriving).leadID }
    }

    private func write(_ sql: String) throws {
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
    }

    @Test func `a new lead is counted on the day it came, by its first touch`() throws {
        _ = try arrive("ann@a.example", by: "webinar")
        _ = try arrive("ben@a.example", by: "webinar")
        try crm.pump()
        #expect(
            try crm.rows("SELECT day, channel, step, leads FROM figures_days ORDER BY step") == [
                "2026-03-02|webinar|(arrived)|2", "2026-03-02|webinar|lead|2", "2026-03-02|webinar|subscriber|2",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `where a touch names no channel its source is one`() throws {
        try crm.capture(["email": "ann@a.example", "source": "trade fair"])
        try crm.pump()
        #expect(try crm.rows("SELECT channel FROM figures_leads") == ["unknown"])
        try write("INSERT INTO leads (email) VALUES ('ben@a.example')")
        try write("INSERT INTO touches (lead_id, at, kind, source) VALUES (2, '2026-03-02', 'import', 'trade fair')")
        try crm.pump()
        #expect(try crm.rows("SELECT channel FROM figures_leads WHERE lead = 2") == ["trade fair"])
    }

    @Test func `who skips a stage reached it too`() throws {
        let lead = try arrive("ann@a.example", by: "email")
        try crm.pump()
        crm.clock.advance(by: "3 days")
        try write("UPDATE leads SET stage = 'sql' WHERE id = \(lead)")
        try crm.pump()
        #expect(
            try steps("mql", "sal", "sql", "opportunity") == [
                "2026-03-05|email|mql|1", "2026-03-05|email|sal|1", "2026-03-05|email|sql|1",
            ])
        #expect(
            try crm.rows("SELECT leads, days FROM figures_cohorts WHERE month = '2026-03' AND step = 'sql'") == ["1|3"])
    }

    @Test func `a lead that goes round through recycled is counted once`() throws {
        let lead = try arrive("ann@a.example", by: "email")
        for stage in ["mql", "recycled", "lead", "mql"] {
            try write("UPDATE leads SET stage = '\(stage)' WHERE id = \(lead)")
        }
        try crm.pump()
        #expect(try steps("mql") == ["2026-03-02|email|mql|1"])
    }

    @Test func `a purchase is the last stage or a won deal, whichever was earlier`() throws {
        let ann = try arrive("ann@a.example", by: "email")
        let ben = try arrive("ben@a.example", by: "webinar")
        try write("UPDATE leads SET stage = 'customer' WHERE id = \(ann)")
        try write("INSERT INTO opportunities (lead_id, stage, closed_at) VALUES (\(ben), 'won', '2026-02-20')")
        try write("INSERT INTO opportunities (lead_id, stage, closed_at) VALUES (\(ann), 'won', '2026-03-09')")
        try crm.pump()
        #expect(try steps("(bought)") == ["2026-02-20|webinar|(bought)|1", "2026-03-02|email|(bought)|1"])
        try write("UPDATE opportunities SET stage = 'lost' WHERE lead_id = \(ben)")
        try crm.pump()
        #expect(try steps("(bought)") == ["2026-03-02|email|(bought)|1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a deal that is given to another lead takes the purchase along`() throws {
        let ann = try arrive("ann@a.example", by: "email")
        let ben = try arrive("ben@a.example", by: "webinar")
        try write("INSERT INTO opportunities (lead_id, stage, closed_at) VALUES (\(ann), 'won', '2026-03-09')")
        try crm.pump()
        try write("UPDATE opportunities SET lead_id = \(ben)")
        try crm.pump()
        #expect(try steps("(bought)") == ["2026-03-09|webinar|(bought)|1"])
        #expect(try crm.rows("SELECT lead FROM figures_credits") == ["\(ben)"])
    }

    @Test func `visits that come with a form change the first touch`() throws {
        let lead = try arrive("ann@a.example", by: "email")
        try crm.pump()
        try write("INSERT INTO touches (lead_id, at, kind, channel) VALUES (\(lead), '2026-02-01', 'view', 'referral')")
        try crm.kernel.write(origin: "form") { try $0.emit(FormSubmitted(form: "guide"), lead: lead) }
        try crm.pump()
        #expect(try steps("(arrived)") == ["2026-03-02|referral|(arrived)|1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `merged leads are one, with the first touch of both`() throws {
        let ann = try arrive("ann@a.example", by: "email")
        crm.clock.advance(by: "1 day")
        let anna = try arrive("anna@a.example", by: "webinar")
        try crm.pump()
        try crm.kernel.write(origin: "cli") { try $0.merge(ann, into: anna) }
        try crm.pump()
        #expect(try steps("(arrived)") == ["2026-03-03|email|(arrived)|1"])
        #expect(try crm.rows("SELECT lead FROM figures_leads") == ["\(anna)"])
    }

    @Test func `a lead deleted by hand was none, until it is put back`() throws {
        let lead = try arrive("ann@a.example", by: "email")
        try write("UPDATE leads SET stage = 'mql' WHERE id = \(lead)")
        try crm.pump()
        let before = try crm.rows("SELECT * FROM figures_days")
        try write("DELETE FROM leads WHERE id = \(lead)")
        try crm.pump()
        #expect(try crm.rows("SELECT * FROM figures_days") == [])
        #expect(try crm.rows("SELECT * FROM figures_leads") == [])
        _ = try Trash.restore(crm.kernel)
        try crm.pump()
        #expect(try crm.rows("SELECT * FROM figures_days") == before)
    }

    @Test func `an erased lead stays a number, also when the log is counted again`() throws {
        let lead = try arrive("ann@a.example", by: "email")
        try write("UPDATE leads SET stage = 'customer' WHERE id = \(lead)")
        try crm.pump()
        let before = try crm.rows("SELECT * FROM figures_days") + crm.rows("SELECT * FROM figures_credits")
        #expect(try Person(email: "ann@a.example").erase(crm.kernel) == 1)
        try crm.pump()
        #expect(try crm.rows("SELECT * FROM figures_days") + crm.rows("SELECT * FROM figures_credits") == before)
        _ = try Rebuild(crm.kernel).run("figures")
        #expect(try crm.rows("SELECT * FROM figures_days") + crm.rows("SELECT * FROM figures_credits") == before)
        #expect(try crm.rows("SELECT lead, is_erased FROM figures_leads") == ["1|1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `another order of stages counts everything anew when the worker starts`() throws {
        let lead = try arrive("ann@a.example", by: "email")
        try write("UPDATE leads SET stage = 'mql' WHERE id = \(lead)")
        try crm.pump()
        let other = try crm.reopened("leads: {stages: [lead, warm, mql, customer]}")
        let figures = Figures(settings: FiguresSettings())
        try other.kernel.write(origin: "kernel") { try figures.begin(since: nil, $0) }
        // The first start only notes the order.
        let third = try other.reopened("leads: {stages: [lead, hot, mql, customer]}")
        try third.kernel.write(origin: "kernel") { try figures.begin(since: nil, $0) }
        #expect(try third.rows("SELECT count(*) FROM figures_days") == ["0"])
        try third.pump()
        #expect(
            try third.rows("SELECT step, leads FROM figures_days ORDER BY step") == [
                "(arrived)|1", "hot|1", "lead|1", "mql|1",
            ])
        #expect(try third.troubles() == [])
    }

    @Test func `between another list of stages and the next worker the doctor raises no alarm`() throws {
        _ = try arrive("ann@a.example", by: "email")
        try crm.kernel.write(origin: "kernel") { try Figures(settings: FiguresSettings()).begin(since: nil, $0) }
        try crm.pump()
        let other = try crm.reopened("leads: {stages: [lead, mql, customer]}")
        #expect(try other.troubles() == [])
    }

    @Test func `a sum that is off is found by the doctor`() throws {
        _ = try arrive("ann@a.example", by: "email")
        try crm.pump()
        try crm.foreign("UPDATE figures_days SET leads = 2 WHERE step = 'lead'")
        #expect(
            try crm.troubles() == [
                "the figures of each day are the sum of their leads: day 2026-03-02, channel email, campaign , step lead, off 1",
                "the figures of each month are the sum of its days: month 2026-03, channel email, campaign , step lead, off -1",
            ])
    }
}
