import Handoff
import Testing
import TrellisKernel
import TrellisTesting

/// The clocks of a handoff: reminders, escalation, and the lead that goes on.
@Suite struct OverrunTests {
    private static let clocks = """
        \(HandoffSite.threeReps), accept_within: 4 hours, remind_after: [2 hours], escalate_to: head@acme.example, return_after: 2 hours,
        contact_within: 8 hours, remind_contact_after: [4 hours], working_hours: {from: "09:00", to: "17:00"}
        """

    /// Monday at nine in the morning, UTC.
    private func offered(_ yaml: String = clocks) async throws -> TestKernel {
        let crm = try HandoffSite.crm(yaml)
        try crm.qualified(1)
        try await crm.work()
        return crm
    }

    private func mails(_ crm: TestKernel) -> [String] { crm.transport.sent.map { "\($0.recipient): \($0.subject)" } }

    private func steps(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT state, rep, offer, substr(at, 1, 16) FROM handoff_transitions ORDER BY id")
    }

    @Test func `an offer that nobody answers is reminded of, escalated, and goes to somebody else, in working hours`()
        async throws
    {
        let crm = try await offered()
        #expect(try crm.rows("SELECT accept_by FROM handoff_handoffs") == ["2026-03-02 13:00:00.000"])
        for time in ["11:00", "12:59", "13:00", "16:59", "17:00"] {
            crm.clock.set("2026-03-02 \(time):00")
            try await crm.work()
        }
        crm.clock.set("2026-03-03 09:00:00")
        try await crm.work()
        #expect(
            try steps(crm) == [
                "offered|ann|1|2026-03-02 09:00", "escalated|ann|1|2026-03-02 13:00", "expired|ann|1|2026-03-02 16:59",
                "offered|ben|2|2026-03-02 16:59",
            ])
        #expect(
            mails(crm) == [
                "ann@acme.example: New lead: l1@lead.example", "ann@acme.example: Still waiting: l1@lead.example",
                "head@acme.example: Nobody has looked after l1@lead.example",
                "ben@acme.example: New lead: l1@lead.example",
            ])
        #expect(try crm.handoffs == ["1|1|ben|offered|"])
        #expect(try crm.rows("SELECT owner FROM leads") == ["ben"])
        #expect(try crm.rows("SELECT accept_by FROM handoff_handoffs") == ["2026-03-03 12:59:00.000"])
        #expect(
            try crm.events().filter { $0.hasPrefix("handoff") } == [
                "handoff.offered", "handoff.clock_due", "handoff.clock_due", "handoff.escalated", "handoff.clock_due",
                "handoff.expired", "handoff.offered",
            ])
        #expect(
            try crm.rows("SELECT offer, rep, answer, acceptance FROM handoff_sla") == [
                "1|ann|expired|missed", "2|ben||running",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `the chain of causes stays short, however often a lead goes on`() async throws {
        let names = (1...24).map { "r\($0)" }
        let crm = try await offered(
            "reps: {\(names.map { "\($0): {email: \($0)@a.example}" }.joined(separator: ", "))}, accept_within: 1 hour")
        for _ in 1...30 {
            crm.clock.advance(by: "1 hour")
            try crm.pump()
        }
        // Each of them let it lapse once before anybody gets it twice.
        #expect(try crm.rows("SELECT state FROM handoff_handoffs") == ["offered"])
        #expect(
            try crm.rows("SELECT count(DISTINCT rep), count(*) FROM handoff_transitions WHERE state = 'expired'") == [
                "24|30"
            ])
        #expect(try crm.rows("SELECT max(depth) FROM events") == ["2"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a clock that was overtaken does nothing`() async throws {
        let crm = try await offered()
        crm.clock.set("2026-03-02 10:00:00")
        try crm.run("handoff accept", "1")
        try crm.pump()
        let before = mails(crm)
        crm.clock.set("2026-03-02 13:00:00")
        try await crm.work()
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
        #expect(mails(crm) == before)
        // Given to another rep, the clock begins anew, and the old one is nobody's.
        try crm.run("handoff reassign", "1", "cy")
        crm.clock.set("2026-03-02 16:00:00")
        try await crm.work()
        #expect(try crm.handoffs == ["1|1|cy|offered|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `who accepted and talks to nobody is reminded, reported, and loses the lead`() async throws {
        let crm = try await offered()
        try crm.run("handoff accept", "1")
        try await crm.work()
        #expect(try crm.rows("SELECT contact_by FROM handoff_handoffs") == ["2026-03-02 17:00:00.000"])
        for time in ["2026-03-02 13:00:00", "2026-03-02 17:00:00", "2026-03-03 11:00:00"] {
            crm.clock.set(time)
            try await crm.work()
        }
        #expect(
            try steps(crm).map { $0.prefix { $0 != "|" } } == [
                "offered", "accepted", "escalated", "expired", "offered",
            ])
        #expect(
            mails(crm) == [
                "ann@acme.example: New lead: l1@lead.example", "ann@acme.example: Still waiting: l1@lead.example",
                "head@acme.example: Nobody has looked after l1@lead.example",
                "ben@acme.example: New lead: l1@lead.example",
            ])
        #expect(crm.transport.sent[2].text.contains("nobody has talked to the lead"))
        #expect(
            try crm.rows("SELECT rep, acceptance, contact FROM handoff_sla") == ["ann|kept|missed", "ben|running|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a contact stops the second clock, and puts an escalated lead in order`() async throws {
        let crm = try await offered()
        try crm.run("handoff accept", "1")
        crm.clock.set("2026-03-02 12:00:00")
        try crm.record("lead.contacted", lead: 1, ["channel": "call"])
        try await crm.work()
        crm.clock.set("2026-03-04 17:00:00")
        try await crm.work()
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
        #expect(try crm.rows("SELECT contact FROM handoff_sla") == ["kept"])
        #expect(
            try crm.rows("SELECT minutes_to_offer, minutes_to_accept, minutes_to_contact FROM speed_to_lead") == [
                "0.0|0.0|180.0"
            ])

        let late = try await offered()
        try late.run("handoff accept", "1")
        try late.pump()
        late.clock.set("2026-03-02 17:00:00")
        try late.pump()
        #expect(try late.handoffs == ["1|1|ann|escalated|"])
        late.clock.set("2026-03-02 17:05:00")
        #expect(try late.run("handoff contact", "1", options: ["channel": "call"]) == ["Somebody talked to lead 1."])
        late.clock.set("2026-03-04 17:00:00")
        try late.pump()
        #expect(try late.handoffs == ["1|1|ann|accepted|"])
        #expect(try late.rows("SELECT contact FROM handoff_sla") == ["missed"])
        #expect(try late.troubles() == [])
    }

    @Test func `an answer and a contact belong to the rep who had the lead then`() async throws {
        let crm = try await offered()
        try crm.run("handoff accept", "1")
        try await crm.work()
        crm.clock.set("2026-03-02 10:00:00")
        try crm.run("handoff contact", "1")
        crm.clock.set("2026-03-02 11:00:00")
        try crm.run("handoff reassign", "1", "ben")
        try await crm.work()
        crm.clock.set("2026-03-02 12:00:00")
        try crm.run("handoff accept", "1")
        try await crm.work()
        #expect(
            try crm.rows("SELECT rep, acceptance, contact_by, contacted_at, contact FROM handoff_sla ORDER BY offer")
                == [
                    "ann|kept|2026-03-02 17:00:00.000|2026-03-02 10:00:00.000|kept", "ben|kept|||",
                ])
        #expect(
            try crm.rows("SELECT rep, minutes_to_accept, minutes_to_contact FROM speed_to_lead") == ["ann|0.0|60.0"])
    }

    @Test func `who answers before the clock was set has kept it`() async throws {
        let crm = try HandoffSite.crm(Self.clocks)
        try crm.capture(["email": "ann@lead.example"])
        // The offer is made, and nobody has looked at it yet.
        try crm.kernel.write(origin: "sql") { tx in
            try tx.db.execute(
                sql: """
                    INSERT INTO handoff_handoffs (lead_id, cycle, rep, route, state, event_id, offered_at)
                    VALUES (1, 1, 'ann', 'by hand', 'offered', (SELECT max(id) FROM events), :now);
                    """, arguments: ["now": tx.stamp])
        }
        try crm.run("handoff accept", "1")
        try crm.run("handoff contact", "1")
        try crm.run("handoff convert", "1")
        try await crm.work()
        #expect(
            try crm.rows("SELECT rep, accept_by, acceptance, contact_by, contact FROM handoff_sla") == [
                "ann|2026-03-02 13:00:00.000|kept|2026-03-02 17:00:00.000|kept"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `events of the config say that somebody talked to the lead`() throws {
        let crm = try TestKernel(
            """
            activities: {demo.booked: {}}
            plugins: {handoff: {\(HandoffSite.threeReps), contact_within: 1 hour, contact_on: [demo.booked]}}
            """, plugins: [Handoff.self])
        try crm.qualified(1)
        try crm.run("handoff accept", "1")
        try crm.record("demo.booked", lead: 1)
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|accepted|"])
        #expect(throws: ConfigProblems.self) {
            try HandoffSite.crm(HandoffSite.threeReps + ", contact_on: [demo.boked]")
        }
    }

    @Test(arguments: [("route", "1|1|ben|offered|"), ("queue", "1|1||queued|")])
    func `without anybody above, a late offer goes on at once, or to the queue`(_ expired: String, _ end: String)
        async throws
    {
        let crm = try await offered(HandoffSite.threeReps + ", accept_within: 4 hours, expired: \(expired)")
        crm.clock.advance(by: "4 hours")
        try crm.pump()
        #expect(try crm.handoffs == [end])
        // Who was taken back into the queue waits there for a person.
        crm.clock.advance(by: "4 weeks")
        try crm.pump()
        if expired == "queue" { #expect(try crm.rows("SELECT route FROM handoff_queue") == ["taken back"]) }
        #expect(try crm.troubles() == [])
    }

    @Test func `where nobody else can take it, who let a lead lapse is offered it again`() async throws {
        let crm = try await offered(
            "reps: {ann: {email: ann@acme.example}, ben: {email: b@a.example, capacity: 0}}, accept_within: 1 hour")
        for offer in 2...3 {
            crm.clock.advance(by: "1 hour")
            try await crm.work()
            #expect(try crm.rows("SELECT rep, state, offer FROM handoff_handoffs") == ["ann|offered|\(offer)"])
        }
        #expect(crm.transport.sent.count == 3)
        // Where somebody else can, it is theirs.
        let more = try crm.reopened(
            "plugins: {handoff: {reps: {ann: {email: ann@acme.example}, ben: {email: b@a.example}}, accept_within: 1 hour}}"
        )
        more.clock.advance(by: "1 hour")
        try await more.work()
        #expect(try more.handoffs == ["1|1|ben|offered|"])
        #expect(try more.troubles() == [])
    }

    @Test func `the queue has a clock, in the working time of the house, and a person is told once`() async throws {
        let crm = try HandoffSite.crm(
            """
            reps: {ann: {email: ann@acme.example, capacity: 0, zone: America/New_York}}, queue_within: 4 hours,
            escalate_to: head@acme.example, working_hours: {from: "09:00", to: "12:00"}
            """)
        try crm.qualified(1)
        try await crm.work()
        crm.clock.set("2026-03-03 09:59:00")
        try await crm.work()
        #expect(try crm.troubles() == [])
        for time in ["2026-03-03 10:00:00", "2026-03-04 10:00:00"] {
            crm.clock.set(time)
            try await crm.work()
            #expect(mails(crm) == ["head@acme.example: Nobody has looked after l1@lead.example"])
            #expect(
                try crm.troubles() == ["lead without a rep|handoff 1|in the queue since 2026-03-02 09:00 (queue)"])
        }
        #expect(crm.transport.sent.last?.text.contains("nobody has taken the lead from the queue") == true)
        try crm.run("handoff assign", "1", "ann")
        try await crm.work()
        #expect(try crm.troubles() == [])
    }

    @Test func `who waited in the queue before it had a clock has waited since`() async throws {
        let crm = try HandoffSite.crm("reps: {ann: {email: ann@acme.example, capacity: 0}}")
        try crm.qualified(1)
        crm.clock.advance(by: "3 hours")
        let again = try crm.reopened(
            "plugins: {handoff: {reps: {ann: {email: ann@acme.example, capacity: 0}}, queue_within: 2 hours}}")
        for _ in 1...2 {
            for plugin in again.kernel.plugins {
                try again.kernel.write(origin: "plugin:handoff") { try plugin.begin(since: nil, $0) }
            }
            try await again.work()
            #expect(try again.rows("SELECT stop, subject FROM kernel_stops") == ["lead without a rep|handoff 1"])
        }
        #expect(again.transport.sent.isEmpty)
    }

    @Test func `a clock that comes late has still run out`() async throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", accept_within: 1 hour")
        try crm.capture(["email": "lee@lead.example", "stage": "mql"])
        // Nobody works for a week: the offer is made when somebody does, and its clock begins then.
        crm.clock.advance(by: "7 days")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
        crm.clock.advance(by: "7 days")
        try crm.pump()
        #expect(try crm.rows("SELECT state FROM handoff_transitions") == ["offered", "expired", "offered"])
        #expect(try crm.troubles() == [])
    }

    @Test func `who goes away after a clock was set is given the time, and a holiday too`() async throws {
        let crm = try await offered()
        try crm.run("handoff absent", "ann", options: ["until": "2026-03-03"])
        try crm.foreign("INSERT INTO handoff_holidays (day, name) VALUES ('2026-03-04', 'Founders'' day')")
        crm.clock.set("2026-03-02 13:00:00")
        try crm.pump()
        // Nothing of Monday, Tuesday and Wednesday counts.
        #expect(try crm.rows("SELECT state, accept_by FROM handoff_handoffs") == ["offered|2026-03-05 13:00:00.000"])
        #expect(try crm.troubles() == [])
        crm.clock.set("2026-03-05 13:00:00")
        try crm.pump()
        #expect(try crm.rows("SELECT state FROM handoff_handoffs") == ["escalated"])
        #expect(try crm.troubles() == [])
    }

    @Test func `each rep has the hours of their place`() throws {
        let crm = try HandoffSite.crm(
            """
            reps: {berlin: {email: a@a.example, zone: Europe/Berlin}, york: {email: b@a.example, zone: America/New_York},
                   night: {email: c@a.example, zone: UTC, hours: {from: "22:00", to: "06:00"}}},
            accept_within: 4 hours, working_hours: {}
            """)
        try crm.qualified(3)
        #expect(
            try crm.rows("SELECT rep, substr(accept_by, 1, 16) FROM handoff_handoffs ORDER BY id") == [
                "berlin|2026-03-02 13:00", "york|2026-03-02 18:00", "night|2026-03-03 02:00",
            ])
    }

    @Test func `offers from before there was a clock get one when a worker begins`() throws {
        let crm = try HandoffSite.crm()
        try crm.qualified(1)
        let again = try crm.reopened("plugins: {handoff: {\(HandoffSite.threeReps), accept_within: 1 hour}}")
        again.clock.advance(by: "1 day")
        for plugin in again.kernel.plugins {
            try again.kernel.write(origin: "plugin:handoff") { try plugin.begin(since: nil, $0) }
        }
        #expect(try again.rows("SELECT accept_by FROM handoff_handoffs") == ["2026-03-03 10:00:00.000"])
        again.clock.advance(by: "1 hour")
        try again.pump()
        #expect(try again.handoffs == ["1|1|ben|offered|"])
        #expect(try again.troubles() == [])
    }

    @Test func `a crash between the clock and what follows loses neither`() throws {
        let crm = try HandoffSite.crm(HandoffSite.threeReps + ", accept_within: 1 hour")
        try crm.qualified(1)
        crm.clock.advance(by: "1 hour")
        // The transaction that moves the lead on is undone at its last statement.
        try crm.foreign(
            "CREATE TRIGGER crash BEFORE UPDATE ON leads WHEN NEW.owner = 'ben' BEGIN SELECT RAISE(ABORT, 'crash'); END"
        )
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ann|offered|"])
        try crm.foreign("DROP TRIGGER crash")
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.handoffs == ["1|1|ben|offered|"])
        #expect(try crm.rows("SELECT state FROM handoff_transitions") == ["offered", "expired", "offered"])
        #expect(try crm.troubles() == [])
    }

    @Test func `return_after needs somebody to escalate to`() throws {
        do {
            _ = try HandoffSite.crm(HandoffSite.threeReps + ", return_after: 1 hour")
            Issue.record("there was no problem")
        } catch let problems as ConfigProblems {
            #expect(
                "\(problems.problems[0])".hasSuffix(
                    "return_after counts from the escalation. Say escalate_to, or leave it out."))
        }
    }
}
