import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

/// What an event costs follows from the event, and not from how many leads there are.
@Suite struct MembershipPlansTests {
    @Test func `no statement reads a whole table for a batch of events`() throws {
        let crm = try AudienceSite.crm(
            """
            heads: {sql: "SELECT id AS lead_id FROM leads WHERE title = 'Head'"}
            often: {sql: SELECT lead_id FROM events WHERE kind = 'demo.booked' GROUP BY lead_id HAVING count(*) > 1}
            agreed: {sql: "SELECT lead_id FROM consents_now WHERE purpose = 'ads' AND state = 'granted'"}
            social: {sql: SELECT lead_id FROM touches WHERE channel = 'paid_social'}
            big: {sql: SELECT l.id AS lead_id FROM leads AS l JOIN accounts AS a ON a.id = l.account_id WHERE a.employees > 9}
            warm: {in: [heads, often], not_in: [agreed]}
            """, before: "activities: {demo.booked: {}}")
        try crm.foreign("INSERT INTO accounts (domain, employees) VALUES ('a.example', 1)")
        try crm.lead("zoe@a.example")
        try crm.pump()
        let scans = try crm.scans(
            of: [
                "leads", "events", "consents", "touches", "accounts", "audiences_members", "scheduled_events",
                "lead_merges",
            ]
        ) {
            for name in ["ann", "bob"] { try crm.lead("\(name)@a.example", title: "Head") }
            try crm.pump()
            for _ in 1...3 {
                try crm.record("demo.booked", lead: 2)
                try crm.foreign("UPDATE leads SET title = 'Clerk' WHERE id = 3")
                try crm.foreign("UPDATE accounts SET employees = employees + 10")
                try crm.foreign(
                    "INSERT INTO touches (lead_id, at, kind, channel) VALUES (2, '2026-03-01', 'manual', 'paid_social')"
                )
                crm.clock.advance(by: "400 days")
                try crm.pump()
            }
            try crm.kernel.write(origin: "cli") { try $0.merge(3, into: 2) }
            try crm.pump()
        }
        // What a capture and a merge do is the kernel's.
        let ours = scans.filter { scan in
            !["temp.draft", "UPDATE OR IGNORE", "lead_merges SET kept_id"].contains { scan.contains($0) }
        }
        #expect(ours == [])
        #expect(try crm.members("often") == ["2"])
        #expect(try crm.members("big") == ["1", "2"])
        #expect(try crm.rows("SELECT name FROM audiences_audiences WHERE kept_by = 'scan'") == [])
        #expect(try crm.troubles() == [])
    }
}
