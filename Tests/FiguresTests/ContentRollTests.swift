import Testing
import TrellisKernel
import TrellisTesting

@testable import Figures

@Suite struct ContentRollTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel(
            "activities: {demo.booked: {}}\nplugins: {figures: {activities: [demo.booked]}}", plugins: [Figures.self])
        try crm.capture(["email": "ann@a.example"])
    }

    private func mail(_ key: String, links: Int = 1) throws {
        try crm.kernel.write(origin: "courier") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO outbox_messages (key, origin, lead_id, template, state, ready_at, created_at, settled_at, links_watched)
                    VALUES (?, 'plugin:drip', 1, 'hello', 'sent', ?, ?, ?, ?)
                    """, arguments: [key, tx.stamp, tx.stamp, tx.stamp, links])
            try note("mail.sent", tx.db.lastInsertedRowID, tx)
        }
    }

    private func note(_ kind: String, _ message: Int64, _ tx: Transaction) throws {
        try tx.emit(
            kind, forEach: "SELECT 1 AS lead_id, NULL AS cause_id, json_object('message_id', :message) AS body",
            arguments: ["message": message])
    }

    private func happen(_ kind: String) throws {
        try crm.kernel.write(origin: "courier") { try note(kind, 1, $0) }
    }

    private var counts: [String] {
        get throws {
            try crm.rows(
                "SELECT day, content, sequence, stage, measure, count FROM figures_contents ORDER BY measure, stage")
        }
    }

    @Test func `a mail is engaged with once, on the day it was sent`() throws {
        try mail("drip:welcome:1:lead 1:cycle 1")
        try crm.pump()
        crm.clock.advance(by: "2 days")
        for kind in ["mail.opened", "mail.clicked", "mail.clicked", "mail.opened"] {
            try happen(kind)
            try crm.pump()
        }
        #expect(
            try counts == [
                "2026-03-02|hello|welcome|lead|clicked|1", "2026-03-02|hello|welcome|lead|engaged|1",
                "2026-03-02|hello|welcome|lead|opened|1", "2026-03-02|hello|welcome|lead|sent|1",
                "2026-03-02|hello|welcome|lead|watched|1",
            ])
    }

    @Test func `it is credited to the stage it was sent at, and moving on to the last thing done`() throws {
        try mail("welcome")
        try happen("mail.clicked")
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try happen("mail.opened")
        try crm.pump()
        #expect(
            try counts == [
                "2026-03-02|hello||lead|clicked|1", "2026-03-02|hello||lead|engaged|1",
                "2026-03-02|hello||lead|moved_on|1",
                "2026-03-02|hello||lead|opened|1", "2026-03-02|hello||lead|sent|1",
                "2026-03-02|hello||lead|watched|1",
            ])
    }

    @Test func `of a mail that is not watched nobody says that it was not read`() throws {
        try mail("drip:welcome:1:lead 1:cycle 1", links: 0)
        try crm.pump()
        #expect(
            try crm.rows("SELECT delivered, watched, engaged, engaged_percent FROM kpi_email_engagement") == ["1|0|0|"])
        #expect(
            try crm.rows("SELECT reached, engaged_percent, test_next FROM ladder_engagement WHERE kind = 'mail'") == [
                "1||nobody can say: what is done with it is not watched"
            ])
    }

    @Test func `a mail refused before it was sent is no mail that came back`() throws {
        try mail("welcome")
        try crm.foreign("UPDATE outbox_messages SET state = 'refused'")
        try happen("mail.bounced")
        try crm.pump()
        #expect(try crm.rows("SELECT measure FROM figures_contents") == ["sent", "watched"])
    }

    @Test func `an activity named in the config counts, another does not`() throws {
        try crm.record("demo.booked", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT kind, stage, measure, count FROM figures_contents") == ["demo.booked|lead|done|1"])
        #expect(try crm.rows("SELECT heard_on FROM figures_leads") == ["2026-03-02"])
    }

    @Test func `an activity that is none is refused with its place`() throws {
        let problems = try #require(throws: ConfigProblems.self) {
            try TestKernel("plugins: {figures: {activities: [demo.boked]}}", plugins: [Figures.self])
        }
        #expect("\(problems)".contains("there is no event 'demo.boked'"))
    }
}
