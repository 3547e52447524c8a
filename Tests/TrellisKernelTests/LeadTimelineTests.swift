import Testing
import TrellisKernel
import TrellisTesting

@Suite struct LeadTimelineTests {
    @Test func `the log is entered by the lead, however long it is`() throws {
        let crm = try TestKernel("")
        for view in ["lead_timeline", "lead_trace"] {
            let plan = try crm.rows("EXPLAIN QUERY PLAN SELECT * FROM \(view) WHERE lead_id = 1 ORDER BY event_id")
            #expect(!plan.contains { $0.contains("SCAN e") || $0.contains("SCAN m") }, "\(plan)")
        }
    }

    @Test func `what happened to a lead that became one with another stands with that one, and nowhere else`() throws {
        let crm = try TestKernel("activities: {demo.booked: {}}")
        let (ann, double) = (try crm.capture(["email": "ann@a.example"]), try crm.capture(["email": "a@a.example"]))
        try crm.record("demo.booked", lead: double)
        try crm.kernel.write(origin: "cli") { try $0.merge(double, into: ann) }
        let kinds = try crm.rows("SELECT kind FROM lead_timeline WHERE lead_id = \(ann) ORDER BY event_id")
        #expect(kinds.filter { $0 == "lead.created" }.count == 2 && kinds.contains("demo.booked"))
        #expect(try crm.rows("SELECT count(*) FROM lead_timeline WHERE lead_id = \(double)") == ["0"])
        let all = try crm.rows("SELECT count(*) FROM events WHERE lead_id IS NOT NULL")
        #expect(try crm.rows("SELECT count(*) FROM lead_timeline") == all)
    }
}
