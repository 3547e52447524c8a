import DripSequencer
import Handoff
import LeadMagnets
import Scoring
import Testing
import TrellisKernel
import TrellisTesting

/// A lead that sales gave back, that was nurtured again, came back to the rep who knew it, and became a customer.
@Suite struct WonAtLastTests {
    private static let yaml = """
        activities: {demo.booked: {slot: text}}
        plugins:
          lead_magnets:
            magnets:
              sales-plan:
                title: The sales plan
                asset: assets/plan.pdf
                form: {fields: [email!, first_name, title], consent: {newsletter: "Yes, by mail."}}
          drip:
            sequences:
              welcome:
                enter: {on: form.submitted}
                steps: [{mail: welcome}, {wait: 3 days}, {mail: proof}, {wait: 20 days}, {mail: last}]
              second-look:
                enter: {on: drip.invited}
                exit: [handoff.offered]
                steps: [{mail: second-look}, {wait: 14 days}, {mail: last}]
          scoring:
            engagement:
              asked: {on: form.submitted, points: 15}
              demo: {on: demo.booked, points: 50}
            thresholds: {mql: {score: 60}}
          handoff:
            reps: {rita: {email: rita@acme.example}, sam: {email: sam@acme.example}}
            accept_within: 4 hours
            contact_within: 1 day
            escalate_to: head@acme.example
            working_hours: {from: "09:00", to: "17:00"}
            reject_reasons: [no budget, bad timing]
            recycle: {after: 30 days, into: second-look}
            openers: {sales-plan: "How was the plan, {{first_name|there}}?"}
        """

    private func crm() throws -> TestKernel {
        try TestKernel(
            Self.yaml, plugins: [LeadMagnets.self, DripSequencer.self, Scoring.self, Handoff.self],
            files: NurturingSite.files.merging([
                "mails/second-look.md": "---\\nsubject: Once more\\npurpose: marketing\\n---\\nHello again.\\n"
                    .replacing("\\n", with: "\n")
            ]) { own, _ in own })
    }

    /// Monday, 2 March: the form. Thursday: a demo, a rep, and a refusal. In April: once more.
    private func live(_ crm: TestKernel) async throws {
        try NurturingSite.fillInForm(crm, "ann@corp.example", "Ann", title: "Head of Sales")
        try await crm.work()
        crm.clock.advance(by: "3 days")
        try await crm.work()
        try crm.record("demo.booked", lead: 1, ["slot": "Friday"])
        try await crm.work()
        try crm.run("handoff accept", "1")
        try await crm.work()
        crm.clock.advance(by: "1 hour")
        try crm.run("handoff contact", "1", options: ["channel": "call"])
        try crm.run("handoff reject", "1", "bad timing")
        try await crm.work()
        crm.clock.advance(by: "21 days")
        try await crm.work()
        crm.clock.advance(by: "9 days")
        try await crm.work()
        crm.clock.advance(by: "2 days")
        try crm.record("demo.booked", lead: 1, ["slot": "Monday"])
        try await crm.work()
        try crm.run("handoff accept", "2")
        try await crm.work()
        try crm.run("handoff contact", "2")
        try crm.run("handoff convert", "2", options: ["amount": "9000"])
        try await crm.work()
        crm.clock.advance(by: "10 days")
        try await crm.work()
        try crm.run("handoff won", "2", options: ["reason": "the second demo"])
        try await crm.work()
    }

    private static let events = [
        "lead.created", "consent.granted", "form.submitted",  // Monday: the form
        "asset.downloaded", "mail.sent", "mail.sent",  // what was asked for, and the welcome
        "drip.due", "mail.sent",  // Thursday: the proof
        "demo.booked", "lead.stage_changed",  // the demo makes it an mql
        "lead.updated", "handoff.offered",  // its owner is rita, who is told
        "handoff.accepted", "lead.stage_changed",  // rita accepts: sal
        "lead.contacted",  // and rings
        "handoff.rejected", "handoff.recycled",  // bad timing: it rests
        "lead.updated", "lead.stage_changed",  // nobody's, and recycled
        "handoff.clock_due",  // of the offer that was accepted in time
        "handoff.clock_due",  // of the contact that was made in time
        "drip.due", "drip.completed",  // the welcome ends without its last mail, for the lead rests
        "handoff.recycle_due", "lead.recycled", "lead.stage_changed",  // thirty days are over
        "mail.sent",  // the second look
        "demo.booked", "lead.stage_changed",  // it crosses the threshold again
        "lead.updated", "handoff.offered",  // rita had it, and has it again
        "handoff.accepted", "lead.stage_changed",  // sal
        "lead.contacted",  // she rings at once
        "account.created", "contact.created", "opportunity.created", "lead.updated",  // a deal
        "lead.converted", "lead.stage_changed", "handoff.converted",
        "handoff.clock_due", "handoff.clock_due",  // clocks nobody waits for any more
        "opportunity.updated", "opportunity.stage_changed", "handoff.won", "lead.stage_changed",  // a customer
    ]

    @Test func `it is rejected, rests, is nurtured again, crosses again, and is won, by these events and no others`()
        async throws
    {
        let crm = try crm()
        try await live(crm)
        let events = try crm.events()
        #expect(events == Self.events)
        #expect(try crm.troubles() == [])
    }

    @Test func `each step of both cycles is a row`() async throws {
        let crm = try crm()
        try await live(crm)
        #expect(
            try crm.rows("SELECT cycle, state, rep, route, reason, origin FROM handoff_transitions ORDER BY id") == [
                "1|offered|rita|route 1: round_robin||plugin:handoff", "1|accepted|rita|||cli",
                "1|rejected|rita||bad timing|cli",
                "1|recycled|rita|||cli", "2|offered|rita|the rep it had||plugin:handoff", "2|accepted|rita|||cli",
                "2|converted|rita|||cli", "2|won|rita||the second demo|cli",
            ])
        #expect(
            try crm.rows("SELECT from_stage, to_stage FROM stage_history") == [
                "|lead", "lead|mql", "mql|sal", "sal|recycled", "recycled|lead", "lead|mql", "mql|sal",
                "sal|opportunity",
                "opportunity|customer",
            ])
        #expect(try crm.rows("SELECT answer, reason, handoffs FROM handoff_reasons") == ["rejected|bad timing|1"])
        #expect(
            try crm.rows("SELECT cycle, rep, acceptance, contact FROM handoff_sla") == [
                "1|rita|kept|kept", "2|rita|kept|kept",
            ])
        #expect(try crm.rows("SELECT stage, amount FROM opportunities") == ["won|9000.0"])
    }

    @Test func `the lead hears nothing of marketing while rita has it or it rests`() async throws {
        let crm = try crm()
        try await live(crm)
        let mails = crm.transport.sent
        #expect(
            mails.map { "\($0.recipient): \($0.subject)" } == [
                "ann@corp.example: The sales plan", "ann@corp.example: Welcome, Ann",
                "ann@corp.example: How others did it",
                "rita@acme.example: New lead: Ann", "ann@corp.example: Once more", "rita@acme.example: New lead: Ann",
            ])
        #expect(
            try crm.rows("SELECT template, state, reason FROM outbox_messages WHERE state = 'cancelled'") == [
                "last|cancelled|the lead rests"
            ])
        guard mails.count == 6 else { return }
        let (first, second) = (mails[3].text.replacing("\n", with: " "), mails[5].text.replacing("\n", with: " "))
        for part in ["demo +50, asked +15", "How was the plan, Ann?", "filled in the form sales-plan"] {
            #expect(first.contains(part), "\(part)")
        }
        #expect(!first.contains("was here before"))
        #expect(second.contains("It was here before: this is try 2. rejected on 2026-03-05 by rita: bad timing."))
    }

    @Test func `the trace leads from the customer back to the form`() async throws {
        let crm = try crm()
        try await live(crm)
        // Nothing of the handoff is without a cause, and every cause is older than what it caused.
        #expect(
            try crm.rows("SELECT kind FROM lead_trace WHERE kind LIKE 'handoff.%' AND cause_id IS NULL") == [
                "handoff.recycle_due"
            ])
        #expect(
            try crm.rows("SELECT kind, cause_kind FROM lead_trace WHERE kind IN ('handoff.offered', 'handoff.won')")
                == [
                    "handoff.offered|lead.stage_changed", "handoff.offered|lead.stage_changed",
                    "handoff.won|lead.stage_changed",
                ])
    }
}
