import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// What comes back of converted leads.
@Suite struct OutcomesTests {
    private func converted(_ more: String = "") throws -> TestKernel {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + more)
        try crm.qualified(1)
        try crm.run("handoff accept", "1")
        try crm.run("handoff convert", "1", options: ["amount": "1200", "name": "Twenty seats"])
        try crm.pump()
        return crm
    }

    @Test func `a won deal makes a customer`() throws {
        let crm = try converted()
        let before = try crm.lastEvent
        #expect(
            try crm.run("handoff won", "1", options: ["amount": "1500", "reason": "the demo"]) == [
                "The deal with lead 1 is won: the demo."
            ])
        #expect(
            try crm.events(after: before) == [
                "opportunity.updated", "opportunity.stage_changed", "handoff.won", "lead.stage_changed",
            ])
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["customer"])
        #expect(
            try crm.rows("SELECT name, stage, amount, closed_at FROM opportunities") == [
                "Twenty seats|won|1500.0|2026-03-02 09:00:00.000"
            ])
        #expect(
            try crm.rows("SELECT state, outcome, outcome_reason FROM handoff_handoffs") == ["converted|won|the demo"])
        #expect(throws: KernelError.data("The opportunity of handoff 1 is closed already.")) {
            try crm.run("handoff lost", "1", "price")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `a customer stays one though another deal is lost`() throws {
        let crm = try converted(", recycle: {after: 1 day}")
        try crm.foreign("UPDATE leads SET stage = 'customer'")
        try crm.run("handoff lost", "1", "price")
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["customer"])
        #expect(try crm.rows("SELECT state, outcome FROM handoff_handoffs") == ["converted|lost"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a deal that another program closes comes back as well`() throws {
        let crm = try converted()
        try crm.foreign("UPDATE opportunities SET stage = 'won'")
        let before = try crm.lastEvent
        try crm.pump()
        #expect(try crm.events(after: before) == ["handoff.won", "lead.stage_changed"])
        #expect(
            try crm.rows("SELECT cause_kind FROM lead_trace WHERE kind = 'handoff.won'") == [
                "opportunity.stage_changed"
            ])
        #expect(try crm.rows("SELECT stage FROM leads") == ["customer"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lost deal goes back to marketing with its reason, rests, and enters its sequence`() throws {
        let crm = try converted(
            ", lost_reasons: [price, timing], recycle: {after: 30 days}, recycle_lost: {after: 180 days, into: win-back}"
        )
        #expect(
            throws: KernelError.usage(
                "'prise' is no reason of this config. Did you mean 'price'? There are: price, timing.")
        ) { try crm.run("handoff lost", "1", "prise") }
        let before = try crm.lastEvent
        #expect(try crm.run("handoff lost", "1", "price") == ["The deal with lead 1 is lost: price."])
        #expect(
            try crm.events(after: before) == [
                "opportunity.updated", "opportunity.stage_changed", "handoff.lost", "handoff.recycled", "lead.updated",
                "lead.stage_changed",
            ])
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'handoff.lost'") == [
                #"{"rep":"ann","cycle":1,"opportunity_id":1,"reason":"price"}"#
            ])
        #expect(
            try crm.rows("SELECT state, outcome, rests_until FROM handoff_handoffs") == [
                "recycled|lost|2026-08-29 09:00:00.000"
            ])
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["recycled|"])
        #expect(try crm.rows("SELECT answer, reason, handoffs FROM handoff_reasons") == ["lost|price|1"])
        crm.clock.advance(by: "180 days")
        try crm.pump()
        #expect(try crm.rows("SELECT body FROM events WHERE kind = 'lead.recycled'") == [#"{"into":"win-back"}"#])
        // Who had it gets it again.
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|recycled|", "1|2|ann|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a deal that is opened again has no outcome, and without recycle a lost lead stays where it is`() throws
    {
        let crm = try converted()
        try crm.foreign("UPDATE opportunities SET stage = 'lost'")
        try crm.pump()
        #expect(try crm.rows("SELECT state, outcome FROM handoff_handoffs") == ["converted|lost"])
        #expect(try crm.rows("SELECT stage FROM leads") == ["opportunity"])
        try crm.foreign("UPDATE opportunities SET stage = 'talks'")
        try crm.pump()
        #expect(try crm.rows("SELECT state, outcome FROM handoff_handoffs") == ["converted|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that is converted elsewhere is converted here`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        try crm.kernel.write(origin: "cli") { _ = try $0.convert(lead: 1) }
        try crm.pump()
        #expect(try crm.rows("SELECT state, rep, opportunity_id FROM handoff_handoffs") == ["converted|ann|1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `an erased person leaves no words a rep wrote about them`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(2)
        for handoff in ["1", "2"] { try crm.run("handoff reject", handoff, "rude on the phone, Lee") }
        _ = try Person(email: "l1@lead.example").erase(crm.kernel)
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, reason FROM handoff_transitions WHERE state = 'rejected'") == [
                "1|", "2|rude on the phone, Lee",
            ])
        #expect(try crm.rows("SELECT reason FROM handoff_handoffs") == ["", "rude on the phone, Lee"])
        #expect(try crm.rows("SELECT id FROM events WHERE body LIKE '%rude%'") == [])
        #expect(try crm.troubles() == [])
    }
}
