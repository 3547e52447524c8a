import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// What the steps of a sequence do.
@Suite struct TickTests {
    @Test func `a wait is over when its time has come and not before`() async throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{wait: 90m}, {mail: one}, {wait: 3 days}, {mail: two}]")
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.clock.advance(by: "5399s")
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        crm.clock.advance(by: "1s")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one"])
        crm.clock.advance(by: "3 days")
        let before = try crm.lastEvent
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson two"])
        #expect(try crm.enrolments == ["1|1|completed|"])
        #expect(try crm.events(after: before) == ["drip.due", "drip.completed", "mail.sent"])
        #expect(try crm.rows("SELECT cause_kind FROM lead_trace WHERE kind = 'drip.completed'") == ["lead.created"])
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a branch is taken by the lead as it is then, and branches stand in branches`() throws {
        let steps = """
            [{wait: 1 day},
             {if: "title = 'Head'",
              then: [{if: "country = 'DE'", then: [{mail: one}], else: [{mail: two}]}],
              else: [{mail: three}, {exit: true}]},
             {set: {city: Kiel}}]
            """.replacing("\n", with: " ")
        let crm = try DripSite.crm("enter: {on: lead.created}, steps: \(steps)")
        for (name, title) in [("ann", "Clerk"), ("bob", "Head"), ("cleo", "Head"), ("dan", "")] {
            try crm.lead("\(name)@a.example", title)
        }
        try crm.pump()
        try crm.foreign("UPDATE leads SET title = 'Head', country = 'DE' WHERE id = 1")
        try crm.foreign("UPDATE leads SET country = 'FR' WHERE id = 3")
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, template, key FROM outbox_messages ORDER BY lead_id") == [
                "1|one|drip:course:2.then.1.then.1:lead 1:cycle 1", "2|two|drip:course:2.then.1.else.1:lead 2:cycle 1",
                "3|two|drip:course:2.then.1.else.1:lead 3:cycle 1", "4|three|drip:course:2.else.1:lead 4:cycle 1",
            ])
        #expect(try crm.rows("SELECT city FROM leads ORDER BY id") == ["Kiel", "Kiel", "Kiel", ""])
        #expect(try crm.enrolments == (1...4).map { "\($0)|1|completed|" })
        #expect(try crm.troubles() == [])
    }

    @Test func `a branch without an else is passed by, and waits stand in branches`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{if: \"title = 'Head'\", then: [{wait: 2 days}, {mail: one}]}, {mail: two}]"
        )
        for title in ["Head", "Clerk"] { try crm.lead("\(title)@a.example", title) }
        try crm.pump()
        #expect(try crm.keys == ["drip:course:2:lead 2:cycle 1"])
        crm.clock.advance(by: "2 days")
        try crm.pump()
        #expect(
            try crm.keys == [
                "drip:course:2:lead 2:cycle 1", "drip:course:1.then.2:lead 1:cycle 1", "drip:course:2:lead 1:cycle 1",
            ])
    }

    @Test func `set of null empties a column`() throws {
        let crm = try DripSite.crm("enter: {on: lead.created}, steps: [{set: {region: null, city: Kiel}}]")
        try crm.capture(["email": "ann@a.example", "region": "North", "city": "Bonn"], consents: ["newsletter"])
        try crm.pump()
        #expect(try crm.rows("SELECT region IS NULL, city FROM leads") == ["1|Kiel"])
        #expect(try crm.run("sequences show", "course") == ["0|set region = NULL, city = Kiel|0", "1|end|0"])
    }

    @Test func `set changes the lead by the sequence's own hand, and its value is a text however it looks`() throws {
        let crm = try DripSite.crm("enter: {on: lead.created}, steps: [{set: {region: \"O'Brien; --\", stage: mql}}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(try crm.rows("SELECT region, stage FROM leads") == ["O'Brien; --|mql"])
        #expect(
            try crm.rows("SELECT kind, origin, cause_kind FROM lead_trace WHERE origin = 'plugin:drip'") == [
                "lead.updated|plugin:drip|lead.created", "lead.stage_changed|plugin:drip|lead.created",
                "drip.completed|plugin:drip|lead.created",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `two sequences go their own ways`() throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                sequences:
                  short-one: {enter: {on: lead.created}, steps: [{mail: one}]}
                  long: {enter: {on: lead.created}, steps: [{mail: one}, {wait: 1 day}, {mail: two}]}
            """, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(
            try crm.rows("SELECT sequence, state, step FROM drip_enrolments ORDER BY id") == [
                "short-one|completed|1", "long|active|2",
            ])
        #expect(try crm.keys == ["drip:short-one:1:lead 1:cycle 1", "drip:long:1:lead 1:cycle 1"])
        #expect(try crm.troubles() == [])
    }

    @Test func `twelve thousand that are due at once are all mailed exactly once, five thousand in a transaction`()
        throws
    {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{wait: 1 day}, {mail: one}, {wait: 1 day}, {mail: two}]")
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
                    INSERT INTO leads (email) SELECT 'l' || i || '@a.example' FROM n
                    """)
        }
        try crm.pump()
        // One appointment for all that wait for the same moment.
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["1"])
        #expect(try crm.rows("SELECT count(*), min(step), max(step) FROM drip_enrolments") == ["12000|1|1"])
        for template in ["one", "two"] {
            crm.clock.advance(by: "1 day")
            let before = try crm.lastEvent
            try crm.pump()
            #expect(
                try crm.rows(
                    "SELECT count(*), count(DISTINCT key), count(DISTINCT lead_id) FROM outbox_messages WHERE template = '\(template)'"
                ) == [
                    "12000|12000|12000"
                ])
            #expect(try crm.events(after: before).count { $0 == "drip.due" } == 3)
        }
        #expect(try crm.rows("SELECT state, count(*) FROM drip_enrolments GROUP BY state") == ["completed|12000"])
        #expect(try crm.rows("SELECT count(*) FROM events WHERE kind = 'drip.completed'") == ["12000"])
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
        #expect(try crm.troubles() == [])
    }

    @Test func `appointments do not pile up while leads come one by one`() throws {
        let crm = try DripSite.crm("enter: {on: lead.created}, steps: [{wait: 1 day}, {mail: one}, {wait: 1 day}]")
        for number in 1...30 {
            try crm.lead("l\(number)@a.example")
            try crm.pump()
        }
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["1"])
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["1"])
        #expect(try crm.keys.count == 30)
    }

    // MARK: - Who may be mailed

    @Test(arguments: [
        (
            "INSERT INTO suppressions (email, reason) VALUES ('ann@a.example', 'unsubscribed')",
            "the address is suppressed"
        ),
        (
            "INSERT INTO consents (lead_id, purpose, state) VALUES (1, 'newsletter', 'withdrawn')",
            "no consent for newsletter"
        ),
        ("UPDATE leads SET stage = 'disqualified' WHERE id = 1", "the lead is disqualified"),
        ("UPDATE leads SET email = NULL, external_id = '7' WHERE id = 1", "the lead has no e-mail address"),
    ])
    func `a lead that may not be mailed gets no mail, and the row says why`(_ sql: String, _ reason: String)
        async throws
    {
        let crm = try DripSite.crm("enter: {on: lead.created}, steps: [{mail: one}, {wait: 1 day}, {mail: two}]")
        try crm.lead("ann@a.example")
        try await crm.work()
        try crm.foreign(sql)
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one"])
        #expect(
            try crm.rows("SELECT template, state, reason FROM outbox_messages ORDER BY id") == [
                "one|sent|", "two|cancelled|\(reason)",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `unsubscribing can end the sequence`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, exit: [lead.unsubscribed], steps: [{wait: 1 day}, {mail: one}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@a.example', 'unsubscribed')")
        crm.clock.advance(by: "1 day")
        try crm.pump()
        #expect(try crm.enrolments == ["1|1|exited|lead.unsubscribed"])
        #expect(try crm.keys == [])
    }

    /// A statement that looks at everybody under way costs as much per batch as there are leads: an import of many
    /// then takes the square of the time.
    @Test func `no event costs more for others who are under way`() throws {
        let crm = try TestKernel(
            """
            activities: {course.started: {plan: text}, course.left: {}, course.bought: {}}
            leads: {fields: {starts_on: date}}
            plugins:
              drip:
                sequences:
                  course:
                    enter: {on: course.started}
                    exit: [course.left, {on: lead.updated, where: "city = 'Kiel'"}]
                    goal: course.bought
                    group: one
                    priority: 2
                    steps:
                      - wait_for: demo.booked
                        at_most: 2 days
                      - test: {mails: {one: 1, two: 1}, optimise: goal}
                      - wait_until: starts_on - 1 day
                      - wait: 1 day
                  other: {enter: {when: "country = 'DE'"}, group: one, priority: 1, steps: [{wait: 1 day}, {enter: course}]}
            """.replacing("demo.booked", with: "course.left"), plugins: [DripSequencer.self], files: DripSite.files)
        // The sequences are new only once.
        try crm.capture(["email": "zoe@a.example"])
        try crm.pump()
        let scans = try crm.scans(
            of: ["drip_enrolments", "drip_arms", "drip_matches", "drip_tasks", "outbox_messages"],
            indexes: ["drip_enrolments_resting"]
        ) {
            for name in ["ann", "bob"] { try crm.capture(["email": "\(name)@a.example", "country": "DE"]) }
            for kind in ["course.started", "course.left", "course.started", "course.bought"] {
                for lead in [2, 3] as [Int64] { try crm.record(kind, lead: lead) }
                try crm.pump()
                try crm.foreign("UPDATE leads SET starts_on = '2026-03-09', city = 'Kiel' WHERE id = 2")
                crm.clock.advance(by: "1 day")
                try crm.pump()
            }
        }
        // Of old versions it is asked whether anybody is left in them, which one row answers.
        #expect(scans.filter { !$0.contains("FROM drip_versions AS v") } == [])
    }
}
