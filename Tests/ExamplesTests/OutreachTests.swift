import Testing
import TrellisKernel
import TrellisTesting

/// `Examples/outreach`: mails and tasks of a rep. It begins on Monday 2 March 2026 at nine UTC, ten in Vienna.
struct OutreachTests {
    /// A lead that Lea has accepted.
    private func accepted() async throws -> ExampleFolder {
        let crm = try ExampleFolder("Examples/outreach", at: "2026-03-02 09:00:00")
        try ask(crm)
        try await crm.work()
        #expect(try crm.rows("SELECT rep, state FROM handoff_handoffs") == ["Lea|offered"])
        #expect(try crm.sent("template = 'handoff-offer'") == ["handoff-offer lea@stillwand.example"])
        try crm.command("handoff accept", "1")
        try await crm.work()
        return crm
    }

    private func ask(_ crm: ExampleFolder) throws {
        try crm.capture(
            "sample-box",
            ["email": "ida@buero.example", "first_name": "Ida", "company": "Büro Nord", "desks": "120"])
    }

    @Test func `nothing goes out before a rep has accepted the lead`() async throws {
        let crm = try ExampleFolder("Examples/outreach", at: "2026-03-02 09:00:00")
        try ask(crm)
        try await crm.live(until: "2026-03-20 09:00:00")
        #expect(try crm.post() == ["samples-on-the-way 2026-03-02 09:00"])
        #expect(try crm.enrolments() == [])
    }

    @Test func `nobody does a task: mails take their place, and a last question ends it`() async throws {
        let crm = try await accepted()
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["sal|Lea"])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(
            try crm.post() == [
                "samples-on-the-way 2026-03-02 09:00", "hello 2026-03-02 09:00", "where-to-hang 2026-03-06 09:00",
                // The call was due on Monday the 9th, its time was up on Friday the 13th.
                "last-question 2026-03-13 09:00",
            ])
        #expect(
            try crm.tasks() == ["linkedin.connect|2026-03-04 09:00|open", "call|2026-03-10 09:00|open"],
            "a sequence that ran to its end leaves the tasks to the rep")
        #expect(try crm.enrolments() == ["outreach|1|completed|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a task that is done takes the sequence on at once`() async throws {
        let crm = try await accepted()
        try await crm.live(until: "2026-03-04 08:00:00")
        #expect(
            try crm.command("tasks", options: ["to": "Lea"]) == [
                "1|linkedin.connect|Lea|1|2026-03-04 09:00|Invite Ida of Büro Nord"
            ])
        try crm.command("tasks done", "1", options: ["outcome": "connected"])
        try await crm.live(until: "2026-03-05 08:00:00")
        #expect(try crm.tasks().last == "linkedin.message|2026-03-06 08:00|open")
        // A message is no call: the sequence does not take the one for the other.
        try crm.command("tasks done", "2")
        try await crm.live(until: "2026-03-08 08:00:00")
        #expect(try crm.tasks().last == "call|2026-03-09 08:00|open")
        try crm.command("tasks done", "3", options: ["outcome": "connected"])
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(try crm.post().map { $0.prefix { $0 != " " } } == ["samples-on-the-way", "hello"])
        #expect(try crm.enrolments() == ["outreach|1|completed|"])
        #expect(
            try crm.rows(
                "SELECT body ->> 'task_kind', body ->> 'outcome' FROM events WHERE kind = 'task.done' ORDER BY id")
                == ["linkedin.connect|connected", "linkedin.message|", "call|connected"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a call nobody answered does not count`() async throws {
        let crm = try await accepted()
        try await crm.live(until: "2026-03-09 10:00:00")
        try crm.command("tasks done", "2", options: ["outcome": "no_answer"])
        try await crm.live(until: "2026-03-14 09:00:00")
        #expect(try crm.post().last == "last-question 2026-03-13 09:00")
    }

    /// Before the first task, with one open, in a night in which a mail waits, with the call open, after the last mail.
    static let points = [
        "2026-03-02 10:00:00", "2026-03-04 09:00:00", "2026-03-06 10:00:00", "2026-03-09 10:00:00",
    ]

    @Test(arguments: points) func `a booked demo withdraws the tasks and ends it`(_ point: String) async throws {
        let crm = try await accepted()
        try await crm.live(until: point)
        let before = try crm.post()
        try crm.record("demo.booked", lead: 1)
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(try crm.post() == before)
        #expect(try crm.tasks().allSatisfy { $0.hasSuffix("withdrawn") })
        #expect(try crm.enrolments() == ["outreach|1|goal|demo.booked"])
        #expect(try crm.pending() == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a mail that waits for the morning is cancelled by a demo booked at night`() async throws {
        let crm = try ExampleFolder("Examples/outreach", at: "2026-03-02 19:00:00")
        try ask(crm)
        try await crm.work()
        try crm.command("handoff accept", "1")
        try await crm.live(until: "2026-03-02 22:00:00")
        #expect(try crm.rows("SELECT state FROM outbox_messages WHERE template = 'hello'") == ["waiting"])
        try crm.record("demo.booked", lead: 1)
        try await crm.live(until: "2026-03-04 09:00:00")
        #expect(try crm.rows("SELECT state FROM outbox_messages WHERE template = 'hello'") == ["cancelled"])
        #expect(try crm.post() == ["samples-on-the-way 2026-03-02 19:00"])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: points, WayOut.allCases)
    func `so do a reply, a bounce and a farewell`(_ point: String, _ way: WayOut) async throws {
        let crm = try await accepted()
        try await crm.live(until: point)
        let before = try crm.post()
        try crm.leave(by: way)
        try await crm.live(until: "2026-04-01 09:00:00")
        #expect(try crm.post() == before)
        #expect(try crm.tasks().allSatisfy { $0.hasSuffix("withdrawn") })
        #expect(try crm.pending() == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a lead that was given back rests, is written to again, and comes back to a rep`() async throws {
        let crm = try await accepted()
        try await crm.live(until: "2026-03-04 09:00:00")
        try crm.command("handoff reject", "1", "too early")
        try await crm.live(until: "2026-05-02 09:00:00")
        #expect(try crm.tasks() == ["linkedin.connect|2026-03-04 09:00|withdrawn"])
        #expect(try crm.rows("SELECT stage, owner FROM leads") == ["recycled|"])
        #expect(try crm.post().map { $0.prefix { $0 != " " } } == ["samples-on-the-way", "hello"])
        // Sixty days are over on Sunday; on Monday at eight in Vienna, which is summer time now, the mail goes out.
        try await crm.live(until: "2026-05-06 09:00:00")
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        #expect(try crm.post().last == "new-panel 2026-05-04 06:00")
        #expect(try crm.enrolments() == ["outreach|1|exited|handoff.rejected", "second-look|1|active|"])
        try ask(crm)
        try await crm.work()
        try crm.command("handoff accept", "2")
        try await crm.live(until: "2026-05-07 09:00:00")
        #expect(try crm.rows("SELECT cycle, rep, state FROM handoff_handoffs") == ["1|Lea|recycled", "2|Lea|accepted"])
        #expect(
            try crm.enrolments().suffix(2) == ["second-look|1|exited|handoff.offered", "outreach|2|active|"])
        #expect(try crm.query("desk", ["rep": "Lea"]) == ["1|Büro Nord|120|Lea|accepted|outreach|linkedin.connect"])
        #expect(try crm.troubles() == [])
    }

    @Test func `who does not come back gets two mails and no more`() async throws {
        let crm = try await accepted()
        try crm.command("handoff reject", "1", "no project")
        try await crm.live(until: "2026-07-01 09:00:00")
        #expect(try crm.post().suffix(2) == ["new-panel 2026-05-01 09:00", "listening-room 2026-05-15 09:00"])
        #expect(try crm.enrolments().last == "second-look|1|completed|")
        #expect(try crm.troubles() == [])
    }
}
