import Testing
import TrellisKernel
import TrellisTesting

/// Hooks that are refused before anything runs, each with its place.
@Suite struct HookCheckTests {
    /// The problems of a config whose one hook handles the creation of leads with this SQL.
    private static func problems(_ sql: String) -> [String] {
        problems(ofHook: "{on: lead.created, sql: \"\(sql.replacing("\"", with: "\\\""))\"}")
    }

    private static func problems(ofHook hook: String) -> [String] {
        do {
            _ = try TestKernel(
                """
                activities: {demo.booked: {minutes: integer}}
                hooks:
                  hostile: \(hook)
                """)
            return []
        } catch let found as ConfigProblems {
            return found.problems.map { "\($0)" }
        } catch {
            return ["\(error)"]
        }
    }

    static let hostile = [
        "COMMIT", "BEGIN", "ROLLBACK", "END", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a", "BEGIN IMMEDIATE",
        "ATTACH 'other.sqlite' AS other", "DETACH main", "VACUUM", "VACUUM INTO 'copy.sqlite'", "ANALYZE", "REINDEX",
        "PRAGMA journal_mode = DELETE", "PRAGMA synchronous = OFF", "PRAGMA writable_schema = 1",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA user_version = 7", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA recursive_triggers = ON",
        "CREATE TABLE mine (a)", "CREATE TABLE mine AS SELECT * FROM leads", "CREATE TEMP TABLE mine (a)",
        "CREATE INDEX mine ON leads (city)", "CREATE VIEW mine AS SELECT 1", "CREATE TEMP VIEW mine AS SELECT 1",
        "CREATE TRIGGER mine AFTER INSERT ON leads BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER mine AFTER INSERT ON leads BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE mine USING fts5 (a)", "DROP TABLE leads", "DROP INDEX leads_by_account",
        "DROP VIEW funnel",
        "DROP TRIGGER leads_log_insert", "ALTER TABLE leads ADD COLUMN mine", "ALTER TABLE leads RENAME TO mine",
        "DELETE FROM events", "UPDATE events SET body = '{}'",
        "INSERT INTO events (kind, at) VALUES ('lead.created', 'now')",
        "UPDATE outbox_messages SET state = 'sent'", "INSERT INTO outbox_messages (key) VALUES ('x')",
        "UPDATE kernel_context SET origin = 'cli'", "SELECT * FROM kernel_context",
        "UPDATE leads SET owner = (SELECT origin FROM kernel_context)",
        "UPDATE subscribers SET last_event_id = 0", "DELETE FROM subscribers", "DELETE FROM migrations",
        "UPDATE plugins SET is_on = 0", "DELETE FROM parked_events", "DELETE FROM scheduled_events",
        "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, '')", "DELETE FROM sqlite_sequence",
        "DELETE FROM temp.batch_ids", "DELETE FROM batch", "INSERT INTO batch (id) VALUES (1)",
        "INSERT OR ROLLBACK INTO suppressions (email, reason) SELECT 'a@b.example', 'x'",
        "UPDATE OR ROLLBACK leads SET email = 'a@b.example'",
        "UPDATE leads SET owner = 'x' RETURNING id", "SELECT load_extension('evil')",
        "UPDATE leads SET owner = load_extension('evil')", "SELECT 1", "SELECT lead_id FROM batch",
        "UPDATE leeds SET owner = 'x'", "UPDATE leads SET onwer = 'x'", "UPDATE leads SET owner = :who",
        "UPDATE leads SET owner = ?", "UPDATE leads SET owner = ?1", "UPDATE leads SET owner = @now2", "nonsense", "",
        ";", "-- only a comment", "UPDATE leads SET owner = 'unfinished", "/* unfinished", "UPDATE leads SET",
        "UPDATE leads SET owner = 'x'; DROP TABLE leads", "UPDATE leads SET owner = 'x'; COMMIT",
        "EXPLAIN UPDATE leads SET owner = 'x'", "UPDATE leads SET city = hex(zeroblob(900000000))",
        "UPDATE leads SET city = hex(randomblob(900000000))",
        "UPDATE leads SET city = (SELECT max(text) FROM config_history)",
        "UPDATE leads SET city = (SELECT max(content) FROM outbox_messages)",
        "UPDATE leads SET city = (SELECT row FROM trash)",
        "UPDATE leads SET city = (SELECT agent FROM consents)",
        "UPDATE leads SET city = (SELECT before FROM sql_undo_rows)",
        "UPDATE leads SET city = (SELECT origin FROM sql_writes)",
        "UPDATE leads SET city = (SELECT row FROM replaced_rows)",
    ]

    @Test(arguments: hostile) func `what a hook may not do is refused with its place`(sql: String) {
        let problems = HookCheckTests.problems(sql)
        #expect(!problems.isEmpty, "it was let through")
        #expect(problems.allSatisfy { $0.hasPrefix("config.yaml:5:") && $0.contains("hooks.hostile") }, "\(problems)")
    }

    @Test(arguments: [
        "UPDATE leads SET owner = 'x'", "UPDATE OR IGNORE leads SET email = 'a@b.example'",
        "INSERT INTO touches (lead_id, at, kind) SELECT lead_id, at, 'manual' FROM batch",
        "INSERT INTO suppressions (email, reason) SELECT email, 'x' FROM leads WHERE true ON CONFLICT DO NOTHING",
        "DELETE FROM leads WHERE id IN (SELECT lead_id FROM batch)",
        "WITH new AS (SELECT lead_id FROM batch_lead_created) UPDATE leads SET owner = 'x' WHERE id IN new",
        "INSERT INTO spend (day, channel, amount) VALUES (date(:now), 'x', 1); UPDATE accounts SET name = 'y';",
    ])
    func `what a hook may do passes`(sql: String) {
        #expect(HookCheckTests.problems(sql) == [])
    }

    @Test(arguments: [
        ("{sql: SELECT 1}", "needs either on (events) or filter"),
        ("{on: lead.created, filter: lead, sql: SELECT 1}", "needs either on (events) or filter"),
        ("{on: lead.created}", "does nothing. Give it sql, emit or send"),
        ("{filter: lead}", "does nothing. Give it sql (to refuse) or set"),
        ("{filter: leed, sql: SELECT 1}", "one of lead, mail, audience, handoff"),
        ("{on: lead.craeted, sql: UPDATE leads SET owner = 1}", "Did you mean 'lead.created'?"),
        ("{on: lead.created, when: contry = 'DE', sql: UPDATE leads SET owner = 1}", "Did you mean 'country'?"),
        ("{filter: lead, sql: \"SELECT 1 WHERE :emial = 'x'\"}", "Did you mean 'email'?"),
        ("{filter: lead, sql: UPDATE leads SET owner = 'x'}", "may not be written"),
        ("{filter: lead, set: SELECT 1 AS onwer}", "Did you mean 'owner'?"),
        ("{filter: audience, set: SELECT 1 AS platform}", "only refused: use sql"),
        ("{filter: lead, sql: SELECT text FROM config_history}", "The column config_history.text may not be read here"),
        ("{filter: lead, sql: SELECT hex(zeroblob(9))}", "The function zeroblob() may not be used here"),
        ("{filter: handoff, set: SELECT 1 AS lead_id}", "'lead_id' cannot be changed"),
        ("{on: lead.created, emit: {kind: demo.boked, sql: SELECT lead_id FROM batch}}", "Did you mean 'demo.booked'?"),
        ("{on: lead.created, emit: {kind: lead.created, sql: SELECT lead_id FROM batch}}", "is no activity"),
        ("{on: lead.created, emit: {kind: demo.booked, sql: SELECT 1 AS minutes}}", "must have a column 'lead_id'"),
        (
            "{on: lead.created, emit: {kind: demo.booked, sql: \"SELECT lead_id, 1 AS minuets FROM batch\"}}",
            "Did you mean 'minutes'?"
        ),
        ("{on: lead.created, send: {mail: welcom, sql: SELECT lead_id FROM batch}}", "there is no mail 'welcom'"),
        ("{on: lead.created, send: {webhook: chat, sql: SELECT lead_id FROM batch}}", "there is no webhook 'chat'"),
        ("{on: lead.created, send: {sql: SELECT lead_id FROM batch}}", "needs one of mail, webhook and task"),
        ("{on: lead.created, at_most: 0, sql: UPDATE leads SET owner = 1}", "a whole number from 1"),
    ])
    func `a mistake is named, with what was probably meant`(hook: String, sentence: String) {
        let problems = HookCheckTests.problems(ofHook: hook)
        #expect(problems.contains { $0.contains(sentence) }, "\(problems)")
    }

    @Test func `in SQL of several lines the line is named`() throws {
        let problems = #expect(throws: ConfigProblems.self) {
            try TestKernel(
                """
                hooks:
                  long:
                    on: lead.created
                    sql: |
                      UPDATE leads
                      SET owner = 'x'
                      WHERE contry = 'DE'
                """)
        }
        let text = problems.map { "\($0)" } ?? ""
        // The line and the column of the file.
        #expect(text.contains(":13: hooks.long"), "\(text)")
        #expect(text.contains("no such column: contry. Did you mean 'country'?"))
    }

    @Test func `a hook is held against the file too, not against the config alone`() throws {
        let crm = try TestKernel("")
        try crm.foreign("DROP VIEW funnel")
        let broken = try crm.reopened(
            "hooks: {a: {on: lead.created, sql: UPDATE leads SET employees = (SELECT leads FROM funnel)}}")
        // It can be looked at and saved, and nothing is handled.
        #expect(try broken.rows("SELECT count(*) FROM leads") == ["0"])
        #expect(throws: ConfigProblems.self) { try Worker(broken.kernel, transport: broken.transport) }
    }

    @Test func `two kinds that would have one name in SQL are refused, both named, and the file opens all the same`()
        throws
    {
        let yaml = """
            activities: {plan.a_b: {}, plan_a.b: {}}
            hooks:
              first: {on: plan.a_b, sql: "UPDATE leads SET city = 'x' WHERE id IN (SELECT lead_id FROM batch)"}
              second: {on: plan_a.b, sql: "UPDATE leads SET city = 'x' WHERE id IN (SELECT lead_id FROM batch)"}
            """
        let error = try #require(throws: ConfigProblems.self) { try TestKernel(yaml) }
        #expect(
            error.description.hasSuffix(
                ": hooks.second.on: 'plan_a.b' and 'plan.a_b' would both be batch_plan_a_b in SQL. Rename one, or let hooks wait for one alone."
            ), "\(error)")
        #expect(error.problems.count == 1)
        #expect(throws: Never.self) { try TestKernel(yaml, checks: false) }
    }
}
