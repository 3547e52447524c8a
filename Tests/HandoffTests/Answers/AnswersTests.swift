import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// What reps do with a lead, and what becomes of it.
@Suite struct AnswersTests {
    private static let rules =
        HandoffSite.threeReps + ", reject_reasons: [no budget, wrong person], recycle: {after: 30 days, into: nurture}"

    private func offered() throws -> TestKernel {
        let crm = try HandoffSite.crm(Self.rules)
        try crm.qualified(1)
        return crm
    }

    @Test func `accepting makes a sales accepted lead`() throws {
        let crm = try offered()
        let before = try crm.lastEvent
        #expect(try crm.run("handoff accept", "1") == ["ann has lead 1."])
        #expect(try crm.events(after: before) == ["handoff.accepted", "lead.stage_changed"])
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["sal|ann"])
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
        #expect(throws: KernelError.data("Handoff 1 is accepted; this needs one that is offered.")) {
            try crm.run("handoff accept", "1")
        }
        #expect(throws: KernelError.data("There is no handoff '9'. See: trellis handoff list.")) {
            try crm.run("handoff accept", "9")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that is further than sal stays there when it is accepted`() throws {
        let crm = try HandoffSite.crm()
        try crm.capture(["email": "lee@lead.example", "stage": "sql"])
        try crm.pump()
        try crm.run("handoff accept", "1")
        #expect(try crm.rows("SELECT stage FROM leads") == ["sql"])
    }

    @Test func `a reason the config does not know is refused with the one that was meant, and changes nothing`() throws
    {
        let crm = try offered()
        let before = try crm.lastEvent
        #expect(
            throws: KernelError.usage(
                "'no bugdet' is no reason of this config. Did you mean 'no budget'? There are: no budget, wrong person."
            )
        ) { try crm.run("handoff reject", "1", "no bugdet") }
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
        #expect(try crm.lastEvent == before)
    }

    @Test(arguments: [true, false])
    func `rejecting gives the lead back: recycled, and nobody's`(_ isAccepted: Bool) throws {
        let crm = try offered()
        if isAccepted { try crm.run("handoff accept", "1") }
        let before = try crm.lastEvent
        #expect(
            try crm.run("handoff reject", "1", "no budget") == [
                "Lead 1 went back to marketing: no budget. It rests for 30 days."
            ])
        #expect(
            try crm.events(after: before) == [
                "handoff.rejected", "handoff.recycled", "lead.updated", "lead.stage_changed",
            ])
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["recycled|"])
        #expect(try crm.handoffs == ["1|1|ann|recycled|no budget"])
        try crm.pump()
        #expect(try crm.handoffs.count == 1)
        #expect(
            throws: KernelError.data("Handoff 1 is recycled; this needs one that is queued or offered or accepted.")
        ) {
            try crm.run("handoff reject", "1", "no budget")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `after its rest a lead comes back, says into which sequence, and can be handed off again`() throws {
        let crm = try offered()
        try crm.run("handoff reject", "1", "no budget")
        crm.clock.advance(by: "29 days")
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["recycled"])
        let before = try crm.lastEvent
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.events(after: before) == ["handoff.recycle_due", "lead.recycled", "lead.stage_changed"])
        #expect(try crm.rows("SELECT body FROM events WHERE kind = 'lead.recycled'") == [#"{"into":"nurture"}"#])
        #expect(
            try crm.rows("SELECT cause_kind FROM lead_trace WHERE event_id > \(before)") == [
                "", "handoff.recycle_due", "handoff.recycle_due",
            ])
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|recycled|no budget", "1|2|ben|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `without recycle in the config a rejected lead rests for 90 days, and comes back`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        #expect(
            try crm.run("handoff reject", "1", "no budget") == [
                "Lead 1 went back to marketing: no budget. It rests for 90 days."
            ])
        #expect(try crm.rows("SELECT rests_until FROM handoff_handoffs") == ["2026-05-31 09:00:00.000"])
        crm.clock.advance(by: "89 days")
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["recycled"])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        try crm.foreign("UPDATE leads SET stage = 'mql' WHERE id = 1")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|recycled|no budget", "1|2|ben|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that somebody moved meanwhile is left where it is`() throws {
        let crm = try offered()
        try crm.run("handoff reject", "1", "wrong person")
        try crm.foreign("UPDATE leads SET stage = 'disqualified' WHERE id = 1")
        crm.clock.advance(by: "30 days")
        try crm.pump()
        #expect(try crm.rows("SELECT stage FROM leads") == ["disqualified"])
        #expect(try !crm.events().contains("lead.recycled"))
    }

    @Test func `a queued lead is given by hand, to a rep there is`() async throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: ann@acme.example, capacity: 0}}")
        try crm.qualified(1)
        #expect(try crm.handoffs == ["1|1||queued|"])
        #expect(throws: KernelError.usage("There is no rep 'anna'. Did you mean 'ann'? There are: ann.")) {
            try crm.run("handoff assign", "1", "anna")
        }
        #expect(
            try crm.run("handoff assign", "1", "ann") == [
                "Lead 1 is offered to ann. ann has 1 of 0 leads in hand."
            ])
        try await crm.work()
        #expect(try crm.rows("SELECT rep, route, state FROM handoff_handoffs") == ["ann|by hand|offered"])
        #expect(try crm.rows("SELECT owner FROM leads") == ["ann"])
        #expect(crm.transport.sent.map(\.recipient) == ["ann@acme.example"])
        #expect(
            try crm.run("handoff list", options: ["rep": "ann"]) == [
                "1|l1@lead.example||offered|ann|by hand|2026-03-02 09:00:00.000|||1"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `who gives a lead to somebody who is away or has too many is told, and it is given`() throws {
        let crm = try HandoffSite.crm(
            "reps: {ann: {email: a@a.example}, ben: {email: b@a.example, capacity: 1}, cy: {email: c@a.example}}")
        try crm.qualified(3)
        #expect(try crm.reps == "ann ben cy")
        // Who is away later is there now.
        try crm.run("handoff absent", "ben", options: ["from": "2026-03-09"])
        #expect(try crm.run("handoff reassign", "1", "cy") == ["Lead 1 is offered to cy."])
        #expect(
            try crm.run("handoff reassign", "1", "ben") == [
                "Lead 1 is offered to ben. ben has 2 of 1 leads in hand."
            ])
        try crm.run("handoff absent", "ben", options: ["until": "2026-03-04"])
        try crm.run("handoff absent", "ann")
        #expect(
            try crm.run("handoff reassign", "3", "ben") == [
                "Lead 3 is offered to ben. ben is away until 2026-03-05 00:00 (UTC). ben has 3 of 1 leads in hand."
            ])
        #expect(
            try crm.run("handoff reassign", "3", "ann") == [
                "Lead 3 is offered to ann. ann is away until further notice."
            ])
        #expect(try crm.reps == "ben ben ann")
        #expect(try crm.troubles() == [])
    }

    @Test func `an accepted lead converts into a contact with an opportunity`() throws {
        let crm = try offered()
        #expect(throws: KernelError.data("Handoff 1 is offered; this needs one that is accepted.")) {
            try crm.run("handoff convert", "1")
        }
        try crm.run("handoff accept", "1")
        for amount in ["much", "-5", "nan", "1e13"] {
            #expect(throws: KernelError.usage("amount: expected a number from 0 to 1000000000000.")) {
                try crm.run("handoff convert", "1", options: ["amount": amount])
            }
        }
        #expect(try crm.rows("SELECT id FROM opportunities") == [])
        #expect(
            try crm.run("handoff convert", "1", options: ["amount": "1200"]) == [
                "Lead 1 is contact 1 with opportunity 1."
            ])
        #expect(try crm.rows("SELECT stage FROM leads") == ["opportunity"])
        #expect(try crm.rows("SELECT amount, owner, lead_id FROM opportunities") == ["1200.0|ann|1"])
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|converted|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead whose opportunity is open is not converted a second time`() throws {
        let crm = try offered()
        try crm.run("handoff accept", "1")
        try crm.run("handoff convert", "1")
        #expect(throws: KernelError.data("Handoff 1 is converted; this needs one that is accepted.")) {
            try crm.run("handoff convert", "1")
        }
        // Another program made the opportunity before the rep did.
        let second = try offered()
        try second.run("handoff accept", "1")
        try second.foreign("INSERT INTO opportunities (name, lead_id) VALUES ('by hand', 1)")
        #expect(
            throws: KernelError.data(
                "Lead 1 has opportunity 1, which is open. Close it before you make another.")
        ) { try second.run("handoff convert", "1") }
        try second.foreign("UPDATE opportunities SET stage = 'lost'")
        try second.run("handoff convert", "1")
        #expect(try second.rows("SELECT stage FROM opportunities ORDER BY id").count == 2)
        #expect(try second.troubles() == [])
    }

    @Test(arguments: ["opportunity", "customer"])
    func `rejecting never takes back a lead that is past sales`(_ stage: String) throws {
        let crm = try offered()
        try crm.run("handoff accept", "1")
        try crm.foreign("UPDATE leads SET stage = '\(stage)' WHERE id = 1")
        try crm.pump()
        #expect(
            try crm.run("handoff reject", "1", "no budget") == ["Lead 1 is nobody's and stays at \(stage): no budget."])
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["\(stage)|"])
        #expect(try crm.handoffs == ["1|1|ann|rejected|no budget"])
        try crm.pump()
        #expect(try !crm.events().contains("handoff.recycled"))
        #expect(try crm.troubles() == [])
    }

    // MARK: - Leads that go

    @Test func `a lead that is deleted is taken from its rep, with one event`() throws {
        let crm = try offered()
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        let before = try crm.lastEvent
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|withdrawn|the lead is gone"])
        #expect(try crm.events(after: before) == ["handoff.withdrawn"])
        #expect(try crm.troubles() == [])
    }

    @Test func `of two leads that become one, both offered, one is taken back once`() throws {
        let crm = try HandoffSite.crm(Self.rules)
        try crm.qualified(2)
        try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|offered|", "2|1|ben|withdrawn|the lead is gone"])
        #expect(try crm.events().filter { $0 == "handoff.withdrawn" }.count == 1)
        #expect(try crm.troubles() == [])
    }

    @Test func `a rep keeps a lead that took over another's place`() throws {
        let crm = try HandoffSite.crm(Self.rules)
        try crm.capture(["email": "lee@lead.example"])
        try crm.capture(["email": "lee@other.example", "stage": "mql"])
        try crm.pump()
        try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
        #expect(try crm.rows("SELECT owner FROM leads") == ["ann"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a deal has a currency, which winning it may correct`() throws {
        let crm = try offered()
        try crm.run("handoff accept", "1")
        #expect(throws: KernelError.usage("currency: expected a code such as EUR.")) {
            try crm.run("handoff convert", "1", options: ["amount": "10", "currency": "euros"])
        }
        try crm.run("handoff convert", "1", options: ["amount": "10", "currency": "chf"])
        #expect(try crm.rows("SELECT amount, currency FROM opportunities") == ["10.0|CHF"])
        #expect(throws: KernelError.usage("currency: expected a code such as EUR.")) {
            try crm.run("handoff won", "1", options: ["currency": "€"])
        }
        #expect(throws: KernelError.usage("amount: expected a number from 0 to 1000000000000.")) {
            try crm.run("handoff won", "1", options: ["amount": "-12"])
        }
        try crm.run("handoff won", "1", options: ["amount": "12", "currency": "EUR"])
        #expect(try crm.rows("SELECT stage, amount, currency FROM opportunities") == ["won|12.0|EUR"])
        #expect(try crm.troubles() == [])
    }
}
