import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// What another client writes is logged by the file itself.
@Suite struct ChangeTriggersTests {
    private func crm(_ yaml: String = "") throws -> TestKernel {
        let crm = try TestKernel(yaml)
        try crm.foreign(
            "INSERT INTO leads (email, created_at, updated_at) VALUES ('ann@acme.example', '2020-01-01', '2020-01-01')")
        return crm
    }

    /// The events after the first: kind, lead, origin, body.
    private func log(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT kind, lead_id, origin, body FROM events WHERE id > 1 ORDER BY id")
    }

    // MARK: - One change, one event

    @Test func `a row another client inserts is one event`() throws {
        let crm = try crm()
        #expect(
            try crm.rows("SELECT kind, lead_id, cause_id, depth, origin, body FROM events") == [
                "lead.created|1||0|sql|{\"stage\":\"lead\"}"
            ])
        // Its time is that of the other client's clock, in the form of all times.
        let at = try #require(try crm.value("SELECT at FROM events"))
        #expect(Timestamp.date(at) != nil && at.count == 23)
        #expect(try crm.troubles() == [])
    }

    @Test func `an update names the columns that changed`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET title = 'Head', company = NULL, employees = 12 WHERE id = 1")
        #expect(try log(crm) == [#"lead.updated|1|sql|{"columns":["title","employees"]}"#])
    }

    @Test func `a value that becomes NULL is a change`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET title = 'Head'")
        try crm.foreign("UPDATE leads SET title = NULL")
        #expect(try log(crm).count == 2)
    }

    @Test func `a row updated to what it was already logs nothing`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET email = email, title = NULL, stage = 'lead'")
        try crm.foreign("UPDATE leads SET updated_at = '2021-01-01', created_at = '2021-01-01'")
        #expect(try log(crm) == [])
    }

    @Test func `a change of letters in an address is a change`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET email = 'Ann@acme.example'")
        #expect(try log(crm) == [#"lead.updated|1|sql|{"columns":["email"]}"#])
    }

    @Test func `a deleted row is one event, and no name is in it`() throws {
        let crm = try crm()
        try crm.foreign("DELETE FROM leads")
        #expect(try log(crm) == ["lead.deleted|1|sql|{}"])
        #expect(try crm.troubles() == [])
    }

    @Test func `many rows in one statement are many events`() throws {
        let crm = try crm()
        try crm.foreign(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO leads (external_id) SELECT i FROM n"
        )
        try crm.foreign("UPDATE leads SET city = 'Bonn' WHERE external_id % 2")
        try crm.foreign("DELETE FROM leads WHERE CAST(external_id AS INTEGER) > 40")
        #expect(
            try crm.rows("SELECT kind, count(*), count(DISTINCT lead_id) FROM events WHERE id > 1 GROUP BY kind") == [
                "lead.created|50|50", "lead.deleted|10|10", "lead.updated|25|25",
            ])
    }

    @Test func `a statement that fails logs nothing`() throws {
        let crm = try crm()
        #expect(throws: KernelError.self) {
            try crm.foreign("INSERT INTO leads (email) VALUES ('bob@acme.example'), ('ANN@acme.example')")
        }
        #expect(try log(crm) == [])
        #expect(try crm.rows("SELECT id FROM leads") == ["1"])
    }

    @Test func `accounts, contacts and opportunities are logged with their ids`() throws {
        let crm = try crm()
        for sql in [
            "INSERT INTO accounts (name) VALUES ('Acme')", "UPDATE accounts SET city = 'Bonn'",
            "INSERT INTO contacts (email) VALUES ('ann@acme.example')", "UPDATE contacts SET title = 'Head'",
            "DELETE FROM contacts",
            "INSERT INTO opportunities (name, lead_id) VALUES ('Deal', 1)",
            "UPDATE opportunities SET stage = 'won', amount = 5",
            "DELETE FROM opportunities", "DELETE FROM accounts",
        ] { try crm.foreign(sql) }
        #expect(
            try log(crm) == [
                #"account.created||sql|{"account_id":1}"#, #"account.updated||sql|{"account_id":1,"columns":["city"]}"#,
                #"contact.created||sql|{"contact_id":1}"#,
                #"contact.updated||sql|{"contact_id":1,"columns":["title"]}"#,
                #"contact.deleted||sql|{"contact_id":1}"#,
                #"opportunity.created|1|sql|{"opportunity_id":1,"stage":"open"}"#,
                #"opportunity.updated|1|sql|{"opportunity_id":1,"columns":["amount"]}"#,
                #"opportunity.stage_changed|1|sql|{"opportunity_id":1,"from":"open","to":"won"}"#,
                #"opportunity.deleted|1|sql|{"opportunity_id":1}"#, #"account.deleted||sql|{"account_id":1}"#,
            ])
    }

    @Test func `every column of a table is watched`() throws {
        let crm = try crm("leads: {fields: {budget: real, is_partner: boolean}}")
        let quiet = ["id", "created_at", "updated_at", "stage", "account_id", "contact_id"]
        let columns = try crm.kernel.read { try LoggedTable.leads.columns($0) }.filter { !quiet.contains($0.name) }
        for column in columns {
            let before = try crm.lastEvent
            let value = column.name == "email" ? "'a@b.example'" : column.type == "TEXT" ? "'x'" : "1"
            try crm.foreign("UPDATE leads SET \"\(column.name)\" = \(value)")
            #expect(
                try crm.rows("SELECT body FROM events WHERE id > \(before)") == ["{\"columns\":[\"\(column.name)\"]}"])
        }
        #expect(columns.contains { $0.name == "budget" } && columns.count > 17)
    }

    // MARK: - Fields of the config

    @Test func `a field of the config is logged like any other column`() throws {
        let crm = try crm("leads: {fields: {budget: real}}")
        try crm.foreign("UPDATE leads SET budget = 2.5, title = 'Head'")
        #expect(try log(crm) == [#"lead.updated|1|sql|{"columns":["title","budget"]}"#])
    }

    @Test func `a field added later is watched from then on`() throws {
        let crm = try crm()
        let later = try crm.reopened("leads: {fields: {budget: real}}")
        #expect(later.kernel.changes.columns == ["leads.budget"])
        try later.foreign("UPDATE leads SET budget = 1")
        #expect(try log(later) == [#"lead.updated|1|sql|{"columns":["budget"]}"#])
    }

    @Test func `a row wider than a function takes arguments goes to the trash whole`() throws {
        let names = (1...120).map { "field_\($0)" }
        let crm = try crm("leads: {fields: {\(names.map { "\($0): integer" }.joined(separator: ", "))}}")
        try crm.foreign("UPDATE leads SET field_1 = 1, field_60 = 60, field_120 = 120")
        try crm.foreign("DELETE FROM leads")
        #expect(try Trash.restore(crm.kernel) == 1)
        #expect(try crm.rows("SELECT field_1, field_60, field_120, field_2 FROM leads") == ["1|60|120|"])
    }

    // MARK: - Stages

    @Test func `a move to another stage is an event of its own`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET stage = 'mql'")
        try crm.foreign("UPDATE leads SET stage = 'sal', title = 'Head'")
        #expect(
            try log(crm) == [
                #"lead.stage_changed|1|sql|{"from":"lead","to":"mql"}"#, #"lead.updated|1|sql|{"columns":["title"]}"#,
                #"lead.stage_changed|1|sql|{"from":"mql","to":"sal"}"#,
            ])
        #expect(try crm.rows("SELECT from_stage, to_stage FROM stage_history") == ["|lead", "lead|mql", "mql|sal"])
    }

    @Test func `a lead moves forward only`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET stage = 'sql'")
        let error = try #require(throws: KernelError.self) { try crm.foreign("UPDATE leads SET stage = 'lead'") }
        #expect(
            error.description
                == "The database refused it: a lead moves forward only: set the stage to recycled or disqualified first."
        )
        #expect(try crm.rows("SELECT stage FROM leads") == ["sql"])
    }

    @Test func `a side stage may be entered from anywhere and left for anywhere`() throws {
        let crm = try crm()
        for stage in ["customer", "disqualified", "recycled", "subscriber"] {
            try crm.foreign("UPDATE leads SET stage = '\(stage)'")
        }
        #expect(try crm.rows("SELECT stage FROM leads") == ["subscriber"])
    }

    @Test(arguments: [
        "UPDATE leads SET stage = 'prospect'", "INSERT INTO leads (external_id, stage) VALUES ('2', 'prospect')",
    ])
    func `an unknown stage is refused`(_ sql: String) throws {
        let crm = try crm()
        let error = try #require(throws: KernelError.self) { try crm.foreign(sql) }
        #expect(error.description == "The database refused it: no such stage: see the table stages.")
        #expect(error.exitCode == 65)
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
    }

    @Test func `the stages are those of the config, and one with leads in it stays`() throws {
        let crm = try crm("leads: {stages: [lead, trial, customer]}")
        #expect(
            try crm.rows("SELECT name, is_side FROM stages ORDER BY position") == [
                "lead|0", "trial|0", "customer|0", "recycled|1", "disqualified|1",
            ])
        try crm.foreign("UPDATE leads SET stage = 'trial'")
        let later = try crm.reopened("leads: {stages: [lead, customer]}")
        #expect(
            try later.rows("SELECT name FROM stages WHERE name IN ('trial', 'customer') ORDER BY name") == [
                "customer", "trial",
            ])
    }

    // MARK: - updated_at

    @Test func `updated_at is kept by the file, unless the writer sets it`() throws {
        let crm = try crm()
        try crm.foreign("UPDATE leads SET title = 'Head'")
        #expect(try #require(try crm.value("SELECT updated_at FROM leads")) > "2026")
        try crm.foreign("UPDATE leads SET title = 'Boss', updated_at = '2022-02-02 00:00:00.000'")
        #expect(try crm.rows("SELECT updated_at FROM leads") == ["2022-02-02 00:00:00.000"])
        #expect(try log(crm).count == 2)
    }

    @Test func `what the kernel writes has the time of its clock and the origin of its transaction`() throws {
        let crm = try crm()
        try crm.kernel.write(origin: "test") { try $0.db.execute(sql: "UPDATE leads SET title = 'Head'") }
        #expect(try crm.rows("SELECT updated_at FROM leads") == ["2026-03-02 09:00:00.000"])
        #expect(try crm.rows("SELECT origin, at FROM events WHERE id = 2") == ["test|2026-03-02 09:00:00.000"])
    }

    // MARK: - The log

    @Test(arguments: ["UPDATE events SET body = '{}'", "DELETE FROM events"])
    func `the log is never changed`(_ sql: String) throws {
        let crm = try crm()
        let error = try #require(throws: KernelError.self) { try crm.foreign(sql) }
        #expect(error.description.hasPrefix("The database refused it: events are never "))
    }

    @Test func `a consent and a suppression of another client are logged`() throws {
        let crm = try crm()
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'newsletter', 'granted')")
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ANN@acme.example', 'unsubscribed')")
        #expect(
            try log(crm) == [
                #"consent.granted|1|sql|{"purpose":"newsletter"}"#,
                #"lead.unsubscribed|1|sql|{"reason":"unsubscribed"}"#,
            ])
    }

    @Test func `opening the file puts back a trigger that was dropped`() throws {
        let crm = try crm()
        try crm.foreign("DROP TRIGGER leads_log_update")
        let again = try crm.reopened("")
        try again.foreign("UPDATE leads SET title = 'Head'")
        #expect(try log(again).count == 1)
    }
}
