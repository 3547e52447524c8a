import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct OverviewTests {
    @Test func `it is told who may be exported and why the others may not, each once`() throws {
        let crm = try AudienceSite.crm(
            """
            all: {sql: SELECT id AS lead_id FROM leads, exclude: [customers], leave_out_open_opportunities: true}
            customers: {sql: SELECT id AS lead_id FROM leads WHERE stage = 'customer'}
            """)
        for name in ["ann", "bob", "cleo", "dan", "eve"] { try crm.lead("\(name)@a.example") }
        try crm.lead("never@a.example", stage: "customer", consents: [])
        try crm.capture(["phone": "+493012345678"], consents: ["ads"])
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('bob+x@a.example', 'manual')")
        try crm.foreign("UPDATE leads SET stage = 'customer' WHERE id = 3")
        try crm.foreign("INSERT INTO opportunities (name, lead_id) VALUES ('deal', 4)")
        try crm.foreign("INSERT INTO opportunities (name, lead_id, stage) VALUES ('deal', 5, 'lost')")
        let lines = [
            "members|7", "exportable|2", "no address|1", "without consent|1", "suppressed|1", "excluded by customers|1",
            "excluded by an open opportunity|1",
        ]
        #expect(try crm.run("audiences show", "all") == lines + ["No file was written yet."])
        #expect(try crm.export("all", platform: "google").lines.count == 3)
        try crm.accept()
        #expect(
            try crm.run("audiences show", "all").last
                == "Export 1: google, full, 2026-03-02 09:00, +2 −0, accepted 2026-03-02 09:00")
    }

    @Test func `the list says how members are kept`() throws {
        let crm = try AudienceSite.crm(
            """
            quick: {sql: SELECT id AS lead_id FROM leads, platforms: [google]}
            slow: {sql: SELECT max(id) AS lead_id FROM leads}
            """)
        try crm.lead("ann@a.example")
        #expect(
            try crm.run("audiences refresh") == [
                "quick|1|1|google||2026-03-02 09:00:00.000|changed leads",
                "slow|1|1|||2026-03-02 09:00:00.000|all leads, once a minute at most: it reads all of leads",
            ])
        #expect(try crm.run("audiences list") == crm.run("audiences"))
    }
}
