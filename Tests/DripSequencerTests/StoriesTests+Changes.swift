import DripSequencer
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Leads that change, steps that are edited, work that stops and goes on.
extension StoriesTests {
    // MARK: - Who comes in

    @Test func `not: a list that hears of a change only when it is built anew`() async throws {
        let crm = try DripSite.crm("enter: {when: \"title = 'Head'\", recheck: 1 day}, steps: [{mail: one}]")
        for number in 1...40 { try crm.lead("l\(number)@a.example", "Clerk") }
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        // Not a second passes.
        try crm.foreign("UPDATE leads SET title = 'Head' WHERE id = 17")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["l17@a.example"])
        #expect(try crm.rows("SELECT lead_id, entered_at FROM drip_enrolments") == ["17|2026-03-02 09:00:00.000"])
        #expect(
            try crm.rows("SELECT lead_id, cause_kind FROM lead_trace WHERE kind = 'drip.completed'") == [
                "17|lead.updated"
            ])
        #expect(try crm.troubles() == [])
    }

    /// An answer at once, a course by the clock of each, and other words for some: with no letter written by hand.
    @Test func `not: a list that says nothing until somebody writes to it`() async throws {
        let crm = try DripSite.crm(
            """
            enter: {on: consent.granted, where: "purpose = 'newsletter'"}, exit: [lead.unsubscribed], steps: [{mail: one}, {wait: 3 days}, {if: "title = 'Head'", then: [{mail: two}], else: [{mail: three}]}]
            """)
        func sent() -> [String] { crm.transport.sent.map { "\($0.recipient) \($0.subject)" } }
        try crm.capture(["email": "eve@a.example"])
        try crm.lead("ann@a.example", "Head")
        try await crm.work()
        #expect(sent() == ["ann@a.example Lesson one"], "and nothing to who agreed to nothing")
        crm.clock.advance(by: "1 day")
        try crm.lead("bob@a.example", "Clerk")
        try await crm.work()
        crm.clock.advance(by: "2 days")
        try await crm.work()
        #expect(sent() == ["ann@a.example Lesson one", "bob@a.example Lesson one", "ann@a.example Lesson two"])
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(sent().dropFirst(3) == ["bob@a.example Lesson three"])
        #expect(try crm.enrolments == ["2|1|completed|", "3|1|completed|"])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Stops

    private static let lessons =
        "enter: {on: lead.created}, steps: [{wait: 1 day}, {mail: one}, {wait: 1 day}, {mail: two}, {wait: 1 day}, {mail: three}]"

    /// A worker that starts, does what is due and ends.
    private func work(_ crm: TestKernel) async throws {
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        try worker.finish()
    }

    @Test func `not: all that was missed in one minute, because nobody worked for a fortnight`() async throws {
        let crm = try DripSite.crm(Self.lessons)
        for number in 1...10 {
            try crm.lead("l\(number)@a.example")
            try await work(crm)
            crm.clock.advance(by: "1 hour")
        }
        crm.clock.advance(by: "14 days")
        try await work(crm)
        #expect(crm.transport.sent.isEmpty)
        for _ in 1...120 {
            crm.clock.advance(by: "1 hour")
            try await crm.work()
        }
        #expect(try crm.rows("SELECT state, count(*) FROM outbox_messages GROUP BY state") == ["sent|30"])
        #expect(
            try crm.rows("SELECT max(mails) FROM (SELECT count(*) AS mails FROM outbox_messages GROUP BY settled_at)")
                == ["1"], "they came one an hour")
        #expect(
            try crm.rows(
                """
                SELECT a.lead_id, a.template, b.template FROM outbox_messages AS a JOIN outbox_messages AS b ON b.lead_id = a.lead_id AND b.id > a.id
                WHERE julianday(b.settled_at) - julianday(a.settled_at) < 0.99
                """) == [], "and nobody gets two on one day")
        #expect(try crm.troubles() == [])
    }

    @Test func `not: all that was missed in one minute, because the sequence was held for a fortnight`() async throws {
        let crm = try DripSite.crm(Self.lessons)
        try crm.lead("ann@a.example")
        try await crm.work()
        try crm.run("sequences pause", "course")
        for _ in 1...14 {
            crm.clock.advance(by: "1 day")
            try await crm.work()
        }
        try crm.run("sequences resume", "course")
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        for expected in [["Lesson one"], ["Lesson one", "Lesson two"], ["Lesson one", "Lesson two", "Lesson three"]] {
            crm.clock.advance(by: "1 day")
            try await crm.work()
            #expect(crm.transport.sent.map(\.subject) == expected)
        }
        #expect(try crm.troubles() == [])
    }

    // MARK: - Edits

    private static func edited(_ steps: String) -> String {
        DripSite.yaml("enter: {on: lead.created}, on_edit: migrate, steps: [{mail: one}, \(steps)]")
    }

    private func templates(of lead: Int, _ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT template FROM outbox_messages WHERE lead_id = \(lead) AND state = 'sent' ORDER BY id")
    }

    /// A lead that is a day under way.
    private func underWay(_ steps: String) async throws -> TestKernel {
        let crm = try TestKernel(Self.edited(steps), plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.clock.advance(by: "1 day")
        return crm
    }

    @Test func `not: a step that was put in, and never comes to who was under way`() async throws {
        let before = try await underWay("{wait: 2 days}, {mail: two}")
        let crm = try before.reopened(Self.edited("{wait: 2 days}, {mail: three}, {mail: two}"))
        for name in ["bob", "cem"] {
            try crm.lead("\(name)@a.example")
            try await crm.work()
            crm.clock.advance(by: "1 day")
        }
        // Ann's two days were over when cem came.
        #expect(try templates(of: 1, crm) == ["one", "three", "two"], "and not the first again")
        try await crm.work()
        crm.clock.advance(by: "1 day")
        try await crm.work()
        for lead in 2...3 { #expect(try templates(of: lead, crm) == ["one", "three", "two"]) }
        #expect(try crm.enrolments == (1...3).map { "\($0)|1|completed|" })
        #expect(try crm.troubles() == [])
    }

    @Test func `not: the wait of then, for who was under way when it was shortened`() async throws {
        let before = try await underWay("{wait: 9 days}, {mail: two}")
        let crm = try before.reopened(Self.edited("{wait: 3 days}, {mail: two}"))
        try crm.lead("bob@a.example")
        try await crm.work()
        crm.clock.set("2026-03-05 08:59:59")
        try await crm.work()
        #expect(try templates(of: 1, crm) == ["one"])
        crm.clock.set("2026-03-05 09:00:01")
        try await crm.work()
        #expect(try templates(of: 1, crm) == ["one", "two"], "three days after it came there")
        #expect(try templates(of: 2, crm) == ["one"])
        #expect(try crm.troubles() == [])
    }

    // MARK: - Trials

    @Test func `not: mails, figures or moved leads, because somebody tried what would happen`() async throws {
        let crm = try await begun()
        let real = """
            SELECT (SELECT max(id) FROM events), (SELECT count(*) FROM leads), (SELECT group_concat(key || state) FROM outbox_messages),
                   (SELECT group_concat(step || state || coalesce(due_at, '')) FROM drip_enrolments)
            """
        let before = try crm.rows(real)
        let simulated = try await crm.simulate(days: 10)
        #expect(
            try simulated.rows("SELECT template, state FROM outbox_messages ORDER BY id") == ["one|sent", "two|sent"])
        #expect(try crm.rows(real) == before)
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one"])
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson two"], "when its time has come, and once")
        #expect(try crm.troubles() == [])
    }
}
