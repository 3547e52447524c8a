import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct SQLConnectionTests {
    private func crm() throws -> TestKernel {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example", "country": "DE", "employees": "12"])
        try crm.capture(["email": "bob@acme.example", "country": "FR"])
        return crm
    }

    private func table(
        _ crm: TestKernel, _ sql: String, _ parameters: [String: String?] = [:], access: SQLConnection.Access = .read
    ) throws -> Table {
        try SQLConnection(path: crm.kernel.config.databasePath, access: access)
            .table(sql, parameters: parameters.mapValues(Cell.init(guessing:)))
    }

    private func refusal(_ sql: String, _ parameters: [String: String?] = [:], access: SQLConnection.Access = .read)
        throws -> String
    {
        let crm = try crm()
        let before = try crm.rows("SELECT * FROM leads")
        let error = try #require(throws: KernelError.self) { try table(crm, sql, parameters, access: access) }
        #expect(try crm.rows("SELECT * FROM leads") == before)
        return error.description
    }

    // MARK: - Reading

    @Test func `a query gives its columns and every kind of cell`() throws {
        let crm = try crm()
        let table = try table(crm, "SELECT 1 AS a, 2.5 AS b, 'ü' AS c, NULL AS d, x'00ff' AS e, '' AS f, x'' AS g;")
        #expect(table.columns == ["a", "b", "c", "d", "e", "f", "g"])
        #expect(table.rows == [[1, 2.5, "ü", .null, .blob([0, 255]), "", .blob([])]])
    }

    @Test func `rows beyond a limit are left out, and the table says so`() throws {
        let crm = try crm()
        let connection = try SQLConnection(path: crm.kernel.config.databasePath, access: .read)
        let cut = try connection.table("SELECT email FROM leads ORDER BY id", limit: 1)
        #expect(cut.rows == [["ann@acme.example"]] && cut.isTruncated)
        let whole = try connection.table("SELECT email FROM leads ORDER BY id", limit: 2)
        #expect(whole.rows.count == 2 && !whole.isTruncated)
    }

    @Test func `parameters are bound by name, and typed by how they look`() throws {
        let crm = try crm()
        #expect(
            try table(crm, "SELECT email FROM leads WHERE country = :country", ["country": "DE"]).rows == [
                ["ann@acme.example"]
            ])
        #expect(
            try table(
                crm, "SELECT typeof(:a), typeof(:b), typeof(:c), typeof(:d)",
                ["a": "1", "b": "1.5", "c": "x", "d": nil]
            ).rows
                == [["integer", "real", "text", "null"]])
        #expect(try table(crm, "SELECT :x", ["x": "'; DELETE FROM leads; --"]).rows == [["'; DELETE FROM leads; --"]])
    }

    @Test func `the schema can be looked at`() throws {
        let crm = try crm()
        #expect(try table(crm, "PRAGMA table_info(leads)").rows.count > 20)
        #expect(try table(crm, "SELECT count(*) FROM pragma_table_list WHERE name = 'leads'").rows == [[1]])
        #expect(
            try table(
                crm, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT max(i) FROM n"
            ).rows == [[5]])
    }

    @Test(arguments: ["", "  ;", "-- nothing"])
    func `nothing is an empty answer`(_ sql: String) throws {
        let crm = try crm()
        #expect(try table(crm, sql).rows.isEmpty)
    }

    @Test func `a statement may be checked without being run`() throws {
        let crm = try crm()
        let connection = try SQLConnection(path: crm.kernel.config.databasePath, rules: .reading)
        try connection.check("SELECT email FROM leads WHERE country = :country")
        let error = try #require(throws: KernelError.self) { try connection.check("DELETE FROM leads") }
        #expect(error.description == "Only reading is allowed without --write.")
        #expect(throws: KernelError.self) { try connection.check("SELECT emial FROM leads") }
    }

    // MARK: - Refused

    @Test(arguments: [
        "UPDATE leads SET title = 'x'", "DELETE FROM leads", "INSERT INTO leads (external_id) VALUES ('x')",
        "DROP TABLE leads",
        "CREATE TABLE x (a)", "CREATE TEMP TABLE x (a)", "PRAGMA user_version = 7", "PRAGMA journal_mode = DELETE",
        "VACUUM INTO '/tmp/stolen'",
        "ATTACH '/etc/passwd' AS x", "BEGIN IMMEDIATE", "SELECT load_extension('x')", "REINDEX",
        "ALTER TABLE leads ADD COLUMN x",
        "WITH gone AS (SELECT 1) DELETE FROM leads", "UPDATE sqlite_master SET sql = ''", "DELETE FROM sqlite_schema",
    ])
    func `a reader leaves no trace`(_ sql: String) throws {
        _ = try refusal(sql)
    }

    @Test func `a write is refused with what would allow it`() throws {
        #expect(try refusal("UPDATE leads SET title = 'x'") == "Only reading is allowed without --write.")
    }

    @Test func `another file cannot be attached, not even by a writer`() throws {
        #expect(try refusal("ATTACH 'other.sqlite' AS other") == "Only reading is allowed without --write.")
        #expect(
            try refusal("ATTACH 'other.sqlite' AS other", access: .write)
                == "This statement is not allowed: it reaches outside this database.")
    }

    @Test(arguments: [
        "PRAGMA writable_schema = ON", "PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF",
        "PRAGMA recursive_triggers = ON",
    ])
    func `a writer cannot change how the file is kept`(_ sql: String) throws {
        _ = try refusal(sql, access: .write)
    }

    @Test(arguments: ["SELECT 1; SELECT 2", "SELECT 1; DELETE FROM leads", "DELETE FROM leads; DELETE FROM leads"])
    func `two statements are refused, and neither runs`(_ sql: String) throws {
        #expect(
            try refusal(sql, access: .write)
                == "One statement at a time. What follows the first ';' was not run, and neither was the first.")
    }

    @Test(arguments: [
        ("SELECT titel FROM leads", "SQL: no such column: titel. Did you mean 'title'?"),
        ("SELECT l.titel FROM leads AS l", "SQL: no such column: l.titel. Did you mean 'title'?"),
        ("SELECT * FROM leeds", "SQL: no such table: leeds. Did you mean 'leads'?"),
        ("SELECT * FROM nowhere_at_all", "SQL: no such table: nowhere_at_all."),
        ("SELEC 1", "SQL: near \"SELEC\": syntax error."),
        ("SELECT :country", "The query needs a value for :country. Give it as the parameter 'country'."),
        ("SELECT ?", "Parameters need names, such as :country."),
    ])
    func `a mistake is said with the near miss`(_ sql: String, _ expected: String) throws {
        #expect(try refusal(sql) == expected)
    }

    // MARK: - Writing

    @Test func `a writer changes rows, says how many, and is logged`() throws {
        let crm = try crm()
        #expect(try crm.foreign("UPDATE leads SET title = 'Head'") == 2)
        #expect(try crm.foreign("SELECT 1") == 0)
        #expect(
            try crm.rows("SELECT kind, origin FROM events WHERE origin = 'sql'") == [
                "lead.updated|sql", "lead.updated|sql",
            ])
        #expect(
            try refusal("INSERT INTO leads (email) VALUES ('ann@acme.example')", access: .write)
                == "The database refused it: UNIQUE constraint failed: leads.email.")
    }

    @Test func `a file that is not there is not made`() throws {
        let path = NSTemporaryDirectory() + "trellis-" + UUID().uuidString + ".sqlite"
        for access in [SQLConnection.Access.read, .write] {
            #expect(throws: KernelError.noDatabase(path)) { try SQLConnection(path: path, access: access) }
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a text file is no database`() throws {
        let crm = try TestKernel(files: ["letter.txt": String(repeating: "Dear friend,\n", count: 100)])
        let error = try #require(throws: KernelError.self) {
            try SQLConnection(path: crm.folder + "/letter.txt", access: .read).table("SELECT * FROM leads")
        }
        #expect(error.exitCode == 74)
    }
}
