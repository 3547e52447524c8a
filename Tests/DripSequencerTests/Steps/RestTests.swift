import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// What wakes a lead that rests at a step.
@Suite struct RestTests {
    // MARK: - For an event

    private static let waiting =
        "enter: {on: lead.created}, steps: [{mail: one}, {wait_for: course.started, where: \"plan = 'pro'\", at_most: 4 days, then: [{mail: two}], else: [{mail: three}]}]"

    private func templates(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id || ' ' || template FROM outbox_messages ORDER BY id")
    }

    @Test func `the event takes a lead on at once, the time that is up another way`() throws {
        let crm = try DripSite.crm(Self.waiting)
        for name in ["ann", "bob", "cleo"] { try crm.lead("\(name)@a.example") }
        try crm.pump()
        crm.clock.advance(by: "1 day")
        try crm.record("course.started", lead: 1, ["plan": "pro"])
        try crm.record("course.started", lead: 2, ["plan": "free"])
        try crm.pump()
        #expect(try templates(crm) == ["1 one", "2 one", "3 one", "1 two"])
        crm.clock.advance(by: "3 days")
        try crm.pump()
        #expect(try templates(crm).dropFirst(4).sorted() == ["2 three", "3 three"])
        try crm.record("course.started", lead: 3, ["plan": "pro"])
        try crm.pump()
        #expect(try templates(crm).count == 6)
        #expect(try crm.enrolments == ["1|1|completed|", "2|1|completed|", "3|1|completed|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `what happened before the lead came there does not count`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{wait: 1 day}, {wait_for: course.started}, {mail: one}]")
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1, ["plan": "pro"])
        try crm.pump()
        crm.clock.advance(by: "1 day")
        try crm.record("course.started", lead: 1, ["plan": "pro"])
        try crm.pump()
        #expect(try templates(crm) == [])
        try crm.record("course.started", lead: 1, ["plan": "pro"])
        try crm.pump()
        #expect(try templates(crm) == ["1 one"])
    }

    @Test func `what happened after it came by an event counts, however late the worker is`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{mail: one}, {wait_for: course.started, at_most: 9 days, then: [{wait_for: course.bought, at_most: 9 days, then: [{mail: two}], else: [{mail: three}]}]}]"
        )
        for name in ["ann", "bob", "cleo"] { try crm.lead("\(name)@a.example") }
        for kind in ["course.bought", "course.started", "course.bought"] { try crm.record(kind, lead: 1) }
        // Bob bought before he started, and Cleo in a batch of its own.
        for kind in ["course.bought", "course.started"] { try crm.record(kind, lead: 2) }
        try crm.record("course.started", lead: 3)
        try crm.pump()
        #expect(try templates(crm).sorted() == ["1 one", "1 two", "2 one", "3 one"])
        try crm.record("course.bought", lead: 3)
        try crm.pump()
        crm.clock.advance(by: "9 days")
        try crm.pump()
        #expect(try templates(crm).sorted() == ["1 one", "1 two", "2 one", "2 three", "3 one", "3 two"])
        #expect(try crm.troubles() == [])
    }

    @Test func `without a limit it waits as long as it takes`() throws {
        let crm = try DripSite.crm("enter: {on: lead.created}, steps: [{wait_for: course.started}, {mail: one}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        crm.clock.advance(by: "20 weeks")
        try crm.lead("bob@a.example")
        try crm.pump()
        #expect(try crm.run("sequences") == ["course|1|2|0|0|0|when it happens||0"])
        try crm.record("course.started", lead: 1)
        try crm.pump()
        #expect(try templates(crm) == ["1 one"])
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
    }

    // MARK: - For the first of several events

    private static let several = """
        enter: {on: lead.created}, steps: [{wait_for: [course.started, course.bought], at_most: 4 days,
          then: [{if: "heard = 'course.bought'", then: [{mail: one}], else: [{mail: two}]}],
          else: [{if: heard IS NULL, then: [{mail: three}]}]}]
        """

    @Test func `the first of several events takes a lead on, and the branch knows which it was`() throws {
        let crm = try DripSite.crm(Self.several)
        for name in ["ann", "bob", "cleo"] { try crm.lead("\(name)@a.example") }
        try crm.pump()
        try crm.record("course.bought", lead: 1)
        try crm.record("course.started", lead: 1)
        try crm.record("course.started", lead: 2)
        try crm.record("course.bought", lead: 2)
        try crm.record("course.left", lead: 3)
        try crm.pump()
        #expect(try templates(crm).sorted() == ["1 one", "2 two"])
        #expect(
            try crm.rows(
                "SELECT n.lead_id, e.kind FROM drip_enrolments AS n JOIN events AS e ON e.id = n.heard_event ORDER BY 1"
            )
                == ["1|course.bought", "2|course.started"])
        crm.clock.advance(by: "4 days")
        try crm.pump()
        #expect(try templates(crm).sorted() == ["1 one", "2 two", "3 three"])
        #expect(
            try crm.run("sequences show", "course").first
                == "0|wait for course.started or course.bought, at most 4 days, then go to 6|0")
        #expect(try crm.troubles() == [])
    }

    @Test func `what was heard is known behind further waits, and forgotten at the next wait for an event`() throws {
        let crm = try DripSite.crm(
            """
            enter: {on: lead.created}, steps: [
              {wait_for: [course.started, course.bought]}, {wait: 1 day}, {if: "heard = 'course.bought'", then: [{mail: one}]},
              {wait_for: course.started, at_most: 1 day}, {if: heard IS NULL, then: [{mail: two}]}]
            """)
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.record("course.bought", lead: 1)
        try crm.pump()
        for expected in [["1 one"], ["1 one", "1 two"]] {
            crm.clock.advance(by: "1 day")
            try crm.pump()
            #expect(try templates(crm) == expected)
        }
    }

    @Test func `a wait for one event is written as it was before there could be several`() throws {
        let crm = try DripSite.crm(
            "enter: {on: lead.created}, steps: [{wait_for: course.started}, {wait_for: [course.bought]}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(
            try crm.rows("SELECT program FROM drip_versions") == [
                #"[{"act":{"waitFor":{"kind":"course.started","otherwise":1}},"label":"1"},{"act":{"waitFor":{"kind":"course.bought","otherwise":2}},"label":"2"}]"#
            ])
    }

    // MARK: - For a day

    private func trial(_ until: String = "trial_ends_on - 2 days at 09:00") throws -> TestKernel {
        try TestKernel(
            """
            leads: {fields: {trial_ends_on: date}}
            plugins: {drip: {sequences: {course: {enter: {on: lead.created}, steps: [{wait_until: \(until)}, {mail: one}]}}}}
            """, plugins: [DripSequencer.self], files: DripSite.files)
    }

    private func lead(_ crm: TestKernel, _ name: String, _ day: String, _ zone: String = "") throws {
        try crm.capture(
            ["email": "\(name)@a.example", "trial_ends_on": day, "timezone": zone], consents: ["newsletter"])
    }

    @Test func `nine in the morning is that of the country, or else of the sequence, and follows both`() throws {
        let crm = try TestKernel(
            """
            leads: {fields: {trial_ends_on: date}}
            plugins: {drip: {sequences: {course: {enter: {on: lead.created}, timezone: Asia/Tokyo, steps: [{wait_until: trial_ends_on at 09:00}, {mail: one}]}}}}
            """, plugins: [DripSequencer.self], files: DripSite.files)
        for (name, country) in [("ann", "DE"), ("bob", "US"), ("cleo", "")] {
            try crm.capture(
                ["email": "\(name)@a.example", "trial_ends_on": "2026-03-12", "country": country],
                consents: ["newsletter"])
        }
        try crm.pump()
        #expect(
            try crm.rows("SELECT due_at FROM drip_enrolments ORDER BY id") == [
                "2026-03-12 08:00:00.000", "2026-03-12 00:00:00.000", "2026-03-12 00:00:00.000",
            ])
        try crm.foreign("UPDATE leads SET country = 'FI' WHERE id = 2")
        try crm.foreign("UPDATE leads SET timezone = 'Europe/Lisbon' WHERE id = 1")
        try crm.pump()
        #expect(
            try crm.rows("SELECT due_at FROM drip_enrolments ORDER BY id") == [
                "2026-03-12 09:00:00.000", "2026-03-12 07:00:00.000", "2026-03-12 00:00:00.000",
            ])
    }

    @Test func `the last call comes two days before the end, by the clock of the lead`() throws {
        let crm = try trial()
        try lead(crm, "ann", "2026-03-12", "Europe/Berlin")
        try lead(crm, "bob", "2026-03-12", "America/New_York")
        try lead(crm, "cleo", "2026-03-12")
        try crm.pump()
        #expect(
            try crm.rows("SELECT due_at FROM drip_enrolments ORDER BY id") == [
                "2026-03-10 08:00:00.000", "2026-03-10 13:00:00.000", "2026-03-10 09:00:00.000",
            ])
        for (time, count) in [("07:59:59", 0), ("08:00:00", 1), ("09:00:00", 2), ("13:00:00", 3)] {
            crm.clock.set("2026-03-10 \(time)")
            try crm.pump()
            #expect(try templates(crm).count == count, "\(time)")
        }
        #expect(try crm.troubles() == [])
    }

    @Test func `a trial that is extended moves its last call, and a day that was not known yet is waited for`() throws {
        let crm = try trial()
        try lead(crm, "ann", "2026-03-12")
        try crm.lead("bob@a.example")
        try crm.pump()
        #expect(try crm.value("SELECT due_at FROM drip_enrolments WHERE lead_id = 2") == "9999-12-31 23:59:59.999")
        try crm.foreign("UPDATE leads SET trial_ends_on = '2026-03-20'")
        try crm.pump()
        crm.clock.set("2026-03-10 09:00:00")
        try crm.pump()
        #expect(try templates(crm) == [])
        crm.clock.set("2026-03-18 09:00:00")
        try crm.pump()
        #expect(try templates(crm).sorted() == ["1 one", "2 one"])
        #expect(try crm.rows("SELECT count(*) FROM scheduled_events") == ["0"])
    }

    @Test func `who moves to another place is woken by the clock there`() throws {
        let crm = try trial()
        try lead(crm, "ann", "2026-03-12", "Europe/Berlin")
        try crm.pump()
        try crm.foreign("UPDATE leads SET timezone = 'America/New_York'")
        try crm.pump()
        #expect(try crm.value("SELECT due_at FROM drip_enrolments") == "2026-03-10 13:00:00.000")
    }

    @Test func `a day that is just past goes on at once, one long past without its mail`() throws {
        let crm = try trial("trial_ends_on - 2 days")
        try lead(crm, "ann", "2026-03-04")
        try lead(crm, "bob", "2026-03-01")
        crm.clock.set("2026-03-02 00:30:00")
        try crm.pump()
        #expect(try templates(crm) == ["1 one"])
        #expect(try crm.enrolments == ["1|1|completed|", "2|1|completed|"])
    }

    @Test func `garbage in the column is a day nobody knows`() throws {
        let crm = try trial("trial_ends_on")
        try crm.lead("ann@a.example")
        try crm.pump()
        for value in ["soon", "2026-13-45", "", "99999"] {
            _ = try? crm.foreign("UPDATE leads SET trial_ends_on = '\(value)'")
            try crm.pump()
        }
        #expect(try crm.rows("SELECT state FROM drip_enrolments") == ["active"])
        #expect(try crm.troubles() == [])
    }

    @Test func `monday nine o'clock is the next one`() throws {
        let crm = try trial("monday 09:00")
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(try crm.value("SELECT due_at FROM drip_enrolments") == "2026-03-09 09:00:00.000")
        crm.clock.set("2026-03-09 09:00:00")
        try crm.pump()
        #expect(try templates(crm) == ["1 one"])
    }
}
