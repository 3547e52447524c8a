import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct UndoTests {
    private let crm: TestKernel
    private let writing: HandWriting

    init() throws {
        crm = try TestKernel("leads: {fields: {budget: real, note: text}}")
        try crm.capture(["email": "ann@acme.example", "country": "DE", "budget": "0.1", "stage": "lead"])
        try crm.capture(["email": "bob@acme.example", "country": "FR"])
        let clock = crm.kernel.clock
        writing = try HandWriting(path: crm.kernel.config.databasePath, user: "anna", now: { clock.now() })
    }

    @discardableResult
    private func write(_ sql: String) throws -> HandWriting.Outcome { try writing.run(sql) { _ in true } }

    @discardableResult
    private func undo(_ id: Int64? = nil) throws -> Int { try Undo(crm.kernel, user: "ben").undo(id).rows }

    /// Everything that is in a table, but when it was touched.
    private func rows(_ table: String) throws -> [String] {
        try crm.rows("SELECT * FROM \(table) ORDER BY 1").map {
            $0.replacing(#/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/#, with: "T")
        }
    }

    /// Writes, and takes back; the table must be what it was, and different in between.
    private func roundTrip(_ sql: String, _ tables: [String] = ["leads"]) throws {
        let before = try tables.map(rows)
        let outcome = try write(sql)
        #expect(outcome.canBeUndone, "\(sql)")
        #expect(try tables.map(rows) != before, "\(sql)")
        crm.clock.advance(by: "60m")
        try undo(outcome.id)
        #expect(try tables.map(rows) == before, "\(sql)")
        // A row that came with the statement and goes with it is in the trash, like every row that goes.
        #expect(try crm.rows("SELECT count(*) FROM trash WHERE row_id IN (SELECT id FROM leads)") == ["0"], "\(sql)")
    }

    // MARK: - What is written

    @Test func `a statement is logged under the name of its writer, and noted with its rows`() throws {
        let outcome = try write("UPDATE leads SET title = 'Head'")
        #expect(outcome == HandWriting.Outcome(changed: 2, id: 1, canBeUndone: true))
        #expect(
            try crm.rows("SELECT DISTINCT kind, origin FROM events WHERE origin LIKE 'sql%'") == [
                "lead.updated|sql:anna"
            ])
        #expect(
            try crm.rows("SELECT origin, statement, rows_changed, undo FROM sql_writes") == [
                "sql:anna|UPDATE leads SET title = 'Head'|2|possible"
            ])
        #expect(
            try crm.rows(
                "SELECT table_name, row_key, json_extract(before, '$.title'), json_extract(after, '$.title') FROM sql_undo_rows"
            )
                == ["leads|[1]||Head", "leads|[2]||Head"])
        #expect(try crm.rows("SELECT origin, now FROM kernel_context") == ["|"])
        #expect(
            try crm.rows("SELECT name FROM sqlite_temp_schema WHERE type = 'trigger' AND name LIKE 'trellis_keep%'")
                == [])
    }

    @Test func `reading notes nothing, and neither does what fails`() throws {
        #expect(try write("SELECT * FROM leads") == HandWriting.Outcome(changed: 0, id: nil, canBeUndone: false))
        #expect(throws: KernelError.self) { try write("UPDATE leads SET email = 'ann@acme.example'") }
        #expect(throws: KernelError.self) { try write("UPDATE leads SET nothing = 1") }
        #expect(try crm.rows("SELECT count(*) FROM sql_writes") == ["0"])
        #expect(try write("UPDATE leads SET title = 'x'").id == 1)
    }

    @Test(arguments: [
        "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT x", "ATTACH 'x' AS y", "VACUUM", "PRAGMA foreign_keys = OFF",
    ])
    func `a statement cannot leave its transaction`(_ sql: String) throws {
        #expect(throws: KernelError.self) { try write(sql) }
        #expect(try write("UPDATE leads SET title = 'x'").canBeUndone)
    }

    // MARK: - Taken back

    @Test(arguments: [
        "UPDATE leads SET title = 'Head', country = NULL WHERE id = 1", "UPDATE leads SET stage = 'customer'",
        "UPDATE leads SET budget = 1e300 * id, note = 'a''b\"\u{1}ü' || char(0) || 'z'",
        "DELETE FROM leads WHERE id = 2", "DELETE FROM leads",
        "INSERT INTO leads (email) VALUES ('cem@acme.example')",
        "INSERT INTO leads (external_id) SELECT 'x' || id FROM leads",
        "INSERT OR REPLACE INTO leads (id, email) VALUES (1, 'bob@acme.example')",
        "REPLACE INTO leads (email) VALUES ('ann@acme.example')",
        "UPDATE leads SET id = id + 10", "UPDATE OR REPLACE leads SET email = 'bob@acme.example' WHERE id = 1",
        "INSERT INTO leads (id, email) VALUES (1, 'x@acme.example') ON CONFLICT DO UPDATE SET email = excluded.email, title = 'x'",
        "UPDATE leads SET email = CASE id WHEN 1 THEN 'bob@acme.example' ELSE 'zed@acme.example' END WHERE id <> 1 OR true",
        "UPDATE leads SET budget = 0.1 + 0.2 RETURNING id",
    ])
    func `a statement is undone exactly`(_ sql: String) throws {
        if sql.contains("CASE id") { try crm.foreign("UPDATE leads SET email = 'y@acme.example' WHERE id = 2") }
        try roundTrip(sql)
    }

    @Test func `values that must be unique find their way back round each other`() throws {
        try crm.foreign("CREATE TABLE site_places (id INTEGER PRIMARY KEY, place INTEGER UNIQUE, far REAL) STRICT")
        try crm.foreign("INSERT INTO site_places VALUES (1, 2, 9e999), (2, 1, -9e999), (3, 0, 1e-320)")
        try roundTrip(
            "UPDATE site_places SET place = place + 1, far = 0 WHERE id = 1 OR id = 2 OR id = 3 AND place < 0",
            ["site_places"])
        try roundTrip("UPDATE site_places SET place = place - 5", ["site_places"])
    }

    @Test func `what foreign keys changed with it is undone too`() throws {
        try crm.foreign("INSERT INTO accounts (id, name) VALUES (7, 'Acme')")
        try crm.foreign("UPDATE leads SET account_id = 7")
        try roundTrip("DELETE FROM accounts WHERE id = 7", ["accounts", "leads"])
    }

    @Test func `tables without a rowid and bytes are undone as well`() throws {
        try crm.foreign(
            "CREATE TABLE site_pairs (a TEXT, b INTEGER, c BLOB, d REAL, PRIMARY KEY (b, a)) STRICT, WITHOUT ROWID")
        try crm.foreign("INSERT INTO site_pairs VALUES ('x', 1, x'00ff', 5.0), ('y', 2, x'', NULL)")
        try roundTrip("UPDATE site_pairs SET c = x'01', b = b + 1", ["site_pairs"])
        try roundTrip("DELETE FROM site_pairs", ["site_pairs"])
        #expect(
            try crm.rows("SELECT hex(c), typeof(c), typeof(d) FROM site_pairs ORDER BY b") == [
                "00FF|blob|real", "|blob|null",
            ])
    }

    @Test func `an undo is logged, noted, and not done twice`() throws {
        try write("UPDATE leads SET stage = 'customer' WHERE id = 1")
        #expect(try undo() == 1)
        #expect(
            try crm.rows("SELECT kind, origin FROM events ORDER BY id DESC LIMIT 1") == ["lead.stage_changed|undo:ben"])
        #expect(try crm.rows("SELECT undo, undone_by FROM sql_writes") == ["done|undo:ben"])
        #expect(throws: KernelError.data("Statement 1 was undone already, at 2026-03-02 09:00:00.000.")) { try undo(1) }
        #expect(throws: KernelError.data("There is nothing to undo. See: trellis undo list")) { try undo() }
        #expect(throws: KernelError.data("There is no statement 9. See: trellis undo list")) { try undo(9) }
    }

    // MARK: - Refused

    @Test func `rows that were changed since are named, and nothing is undone`() throws {
        try write("UPDATE leads SET title = 'Head', country = 'IT'")
        try crm.foreign("UPDATE leads SET title = 'Boss' WHERE id = 1")
        try crm.foreign("DELETE FROM leads WHERE id = 2")
        let before = try rows("leads")
        #expect(
            throws: KernelError.data("Changed since, so that nothing was undone: leads 1 (title), leads 2 (deleted).")
        ) { try undo() }
        #expect(try rows("leads") == before)
        #expect(try crm.rows("SELECT undo FROM sql_writes") == ["possible"])
    }

    @Test func `a change of other columns since is no hindrance, and stays`() throws {
        try write("UPDATE leads SET title = 'Head' WHERE id = 1")
        try crm.foreign("UPDATE leads SET city = 'Bonn' WHERE id = 1")
        #expect(try undo() == 1)
        #expect(try crm.rows("SELECT title, city FROM leads WHERE id = 1") == ["|Bonn"])
    }

    @Test func `what came since in place of a row that went is a hindrance`() throws {
        try write("DELETE FROM leads WHERE id = 2")
        try crm.foreign("INSERT INTO leads (id, email) VALUES (2, 'new@acme.example')")
        #expect(throws: KernelError.data("Changed since, so that nothing was undone: leads 2 (there again).")) {
            try undo()
        }
    }

    @Test func `a new row that somebody has worked on since stays`() throws {
        try write("INSERT INTO leads (email) VALUES ('cem@acme.example')")
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE email = 'cem@acme.example'")
        #expect(throws: KernelError.data("Changed since, so that nothing was undone: leads 3 (title).")) { try undo() }
    }

    @Test func `the schema and the log cannot be undone`() throws {
        #expect(try !write("CREATE TABLE site_x (a)").canBeUndone)
        #expect(throws: KernelError.data("Statement 1 changed the schema, which cannot be undone. Restore a backup.")) {
            try undo(1)
        }
        #expect(try !write("INSERT INTO events (kind, origin, at) VALUES ('a.b', 'x', 'y')").canBeUndone)
        #expect(throws: KernelError.data("Statement 2 changed no row that is kept: there is nothing to undo.")) {
            try undo(2)
        }
    }

    @Test func `what lasts is said to, and passed over for the newest that can be undone`() throws {
        try write("CREATE TABLE site_notes (note TEXT)")
        try write("UPDATE leads SET title = 'Head' WHERE id = 1")
        try write("INSERT INTO site_notes VALUES ('x')")
        let undo = "'trellis undo' does not take that back: what was there is in a backup alone."
        #expect(try write("DROP TABLE site_notes").receipt("Undo it.") == "The schema is changed. \(undo)")
        let undone = try Undo(crm.kernel, user: "ben").undo()
        #expect(undone.id == 2 && undone.rows == 1)
        #expect(
            undone.passed == [
                "statement 4 (it changed the schema)", "statement 3 (the table site_notes is gone)",
            ])
        #expect(throws: KernelError.data("There is nothing to undo. See: trellis undo list")) { try self.undo() }
        #expect(throws: KernelError.data("The table site_notes is no longer there. Nothing was undone.")) {
            try self.undo(3)
        }
        let many = HandWriting.Outcome(changed: 100_001, id: 9, canBeUndone: false, lasting: .tooManyRows)
        #expect(many.receipt("Undo it.") == "100001 rows changed, and more than 100000 are not kept. \(undo)")
        let one = HandWriting.Outcome(changed: 1, id: 9, canBeUndone: true)
        #expect(one.receipt("Undo it.") == "1 row changed. Undo it.")
        let none = HandWriting.Outcome(changed: 0, id: 9, canBeUndone: false)
        #expect(none.receipt("Undo it.") == "0 rows changed.")
    }

    @Test func `after 30 days it is too late, and then forgotten`() throws {
        try write("UPDATE leads SET title = 'Head'")
        crm.clock.advance(by: "31 days")
        #expect(throws: KernelError.data("Statement 1 is older than 30 days and can no longer be undone.")) {
            try undo(1)
        }
        try Undo.empty(crm.kernel)
        #expect(
            try crm.rows("SELECT (SELECT count(*) FROM sql_writes) + (SELECT count(*) FROM sql_undo_rows)") == ["0"])
    }

    @Test func `whoever is erased is in no row that is kept and in no statement`() throws {
        try write("UPDATE leads SET title = 'Head' WHERE email = 'ann@acme.example'")
        try write("UPDATE leads SET title = 'Boss' WHERE id = 2")
        _ = try Person(email: "ann@acme.example").erase(crm.kernel)
        #expect(
            try crm.rows("SELECT id, statement, undo FROM sql_writes") == [
                "1||erased", "2|UPDATE leads SET title = 'Boss' WHERE id = 2|possible",
            ])
        #expect(try crm.rows("SELECT count(*) FROM sql_undo_rows WHERE before LIKE '%ann@%'") == ["0"])
        #expect(throws: KernelError.data("Statement 1 was about somebody who is erased, and cannot be undone.")) {
            try undo(1)
        }
        #expect(try undo(2) == 1)
    }

    @Test func `the list says what can be undone, the newest first`() throws {
        try write("UPDATE leads SET title = 'Head'")
        try write("UPDATE leads SET title = 'Boss'")
        try undo()
        let list = try Undo.list(crm.kernel)
        #expect(list.columns == ["id", "at", "by", "rows", "undo", "statement"])
        #expect(list.rows.map { $0[4].text } == ["done by undo:ben", "possible"])
    }

    // MARK: - What is not theirs

    @Test(arguments: [
        "DROP TABLE leads", "DROP TABLE main.\"Consents\"", "DROP VIEW lead_cards", "DROP INDEX suppressions_by_hash",
        "DROP TRIGGER events_are_never_deleted", "ALTER TABLE leads ADD COLUMN mine",
        "ALTER TABLE leads RENAME TO others",
        "ALTER TABLE leads DROP COLUMN title",
    ])
    func `what belongs to Trellis is neither dropped nor altered`(_ sql: String) throws {
        let before = try crm.rows("SELECT name, sql FROM sqlite_schema ORDER BY 1")
        do {
            try write(sql)
            Issue.record("\(sql) was done")
        } catch let error as KernelError {
            #expect("\(error)".contains("may not be dropped or altered here"), "\(error)")
        }
        #expect(try crm.rows("SELECT name, sql FROM sqlite_schema ORDER BY 1") == before)
        #expect(try crm.troubles() == [])
    }

    @Test func `what somebody made here may be altered and dropped here, also the next day`() throws {
        try write("CREATE TABLE \"Call notes\" (id INTEGER PRIMARY KEY, note TEXT)")
        try write("CREATE VIEW german AS SELECT id FROM leads WHERE country = 'DE'")
        #expect(try crm.rows("SELECT name, origin FROM sql_objects") == ["call notes|sql:anna", "german|sql:anna"])
        let clock = crm.kernel.clock
        let later = try HandWriting(path: crm.kernel.config.databasePath, user: "ben", now: { clock.now() })
        for sql in [
            "ALTER TABLE \"call notes\" RENAME TO notes", "ALTER TABLE notes ADD COLUMN at TEXT", "DROP VIEW german",
            "DROP TABLE notes",
        ] {
            _ = try later.run(sql) { _ in true }
        }
        #expect(try crm.rows("SELECT * FROM sql_objects") == [])
        try crm.foreign("CREATE TABLE elsewhere (id INTEGER)")
        let last = try HandWriting(path: crm.kernel.config.databasePath, user: "ben", now: { clock.now() })
        #expect(throws: KernelError.self) { try last.run("DROP TABLE elsewhere") { _ in true } }
    }

    @Test(arguments: [
        "DELETE FROM migrations", "DELETE FROM sql_writes", "UPDATE sql_undo_rows SET before = NULL",
        "WITH x AS (SELECT 1) DELETE FROM main.\"Kernel_Context\"", "INSERT INTO sql_objects DEFAULT VALUES",
        "DELETE FROM subscribers WHERE 0", "DELETE FROM config_history", "REPLACE INTO plugins (name) VALUES ('x')",
        "DELETE FROM stages", "DELETE FROM goals", "DELETE FROM site", "DELETE FROM view_files",
    ])
    func `what Trellis keeps its books in is not written by hand`(_ sql: String) throws {
        do {
            try write(sql)
            Issue.record("\(sql) was done")
        } catch let error as KernelError {
            #expect("\(error)".contains(" is Trellis's own book-keeping, and is not written by hand. "), "\(error)")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `those tables are there, and what an operator rightly edits stays open`() throws {
        let tables = try crm.rows("SELECT lower(name) FROM sqlite_schema WHERE type = 'table'")
        #expect(Set(HandWriting.ownTables.keys).subtracting(tables) == [])
        for sql in [
            "UPDATE outbox_messages SET ready_at = '2030-01-01 00:00:00.000'", "DELETE FROM trash",
            "DELETE FROM suppressions", "DELETE FROM imports", "DELETE FROM scheduled_events", "DELETE FROM spend",
        ] {
            #expect(try write(sql).id != nil, "\(sql)")
        }
    }

    // MARK: - Whoever may not read all

    /// Who writes and sees no phone number, nor what is hidden anyway.
    private func stranger() throws -> HandWriting {
        let clock = crm.kernel.clock
        return try HandWriting(
            path: crm.kernel.config.databasePath, user: "mcp", hiding: crm.kernel.secrets + ["leads.phone"],
            now: { clock.now() })
    }

    @Test(arguments: [
        "UPDATE leads SET city = (SELECT max(text) FROM config_history) WHERE id = 1",
        "UPDATE leads SET city = (SELECT max(before) FROM sql_undo_rows)", "UPDATE leads SET city = phone",
        "UPDATE leads SET city = 'x' WHERE PHONE LIKE '+49%'", "UPDATE leads SET title = 'x' RETURNING phone",
        "CREATE TABLE mine AS SELECT * FROM leads", "DELETE FROM leads WHERE EXISTS (SELECT 1 FROM sql_writes)",
        "INSERT INTO accounts (name) SELECT c.text FROM config_history AS c",
        "INSERT INTO leads (email) VALUES ('ann@acme.example') ON CONFLICT DO UPDATE SET city = leads.phone",
        "WITH leads_log_update AS (SELECT text FROM config_history) UPDATE leads SET city = (SELECT text FROM leads_log_update)",
        "WITH x AS (SELECT 1) UPDATE leads SET city = (SELECT text FROM config_history AS \"TRELLIS_KEEP_0_before_update\")",
        "UPDATE leads SET city = a.name FROM accounts AS a JOIN contacts AS c USING (id)",
        "CREATE TRIGGER mine AFTER UPDATE ON leads BEGIN DELETE FROM accounts; END",
        "SELECT text FROM config_history",
    ])
    func `what somebody may not read they read in no statement that writes`(_ sql: String) throws {
        let stranger = try stranger()
        #expect(throws: KernelError.self, "\(sql)") { try stranger.run(sql) { _ in true } }
        #expect(try crm.rows("SELECT (SELECT count(*) FROM sql_writes) + count(city) FROM leads") == ["0"])
    }

    @Test func `they write no table whose rows cannot be kept, for SQLite may fill it unasked`() throws {
        let table = "CREATE TABLE taken (oid INTEGER PRIMARY KEY, rowid TEXT, _rowid_ TEXT)"
        #expect(try stranger().run(table) { _ in true }.id != nil)
        #expect {
            try stranger().run("INSERT INTO taken VALUES (1, 'a', 'b')") { _ in true }
        } throws: {
            "\($0)" == "The table taken may not be written here: its rows could not be kept for 'trellis undo'."
        }
        #expect(try crm.rows("SELECT count(*) FROM taken") == ["0"])
    }

    @Test func `what they write is logged and kept whole all the same`() throws {
        try crm.foreign("UPDATE leads SET phone = '+4930123456' WHERE id = 1")
        let update = try stranger().run("UPDATE leads SET title = 'Head' WHERE id = 1") { _ in true }
        #expect(update == HandWriting.Outcome(changed: 1, id: 1, canBeUndone: true))
        #expect(try crm.rows("SELECT json_extract(before, '$.phone') FROM sql_undo_rows") == ["+4930123456"])
        _ = try stranger().run("DELETE FROM leads WHERE id = 1") { _ in true }
        #expect(try crm.rows("SELECT json_extract(row, '$.phone') FROM trash") == ["+4930123456"])
        try undo()
        #expect(try crm.rows("SELECT phone FROM leads WHERE id = 1") == ["+4930123456"])
        for sql in [
            "CREATE TABLE mine (id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT)",
            "INSERT INTO mine (note) VALUES ('x')",
            "CREATE INDEX mine_by_note ON mine (note)", "ALTER TABLE mine RENAME TO ours", "DROP TABLE ours",
        ] {
            #expect(try stranger().run(sql) { _ in true }.id != nil, "\(sql)")
        }
        #expect {
            try stranger().run("UPDATE leads SET city = phone") { _ in true }
        } throws: { "\($0)" == "The column leads.phone may not be read here." }
    }

    @Test func `a statement without end is stopped when its time is over, and nothing of it stays`() throws {
        let clock = crm.kernel.clock
        let short = try HandWriting(
            path: crm.kernel.config.databasePath, user: "anna", seconds: 0.5, now: { clock.now() })
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        #expect {
            try short.run("UPDATE leads SET title = (\(endless))") { _ in true }
        } throws: {
            "\($0)"
                == "The statement took longer than 0.5 s and was stopped. Nothing of it was written. Do it in parts."
        }
        #expect(try crm.rows("SELECT (SELECT count(*) FROM sql_writes) + count(title) FROM leads") == ["0"])
        #expect(try short.run("UPDATE leads SET title = 'x'") { _ in true }.canBeUndone)
    }
}
