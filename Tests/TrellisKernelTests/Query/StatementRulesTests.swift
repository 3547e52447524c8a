import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct StatementRulesTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example", "country": "DE", "phone": "+4930123456"])
        try crm.foreign("INSERT INTO accounts (name) VALUES ('Acme')")
    }

    private func table(_ sql: String, _ rules: StatementRules) throws -> Table {
        try SQLConnection(path: crm.kernel.config.databasePath, rules: rules).table(sql)
    }

    private func refusal(_ sql: String, _ rules: StatementRules) throws -> StatementGuard.Refusal? {
        let connection = try SQLConnection(path: crm.kernel.config.databasePath, rules: rules)
        #expect(throws: KernelError.self, "\(sql)") { try connection.table(sql) }
        return connection.guardian.refusal
    }

    private func rules(_ change: (inout StatementRules) -> Void) -> StatementRules {
        var rules = StatementRules()
        change(&rules)
        return rules
    }

    // MARK: - Reading

    @Test(arguments: [
        "SELECT * FROM accounts", "SELECT count(*) FROM accounts", "SELECT count(*) FROM ACCOUNTS",
        "SELECT 1 FROM accounts",
        "SELECT email FROM leads WHERE id IN (SELECT id FROM accounts)", "SELECT count(*) FROM main.accounts",
        "WITH leads AS (SELECT * FROM accounts) SELECT * FROM leads",
        "WITH leads AS (SELECT count(*) FROM main.accounts) SELECT * FROM leads",
        "SELECT email FROM leads ORDER BY (SELECT max(name) FROM accounts)",
        "SELECT email FROM leads GROUP BY 1 HAVING exists (SELECT 1 FROM accounts)",
        "SELECT * FROM leads NATURAL JOIN accounts", "TABLE_THAT_IS_NOT", "SELECT count(*) FROM dbstat",
        "SELECT * FROM sqlite_schema", "SELECT count(*) FROM pragma_database_list",
        "SELECT * FROM pragma_table_info('leads')",
    ])
    func `a table that is not on the list is not read, whichever way`(_ sql: String) throws {
        let refused = try refusal(sql, rules { $0.readable = .only(["leads"]) })
        switch refused {
        case .table, nil: break
        default: Issue.record("\(sql): \(String(describing: refused))")
        }
    }

    @Test(arguments: [
        "SELECT email FROM leads", "SELECT count(*) FROM Leads",
        "WITH x AS (SELECT email FROM leads) SELECT count(*) FROM x",
        "SELECT count(*) FROM (SELECT 1 FROM leads)",
        "SELECT l.id FROM leads AS l JOIN leads AS accounts ON accounts.id = l.id",
    ])
    func `a table on the list is, and what a statement makes of it`(_ sql: String) throws {
        #expect(try table(sql, rules { $0.readable = .only(["leads"]) }).rows.count == 1)
    }

    @Test func `what a view reads is asked as well`() throws {
        let some = rules { $0.readable = .only(["leads", "mailable_leads"]) }
        #expect(try refusal("SELECT id FROM mailable_leads", some) == .table("suppressions"))
        #expect(
            try refusal("SELECT count(*) FROM accounts", rules { $0.readable = .allBut(["accounts"]) })
                == .table("accounts"))
    }

    @Test(arguments: [
        ("SELECT phone FROM leads", "NULL"), ("SELECT max(phone) FROM leads", "NULL"),
        ("SELECT count(*) FROM leads WHERE phone IS NOT NULL", "0"),
        ("SELECT count(*) FROM leads WHERE phone LIKE '+49%'", "0"),
        ("SELECT count(*) FROM leads AS l WHERE l.phone > ''", "0"), ("SELECT phone FROM mailable_leads", "NULL"),
        ("SELECT p FROM (SELECT phone AS p FROM leads)", "NULL"), ("SELECT length(phone) FROM leads", "NULL"),
        ("SELECT count(*) FROM leads AS a JOIN leads AS b ON a.phone = b.phone", "0"),
        ("SELECT json_object('p', phone) FROM leads", #"{"p":null}"#), ("SELECT PHONE FROM LEADS", "NULL"),
        ("WITH l (a, phone) AS (SELECT id, phone FROM leads) SELECT phone FROM l", "NULL"),
    ])
    func `a hidden column is NULL everywhere`(_ sql: String, _ expected: String) throws {
        let rows = try table(sql, rules { $0.hidden = ["leads": ["phone"]] }).rows
        #expect(rows.map { $0[0].text ?? "NULL" } == [expected])
    }

    // MARK: - Functions

    @Test(arguments: [
        "zeroblob(1000000000)", "randomblob(1000000000)",
        "load_extension('x')", "fts3_tokenizer('x')", "sqlite_offset(email)", "sqlite_compileoption_get(1)",
        "readfile('/etc/passwd')",
        "writefile('/tmp/x', 'x')", "edit('x')",
    ])
    func `a function that is not on the list is not called`(_ call: String) throws {
        let refused = try refusal(
            "SELECT \(call) FROM leads", rules { $0.functions = .only(StatementRules.harmlessFunctions) })
        // Of a function that SQLite does not have it does not ask.
        #expect(refused == .function(String(call.prefix { $0 != "(" })) || refused == nil)
    }

    @Test func `whoever holds the file reads it with functions that make much, and with none that reaches outside`()
        throws
    {
        #expect(try table("SELECT length(zeroblob(9)), length(randomblob(8))", .reading).rows == [[9, 8]])
        #expect(try refusal("SELECT sqlite_log(1, 'x')", .reading) == .function("sqlite_log"))
        let outside: Set = ["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"]
        #expect(StatementRules.readingFunctions.isDisjoint(with: outside))
        #expect(StatementRules.readingFunctions.isSuperset(of: StatementRules.harmlessFunctions))
        #expect(StatementRules.writing.functions == .all)
    }

    @Test func `nothing loads an extension`() throws {
        #expect(try refusal("SELECT load_extension('x')", .reading) == .function("load_extension"))
        #expect(try refusal("SELECT load_extension('x')", .writing) == .function("load_extension"))
    }

    @Test func `a list of functions holds inside a view too`() throws {
        let some = rules { $0.functions = .only(["count"]) }
        #expect(try refusal("SELECT * FROM stage_history", some) == .function("json_extract"))
    }

    @Test func `every view of the file may be read with harmless functions`() throws {
        let harmless = rules { $0.functions = .only(StatementRules.harmlessFunctions) }
        for view in try crm.rows("SELECT name FROM sqlite_schema WHERE type = 'view'") {
            #expect(throws: Never.self, "\(view)") { try table("SELECT * FROM \(view)", harmless) }
        }
    }

    // MARK: - Writing

    @Test(arguments: [
        ("DELETE FROM leads", StatementGuard.Refusal.writing("leads")), ("CREATE TABLE x (a)", .schema),
        ("BEGIN", .transaction), ("SAVEPOINT x", .transaction), ("ATTACH 'x' AS y", .otherFile),
        ("VACUUM INTO '/tmp/x'", .otherFile),
        ("PRAGMA journal_mode = DELETE", .pragma("journal_mode")), ("PRAGMA wal_checkpoint", .pragma("wal_checkpoint")),
        ("CREATE TEMP TRIGGER t AFTER INSERT ON leads BEGIN SELECT 1; END", .schema), ("DETACH main", .otherFile),
        ("REINDEX", .schema),
    ])
    func `a statement that asks for more than reading is refused, and named`(
        _ sql: String, _ expected: StatementGuard.Refusal
    ) throws {
        #expect(try refusal(sql, .reading) == expected)
    }

    @Test func `the tables that may be written are listed, and their triggers are theirs`() throws {
        let connection = try SQLConnection(
            path: crm.kernel.config.databasePath, rules: rules { $0.writable = .only(["leads"]) })
        try connection.run("UPDATE leads SET title = 'Head' WHERE id = 1") { _ in true }
        #expect(connection.guardian.refusal == nil && connection.guardian.written == ["leads"])
        #expect(try crm.rows("SELECT kind FROM events ORDER BY id DESC LIMIT 1") == ["lead.updated"])
        #expect(throws: KernelError.usage("The table events may not be written here.")) {
            try connection.run("INSERT INTO events (kind, origin, at) VALUES ('a.b', 'x', 'y')") { _ in true }
        }
        #expect(throws: KernelError.usage("The table accounts may not be written here.")) {
            try connection.run("UPDATE accounts SET name = (SELECT email FROM leads)") { _ in true }
        }
        #expect(throws: KernelError.usage("Tables, indexes, views and triggers may not be made or changed here.")) {
            try connection.run("DROP TABLE leads") { _ in true }
        }
    }

    @Test func `rules end with their closure`() throws {
        let connection = try SQLConnection(path: crm.kernel.config.databasePath, rules: .reading)
        connection.guardian.leave()
        let count = try StatementRules().holding(on: connection.handle) { guardian in
            #expect(throws: KernelError.self) { try connection.table("PRAGMA page_count") }
            #expect(guardian.refusal == .pragma("page_count"))
            return try connection.table("SELECT count(*) FROM leads").rows
        }
        #expect(count == [[1]])
        #expect(try connection.table("PRAGMA page_count").rows.count == 1)
    }
}
