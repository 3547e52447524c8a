import Testing
import TrellisKernel
import TrellisTesting

/// `INSERT OR REPLACE` by a client whose `recursive_triggers` is off, as it is unless somebody switches it on: SQLite
/// then removes rows without a word.
@Suite struct ReplacedRowsTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel()
        try crm.capture(["email": "ann@a.example", "company": "Acme", "external_id": "x1"])
        try crm.capture(["email": "ben@b.example", "external_id": "x2"])
    }

    private func log(after: Int64) throws -> [String] {
        try crm.rows("SELECT kind, lead_id, origin FROM events WHERE id > \(after) ORDER BY id")
    }

    @Test func `a row replaced under its own id was deleted and is there again`() throws {
        let last = try crm.lastEvent
        try crm.foreign("INSERT OR REPLACE INTO leads (id, email, stage) VALUES (1, 'ann@a.example', 'mql')")
        #expect(try log(after: last) == ["lead.deleted|1|sql", "lead.restored|1|sql"])
        #expect(try crm.rows("SELECT row_id, json_extract(row, '$.company') FROM trash") == ["1|Acme"])
        #expect(try crm.rows("SELECT to_stage FROM stage_history WHERE lead_id = 1") == ["lead"])
        #expect(try crm.troubles() == [])
    }

    @Test func `rows whose place another takes are deleted, each with its event, and it is new`() throws {
        let last = try crm.lastEvent
        try crm.foreign("REPLACE INTO leads (email, external_id) VALUES ('ANN@a.example', 'x2')")
        #expect(try log(after: last) == ["lead.deleted|1|sql", "lead.deleted|2|sql", "lead.created|3|sql"])
        #expect(try crm.rows("SELECT count(*) FROM trash") == ["2"])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [
        "INSERT OR IGNORE INTO leads (email) VALUES ('ann@a.example')",
        "INSERT INTO leads (email) VALUES ('ann@a.example') ON CONFLICT (email) DO NOTHING",
        "INSERT INTO leads (email) VALUES ('ann@a.example') ON CONFLICT (email) DO UPDATE SET company = 'Acme'",
    ])
    func `a row that was only in the way is not deleted, now or later`(_ sql: String) throws {
        let last = try crm.lastEvent
        try crm.foreign(sql)
        #expect(try log(after: last) == [])
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        try crm.foreign("INSERT INTO leads (email) VALUES ('cem@c.example')")
        let told = try log(after: last)
        #expect(told == ["lead.deleted|1|sql", "lead.created|4|sql"])
        #expect(try crm.rows("SELECT count(*) FROM trash") == ["1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `many rows at once are told apart`() throws {
        let last = try crm.lastEvent
        try crm.foreign(
            """
            REPLACE INTO leads (id, email) VALUES (1, 'ann@a.example'), (9, 'cem@c.example'), (2, 'dia@d.example'), (10, 'cem@c.example')
            """)
        #expect(
            try log(after: last) == [
                "lead.deleted|1|sql", "lead.restored|1|sql", "lead.created|9|sql", "lead.deleted|2|sql",
                "lead.restored|2|sql", "lead.deleted|9|sql", "lead.created|10|sql",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `sql --write says the same, where SQLite fires the triggers itself`() throws {
        let clock = crm.clock
        let last = try crm.lastEvent
        let writing = try HandWriting(path: crm.kernel.config.databasePath, user: "anna", now: { clock.clock.now() })
        _ = try writing.run("REPLACE INTO leads (id, email) VALUES (1, 'ann@a.example')") { _ in true }
        #expect(try log(after: last) == ["lead.deleted|1|sql:anna", "lead.restored|1|sql:anna"])
        #expect(try crm.rows("SELECT count(*) FROM trash") == ["1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead made by hand under an id that was deleted is that lead again`() throws {
        try crm.foreign("DELETE FROM leads WHERE id = 2")
        try crm.foreign("INSERT INTO leads (id, email) VALUES (2, 'ben@b.example')")
        #expect(
            try crm.rows("SELECT kind FROM events WHERE lead_id = 2") == [
                "lead.created", "lead.deleted", "lead.restored",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `companies, contacts and deals are replaced with an event too`() throws {
        try crm.foreign("INSERT INTO accounts (name, domain) VALUES ('Acme', 'acme.example')")
        try crm.foreign("INSERT INTO opportunities (name, external_id, lead_id) VALUES ('roof', 'o1', 1)")
        let last = try crm.lastEvent
        try crm.foreign("REPLACE INTO accounts (name, domain) VALUES ('Acme Corp', 'acme.example')")
        try crm.foreign("REPLACE INTO opportunities (name, external_id) VALUES ('roof 2', 'o1')")
        #expect(
            try crm.rows("SELECT kind, lead_id, body FROM events WHERE id > \(last) ORDER BY id") == [
                #"account.deleted||{"account_id":1}"#, #"account.created||{"account_id":2}"#,
                #"opportunity.deleted|1|{"opportunity_id":1}"#,
                #"opportunity.created||{"opportunity_id":2,"stage":"open"}"#,
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `nobody who is erased is left among rows that were in the way`() throws {
        try crm.foreign("INSERT OR IGNORE INTO leads (email) VALUES ('ann@a.example')")
        _ = try Person(email: "ann@a.example").erase(crm.kernel)
        #expect(try crm.rows("SELECT * FROM replaced_rows") == [])
    }
}
