import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct LeadMergeTests {
    private func crm() throws -> TestKernel {
        let crm = try TestKernel("activities: {demo.booked: {}}")
        try crm.capture(["email": "ann@acme.example", "title": "Head", "stage": "mql"], consents: ["newsletter"])
        try crm.capture(["phone": "+4930123456", "external_id": "A", "title": "Boss", "city": "Bonn"])
        try crm.record("demo.booked", lead: 2)
        return crm
    }

    private func merge(_ crm: TestKernel, _ gone: Int64, into kept: Int64) throws {
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
    }

    @Test func `the one that stays takes what it lacks and keeps what it has`() throws {
        let crm = try crm()
        try merge(crm, 2, into: 1)
        #expect(
            try crm.rows("SELECT id, email, phone, external_id, title, city, stage FROM leads") == [
                "1|ann@acme.example|+4930123456|A|Head|Bonn|mql"
            ])
        #expect(try crm.rows("SELECT gone_id, kept_id FROM lead_merges") == ["2|1"])
        #expect(try crm.rows("SELECT row_id FROM trash") == ["2"])
        #expect(try crm.troubles() == [])
    }

    @Test func `every row that pointed at the one that went points at the one that stayed`() throws {
        let crm = try crm()
        try crm.foreign("INSERT INTO opportunities (name, lead_id) VALUES ('Deal', 1)")
        try crm.foreign("INSERT INTO touches (lead_id, at, kind) VALUES (1, '2026-01-01', 'form')")
        try merge(crm, 1, into: 2)
        for table in ["opportunities", "touches", "consents"] {
            #expect(try crm.rows("SELECT DISTINCT lead_id FROM \(table)") == ["2"])
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example"])
    }

    @Test func `the log is not rewritten, and its views see one lead`() throws {
        let crm = try crm()
        let before = try crm.rows("SELECT * FROM events")
        try merge(crm, 2, into: 1)
        #expect(try Array(crm.rows("SELECT * FROM events").prefix(before.count)) == before)
        #expect(
            try crm.rows("SELECT kind FROM lead_timeline WHERE lead_id = 1 ORDER BY event_id") == [
                "lead.created", "consent.granted", "lead.created", "demo.booked", "lead.deleted", "lead.updated",
                "lead.merged",
            ])
        #expect(try crm.rows("SELECT * FROM lead_timeline WHERE lead_id = 2") == [])
        #expect(try crm.rows("SELECT body FROM events WHERE kind = 'lead.merged'") == ["{\"into\":1}"])
    }

    @Test func `the old id still finds the person, through several merges`() throws {
        let crm = try crm()
        try crm.capture(["email": "cleo@acme.example"])
        try merge(crm, 2, into: 1)
        try merge(crm, 1, into: 3)
        #expect(try crm.kernel.read { try LeadReference("2").find($0) } == 3)
        #expect(try crm.kernel.read { try LeadReference("1").find($0) } == 3)
        #expect(try crm.kernel.read { try LeadReference("external:A").find($0) } == 3)
        #expect(try crm.kernel.read { try LeadReference(" CLEO@acme.example ").find($0) } == 3)
    }

    @Test func `what cannot be merged is said so`() throws {
        let crm = try crm()
        let same = try #require(throws: KernelError.self) { try merge(crm, 1, into: 1) }
        #expect(same.description == "Both names are the same lead.")
        #expect(throws: KernelError.noLead("9")) { try merge(crm, 9, into: 1) }
        #expect(throws: KernelError.noLead("9")) { try merge(crm, 1, into: 9) }
        #expect(try crm.rows("SELECT id FROM leads ORDER BY id") == ["1", "2"])
        #expect(throws: KernelError.noLead("external:Z")) {
            try crm.kernel.read { try LeadReference("external:Z").find($0) }
        }
    }

    @Test func `a lead that came back out of the trash is its own again, and can be merged again`() throws {
        let crm = try TestKernel()
        let kept = try crm.capture(["email": "ann@a.example"])
        let gone = try crm.capture(["email": "ann@private.example"])
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
        _ = try Trash.restore(crm.kernel)
        #expect(try crm.rows("SELECT * FROM lead_merges") == [])
        #expect(try crm.kernel.read { try LeadReference("\(gone)").find($0) } == gone)
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
        #expect(try crm.rows("SELECT gone_id, kept_id FROM lead_merges") == ["\(gone)|\(kept)"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a merged lead that somebody put back by hand can be merged again`() throws {
        let crm = try TestKernel()
        let kept = try crm.capture(["email": "ann@a.example"])
        let gone = try crm.capture(["email": "ann@private.example"])
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
        try crm.foreign("INSERT INTO leads (id, email) VALUES (\(gone), 'ann@private.example')")
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
        #expect(try crm.rows("SELECT gone_id, kept_id FROM lead_merges") == ["\(gone)|\(kept)"])
    }

    @Test func `a table of anybody's is merged too, whatever it is called`() throws {
        let crm = try crm()
        try crm.foreign("CREATE TABLE \"call \"\"notes\"\"\" (lead_id INTEGER, note TEXT)")
        try crm.foreign("INSERT INTO \"call \"\"notes\"\"\" VALUES (1, 'will call back')")
        try merge(crm, 1, into: 2)
        #expect(try crm.rows("SELECT lead_id FROM \"call \"\"notes\"\"\"") == ["2"])
        let export = try Person(email: "ann@acme.example").export(crm.kernel).text()
        #expect(export.contains("will call back"))
    }
}
