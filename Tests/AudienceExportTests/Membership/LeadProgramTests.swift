import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct LeadProgramTests {
    private func upkeep(_ sql: String) throws -> Upkeep {
        let crm = try AudienceSite.crm("all: {sql: \"SELECT id AS lead_id FROM leads\"}")
        return try crm.kernel.write(origin: "test") { tx in
            try tx.scratchTable("audiences_changed", columns: Upkeep.changedColumns)
            try tx.db.execute(sql: "CREATE TABLE scores (lead_id INTEGER PRIMARY KEY, score REAL) STRICT")
            try tx.db.execute(
                sql:
                    "CREATE TABLE marks (mark TEXT, lead_id INTEGER, PRIMARY KEY (lead_id, mark)) STRICT, WITHOUT ROWID"
            )
            try tx.db.execute(
                sql: "CREATE VIEW lately AS SELECT lead_id FROM events WHERE at > datetime('now', '-1 day')")
            return try Upkeep(ClockText(sql), hasList: true, tx.db)
        }
    }

    @Test(arguments: [
        "SELECT id AS lead_id FROM leads WHERE stage = 'customer'",
        "SELECT id AS lead_id FROM leads",
        "SELECT lead_id FROM events WHERE kind = 'demo.booked'",
        "SELECT DISTINCT lead_id FROM events WHERE kind = 'demo.booked'",
        "SELECT lead_id FROM events GROUP BY lead_id HAVING count(*) > 2",
        "SELECT id AS lead_id FROM leads WHERE EXISTS (SELECT 1 FROM events AS e WHERE e.lead_id = leads.id AND kind = 'a.b')",
        "SELECT id AS lead_id FROM leads WHERE (SELECT count(*) FROM events AS e WHERE e.lead_id = leads.id) > 3",
        "SELECT l.id AS lead_id FROM leads AS l JOIN scores AS s ON s.lead_id = l.id WHERE s.score > 30",
        "SELECT lead_id FROM scores WHERE score >= 30",
        "SELECT lead_id FROM marks WHERE mark = 'x'",
        "SELECT l.id AS lead_id FROM leads AS l JOIN accounts AS a ON a.id = l.account_id WHERE a.employees > 100",
        "SELECT lead_id FROM consents_now WHERE purpose = 'ads' AND state = 'granted'",
        "SELECT lead_id FROM consents WHERE purpose = 'ads' UNION ALL SELECT lead_id FROM touches WHERE channel = 'x'",
        "SELECT lead_id FROM lately",
    ])
    func `a SELECT about one lead at a time is known as such`(_ sql: String) throws {
        #expect(try upkeep(sql).obstacle == nil)
    }

    @Test(arguments: [
        ("SELECT id AS lead_id FROM leads WHERE id IN (SELECT lead_id FROM events WHERE kind = 'a.b')", "events"),
        (
            "SELECT l.id AS lead_id FROM leads AS l JOIN leads AS p ON p.id = l.employees WHERE p.stage = 'customer'",
            "leads"
        ),
        ("SELECT id AS lead_id FROM leads ORDER BY employees DESC LIMIT 10", "leads"),
        (
            "SELECT id AS lead_id FROM leads WHERE account_id IN (SELECT account_id FROM leads WHERE stage = 'customer')",
            "leads"
        ),
        ("SELECT a.lead_id FROM events AS a JOIN events AS b ON b.lead_id >= a.lead_id WHERE b.kind = 'a.b'", "events"),
        ("SELECT id AS lead_id FROM leads WHERE employees > (SELECT avg(employees) FROM leads)", "leads"),
        (
            "SELECT l.id AS lead_id FROM leads AS l JOIN opportunities AS o ON o.account_id = l.account_id",
            "opportunities"
        ),
        ("SELECT id AS lead_id FROM leads WHERE EXISTS (SELECT 1 FROM json_each(leads.title))", "virtual"),
        ("SELECT l.id AS lead_id FROM leads AS l JOIN accounts AS a ON a.id = l.employees", "accounts"),
        (
            "SELECT id AS lead_id FROM leads WHERE EXISTS (SELECT 1 FROM suppressions AS s WHERE s.email = leads.email)",
            "suppressions"
        ),
        ("SELECT max(lead_id) AS lead_id FROM events", "events"),
        (
            "SELECT lead_id FROM (SELECT lead_id, row_number() OVER (ORDER BY score DESC) AS place FROM scores) WHERE place < 5",
            "scores"
        ),
    ])
    func `a SELECT that compares leads with others is looked at as a whole, and says why`(_ sql: String, _ word: String)
        throws
    {
        let obstacle = try upkeep(sql).obstacle
        #expect(obstacle?.contains(word) == true, "\(obstacle ?? "none")")
    }

    @Test func `the clock is noticed in the SELECT, and in a view behind it`() throws {
        #expect(try upkeep("SELECT lead_id FROM events WHERE at > datetime('now', '-30 days')").asksClock)
        #expect(try upkeep("SELECT lead_id FROM events WHERE at > :now").asksClock)
        #expect(try upkeep("SELECT lead_id FROM events WHERE at < current_timestamp").asksClock)
        #expect(try upkeep("SELECT lead_id FROM lately").asksClock)
        #expect(try !upkeep("SELECT lead_id FROM events WHERE at > '2026'").asksClock)
    }

    @Test func `moments are found where the SELECT itself asks the clock, of one lead at a time`() throws {
        #expect(try upkeep("SELECT lead_id FROM events WHERE at > datetime('now', '-30 days')").hasMoments)
        for sql in [
            "SELECT lead_id FROM events WHERE at > '2026'", "SELECT lead_id FROM lately",
            "SELECT lead_id FROM events WHERE at < current_timestamp AND at > :now",
            "SELECT max(id) AS lead_id FROM leads WHERE :now > '2026'",
        ] {
            #expect(try !upkeep(sql).hasMoments, "\(sql)")
        }
        let polled = try upkeep("SELECT lead_id FROM lately")
        #expect(
            polled.description(every: Span(seconds: 7200)) == "changed leads; for the clock all leads every 2 hours")
    }

    @Test func `tables whose changes the log does not tell are watched, and others stand in the way`() throws {
        #expect(try upkeep("SELECT lead_id FROM scores WHERE score > 3").tables == ["scores"])
        #expect(try upkeep("SELECT lead_id FROM touches WHERE channel = 'email'").obstacle == nil)
    }
}
