import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct TrashTests {
    private func crm() throws -> TestKernel {
        let crm = try TestKernel("leads: {fields: {budget: real, born: date}}")
        try crm.foreign("INSERT INTO accounts (name, domain) VALUES ('Acme', 'acme.example')")
        try crm.foreign("INSERT INTO contacts (email, account_id) VALUES ('ann@acme.example', 1)")
        try crm.foreign(
            """
            INSERT INTO leads (email, first_name, title, budget, born, stage, account_id, contact_id, created_at, updated_at)
            VALUES ('ann@acme.example', 'Änn "A"', '', 1.25, '1990-02-03', 'sql', 1, 1, '2020-01-01', '2020-01-02')
            """)
        return crm
    }

    @Test func `a deleted row comes back equal, with a fact that says so`() throws {
        let crm = try crm()
        let before = try crm.rows("SELECT * FROM leads")
        try crm.foreign("DELETE FROM leads")
        #expect(try crm.rows("SELECT table_name, row_id, origin FROM trash") == ["leads|1|sql"])
        #expect(try Trash.restore(crm.kernel) == 1)
        #expect(try crm.rows("SELECT * FROM leads") == before)
        #expect(try crm.rows("SELECT * FROM trash") == [])
        #expect(
            try crm.rows("SELECT kind, lead_id, origin FROM events WHERE lead_id = 1") == [
                "lead.created|1|sql", "lead.deleted|1|sql", "lead.restored|1|restore",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `rows that pointed at each other do so again`() throws {
        let crm = try crm()
        try crm.foreign("INSERT INTO opportunities (name, lead_id, account_id, contact_id) VALUES ('Deal', 1, 1, 1)")
        let before = try ["accounts", "contacts", "opportunities"].map { try crm.rows("SELECT * FROM \($0)") }
        for table in ["opportunities", "leads", "contacts", "accounts"] { try crm.foreign("DELETE FROM \(table)") }
        // The lead and the contact lost the account with its row only after they were gone themselves.
        #expect(try Trash.restore(crm.kernel) == 4)
        #expect(try ["accounts", "contacts", "opportunities"].map { try crm.rows("SELECT * FROM \($0)") } == before)
        #expect(try crm.rows("SELECT account_id, contact_id FROM leads") == ["1|1"])
    }

    @Test func `only the chosen rows come back`() throws {
        let crm = try crm()
        for name in ["bob", "cleo"] { try crm.capture(["email": "\(name)@acme.example"]) }
        try crm.foreign("DELETE FROM leads")
        let bob = try #require(try crm.value("SELECT id FROM trash WHERE row_id = 2").flatMap(Int64.init))
        #expect(try Trash.restore(crm.kernel, ids: [bob]) == 1)
        #expect(try crm.rows("SELECT email FROM leads") == ["bob@acme.example"])
        #expect(try crm.rows("SELECT row_id FROM trash ORDER BY row_id") == ["1", "3"])
    }

    @Test func `rows deleted since a moment come back`() throws {
        let crm = try crm()
        try crm.capture(["email": "bob@acme.example"])
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "DELETE FROM leads WHERE id = 1") }
        crm.clock.advance(by: "1 hour")
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "DELETE FROM leads WHERE id = 2") }
        #expect(try Trash.restore(crm.kernel, since: "2026-03-02 09:30") == 1)
        #expect(try crm.rows("SELECT id FROM leads") == ["2"])
    }

    @Test func `a row whose address was taken meanwhile stays in the trash`() throws {
        let crm = try crm()
        try crm.foreign("DELETE FROM leads")
        try crm.capture(["email": "ann@acme.example"])
        #expect(try Trash.restore(crm.kernel) == 0)
        #expect(try crm.rows("SELECT row_id FROM trash") == ["1"])
        #expect(try crm.rows("SELECT id FROM leads") == ["2"])
    }

    @Test func `what has lain there for 30 days is forgotten`() throws {
        let crm = try crm()
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "DELETE FROM leads") }
        crm.clock.advance(by: "30 days")
        try Trash.empty(crm.kernel)
        #expect(try crm.rows("SELECT row_id FROM trash") == ["1"])
        crm.clock.advance(by: "1s")
        try Trash.empty(crm.kernel)
        #expect(try crm.rows("SELECT row_id FROM trash") == [])
    }

    @Test func `a row comes back without what it pointed at, where that is gone`() throws {
        let crm = try crm()
        try crm.foreign("DELETE FROM leads")
        try crm.foreign("DELETE FROM contacts")
        try crm.foreign("DELETE FROM accounts")
        let lead = try #require(try crm.value("SELECT id FROM trash WHERE table_name = 'leads'").flatMap(Int64.init))
        #expect(try Trash.restore(crm.kernel, ids: [lead]) == 1)
        #expect(try crm.rows("SELECT email, account_id, contact_id FROM leads") == ["ann@acme.example||"])
        #expect(try crm.troubles() == [])
    }
}
