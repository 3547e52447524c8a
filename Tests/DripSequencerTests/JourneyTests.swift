import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// Who comes into a sequence, and who leaves it.
@Suite struct JourneyTests {
    private static let onStart = "enter: {on: course.started}, exit: [course.left], goal: course.bought"
    private static let twoMails = "steps: [{mail: one}, {wait: 3 days}, {mail: two}]"

    // MARK: - Coming in

    @Test func `a lead enters where the condition over event and lead holds, and its first mail goes at once`()
        async throws
    {
        let crm = try DripSite.crm(
            "enter: {on: course.started, where: \"plan = 'pro' AND title IS NOT NULL\"}, \(Self.twoMails)")
        let (ann, bob, cleo) = (
            try crm.lead("ann@a.example", "Head"), try crm.lead("bob@b.example", "Head"), try crm.lead("cleo@c.example")
        )
        try crm.record("course.started", lead: ann, ["plan": "pro"])
        try crm.record("course.started", lead: bob, ["plan": "free"])
        try crm.record("course.started", lead: cleo, ["plan": "pro"])
        let before = try crm.lastEvent
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|active|"])
        #expect(crm.transport.sent.map { "\($0.recipient) \($0.subject)" } == ["ann@a.example Lesson one"])
        #expect(try crm.events(after: before) == ["mail.sent"])
        #expect(try crm.rows("SELECT cause_kind FROM lead_trace WHERE kind = 'mail.sent'") == ["course.started"])
        #expect(try crm.troubles() == [])
    }

    @Test func `what happened before the sequence was there brings nobody in`() throws {
        let before = try TestKernel("activities: {course.started: {plan: text}}", plugins: [DripSequencer.self])
        try before.lead("ann@a.example")
        try before.record("course.started", lead: 1)
        let crm = try before.reopened(
            "activities: {course.started: {plan: text}}\nplugins: {drip: {sequences: {course: {enter: {on: course.started}, steps: [{wait: 1 day}]}}}}"
        )
        try crm.pump()
        #expect(try crm.enrolments == [])
    }

    @Test func `several fitting events at once bring a lead in once`() throws {
        let crm = try DripSite.crm("\(Self.onStart), reentry: each time, \(Self.twoMails)")
        try crm.lead("ann@a.example")
        for _ in 1...3 { try crm.record("course.started", lead: 1) }
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|active|"])
        #expect(try crm.keys.count == 1)
    }

    // MARK: - Coming again

    @Test(arguments: [
        ("never", ["1|1|exited|course.left"]),
        ("each time", ["1|1|exited|course.left", "1|2|exited|course.left", "1|3|exited|course.left"]),
        ("after 90 days", ["1|1|exited|course.left", "1|2|exited|course.left"]),
    ])
    func `a lead comes again as the rule of re-entry says, each time in the next cycle`(
        _ reentry: String, _ expected: [String]
    ) throws {
        let crm = try DripSite.crm("\(Self.onStart), reentry: \(reentry), \(Self.twoMails)")
        try crm.lead("ann@a.example")
        for _ in 1...3 {
            try crm.record("course.started", lead: 1)
            try crm.pump()
            crm.clock.advance(by: "1 day")
            try crm.record("course.left", lead: 1)
            try crm.pump()
            crm.clock.advance(by: "44 days")
        }
        #expect(try crm.enrolments == expected)
        #expect(try crm.keys == expected.indices.map { "drip:course:1:lead 1:cycle \($0 + 1)" })
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: ["each time", "after 1 day"])
    func `a lead that is still in it does not come again`(_ reentry: String) throws {
        let crm = try DripSite.crm("\(Self.onStart), reentry: \(reentry), \(Self.twoMails)")
        try crm.lead("ann@a.example")
        for _ in 1...2 {
            try crm.record("course.started", lead: 1)
            try crm.pump()
            crm.clock.advance(by: "2 days")
        }
        #expect(try crm.enrolments == ["1|1|active|"])
    }

    @Test func `a lead that was given back enters the sequence it is recycled into, and no other`() throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                sequences:
                  welcome: {enter: {on: form.submitted}, steps: [{wait: 1 day}]}
                  again: {enter: {on: lead.recycled, where: "false"}, steps: [{wait: 1 day}]}
            """, plugins: [DripSequencer.self])
        try crm.lead("ann@a.example")
        try crm.foreign(
            "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('lead.recycled', 1, 'sql', '2026-03-02 09:00:00.000', '{\"into\":\"again\"}')"
        )
        try crm.pump()
        #expect(try crm.rows("SELECT sequence FROM drip_enrolments") == ["again"])
    }

    // MARK: - Leaving

    @Test(arguments: [("course.left", "exited"), ("course.bought", "goal")])
    func `an event of the lead ends it, and no more mails go out`(_ kind: String, _ state: String) async throws {
        let crm = try DripSite.crm("\(Self.onStart), \(Self.twoMails)")
        let (ann, bob) = (try crm.lead("ann@a.example"), try crm.lead("bob@b.example"))
        for lead in [ann, bob] { try crm.record("course.started", lead: lead) }
        try await crm.work()
        try crm.record(kind, lead: ann)
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|\(state)|\(kind)", "2|1|active|"])
        crm.clock.advance(by: "3 days")
        try await crm.work()
        #expect(
            crm.transport.sent.map { "\($0.recipient) \($0.subject)" } == [
                "ann@a.example Lesson one", "bob@b.example Lesson one", "bob@b.example Lesson two",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `an event that is goal and exit is a success`() throws {
        let crm = try DripSite.crm(
            "enter: {on: course.started}, exit: [course.left, course.bought], goal: course.bought, \(Self.twoMails)")
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1)
        try crm.pump()
        try crm.record("course.bought", lead: 1)
        try crm.record("course.left", lead: 1)
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|goal|course.bought"])
    }

    @Test func `an exit after the entry counts, also when both are heard of at once`() throws {
        let crm = try DripSite.crm("\(Self.onStart), \(Self.twoMails)")
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1)
        try crm.record("course.left", lead: 1)
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|exited|course.left"])
        #expect(try crm.keys == [])
    }

    @Test func `an exit may ask what the event says and who the lead is`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, exit: [{on: course.started, where: \"plan = 'pro' AND title = 'Head'\"}], steps: [{wait: 1 day}, {mail: one}]"
        )
        for (name, title) in [("ann", "Head"), ("bob", "Head"), ("cleo", "Clerk")] {
            try crm.lead("\(name)@a.example", title)
        }
        try crm.pump()
        for (lead, plan) in [(1, "pro"), (2, "free"), (3, "pro")] as [(Int64, String)] {
            try crm.record("course.started", lead: lead, ["plan": plan])
        }
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|exited|course.started", "2|1|active|", "3|1|active|"])
    }

    @Test func `an exit before the entry does not count`() throws {
        let crm = try DripSite.crm("\(Self.onStart), \(Self.twoMails)")
        try crm.lead("ann@a.example")
        try crm.record("course.left", lead: 1)
        try crm.record("course.started", lead: 1)
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|active|"])
    }

    @Test(arguments: [true, false])
    func `a lead that leaves and comes again at once begins the next cycle`(_ isOneBatch: Bool) throws {
        let crm = try DripSite.crm("\(Self.onStart), reentry: each time, \(Self.twoMails)")
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1)
        try crm.pump()
        try crm.record("course.left", lead: 1)
        if !isOneBatch { try crm.pump() }
        try crm.record("course.started", lead: 1)
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|exited|course.left", "1|2|active|"])
        #expect(try crm.keys.count == 2)
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [true, false])
    func `a lead that asks again and then leaves is out, without a cycle in between`(_ isOneBatch: Bool) throws {
        let crm = try DripSite.crm("\(Self.onStart), reentry: each time, \(Self.twoMails)")
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1)
        try crm.pump()
        try crm.record("course.started", lead: 1)
        if !isOneBatch { try crm.pump() }
        try crm.record("course.left", lead: 1)
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|exited|course.left"])
    }

    @Test func `a lead that is deleted leaves`() async throws {
        let crm = try DripSite.crm("\(Self.onStart), \(Self.twoMails)")
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1)
        try await crm.work()
        try crm.foreign("DELETE FROM leads WHERE id = 1")
        crm.clock.advance(by: "3 days")
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|exited|the lead is gone"])
        #expect(crm.transport.sent.count == 1)
        #expect(try crm.troubles() == [])
    }

    @Test func `a merged lead is in the sequence once`() throws {
        let crm = try DripSite.crm("\(Self.onStart), reentry: each time, \(Self.twoMails)")
        let (ann, bob) = (try crm.lead("ann@a.example"), try crm.lead("ann@b.example"))
        try crm.record("course.started", lead: bob)
        try crm.pump()
        try crm.record("course.left", lead: bob)
        try crm.pump()
        for lead in [ann, bob] { try crm.record("course.started", lead: lead) }
        try crm.pump()
        try crm.kernel.write(origin: "cli") { try $0.merge(bob, into: ann) }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM drip_enrolments WHERE state = 'active'") == ["1"])
        #expect(try crm.troubles() == [])
    }
}
