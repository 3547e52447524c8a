import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// A sequence that stands still, and what becomes of what came due meanwhile.
@Suite struct PausesTests {
    private static let steps = "[{wait: 1 day}, {mail: one}, {wait: 1 day}, {mail: two}]"

    private static func yaml(_ late: String = "shift", paused: Bool = false, steps: String = Self.steps) -> String {
        DripSite.yaml(
            "enter: {on: lead.created}, exit: [course.left], late: \(late), paused: \(paused), steps: \(steps)")
    }

    private func crm(_ late: String = "shift", paused: Bool = false, steps: String = Self.steps) throws -> TestKernel {
        try TestKernel(
            Self.yaml(late, paused: paused, steps: steps), plugins: [DripSequencer.self], files: DripSite.files)
    }

    private func sent(_ crm: TestKernel) -> [String] { crm.transport.sent.map(\.subject) }

    /// A fortnight in which the worker works and the sequence stands still.
    private func rest(_ crm: TestKernel) async throws {
        for _ in 1...14 {
            crm.clock.advance(by: "1 day")
            try await crm.work()
        }
    }

    @Test func `nothing is sent while it is paused, and who came in comes on at the pace they would have come at`()
        async throws
    {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try await crm.work()
        #expect(
            try crm.run("sequences pause", "course") == [
                "course is paused: nothing of it is sent. Let it go on with: trellis sequences resume course"
            ])
        crm.clock.advance(by: "3 days")
        try crm.lead("bob@a.example")
        try await crm.work()
        try await rest(crm)
        #expect(sent(crm) == [])
        #expect(
            try crm.run("sequences") == ["course|1|2|0|0|0|2026-03-03 09:00:00.000|2026-03-02 09:00:00.000|0"])
        #expect(
            try crm.rows("SELECT stop, subject, reason, since FROM kernel_stops") == [
                "sequence paused|course|2 leads stand still, 0 messages are held; it goes on by: trellis sequences resume course|2026-03-02 09:00:00.000"
            ])
        #expect(
            try crm.kernel.ask(LeadCard(leadID: 1)) == [
                [CardLine("sequence", "course: active, paused, 2026-03-03 09:00: mail one")]
            ])
        #expect(
            try crm.run("sequences resume", "course") == [
                "course goes on once 'trellis work' or 'trellis serve' runs: what came due comes later by the time that was lost."
            ])
        try await crm.work()
        #expect(sent(crm) == [], "a backlog does not go out in one minute")
        #expect(try crm.troubles() == [])
        // 17 days were lost: the first was due on the 3rd, the second on the 6th.
        #expect(
            try crm.rows("SELECT lead_id, due_at FROM drip_enrolments ORDER BY lead_id") == [
                "1|2026-03-20 09:00:00.000", "2|2026-03-23 09:00:00.000",
            ])
        crm.clock.set("2026-03-20 09:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["ann@a.example"])
        crm.clock.set("2026-03-24 09:00:00")
        try await crm.work()
        #expect(sent(crm).sorted() == ["Lesson one", "Lesson one", "Lesson two"])
        #expect(
            try crm.rows("SELECT kind, body FROM events WHERE kind IN ('drip.paused', 'drip.resumed') ORDER BY id") == [
                #"drip.paused|{"by":"hand","sequence":"course"}"#, #"drip.resumed|{"by":"hand","sequence":"course"}"#,
            ])
    }

    @Test func `a wait that was lengthened by one pause is lengthened by the next`() async throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try await crm.work()
        for _ in 1...2 {
            try crm.run("sequences pause", "course")
            try await rest(crm)
            try crm.run("sequences resume", "course")
            try await crm.work()
        }
        #expect(sent(crm) == [])
        #expect(try crm.rows("SELECT due_at FROM drip_enrolments") == ["2026-03-31 09:00:00.000"])
    }

    @Test func `send: what came due is sent at once, one mail a lead; skip: it is passed over`() async throws {
        for (late, expected) in [("send", ["Lesson one"]), ("skip", [])] {
            let crm = try crm(late)
            try crm.lead("ann@a.example")
            try await crm.work()
            try crm.run("sequences pause", "course")
            try await rest(crm)
            try crm.run("sequences resume", "course")
            try await crm.work()
            #expect(sent(crm) == expected)
            crm.clock.advance(by: "1 day")
            try await crm.work()
            #expect(sent(crm) == expected + ["Lesson two"])
        }
    }

    @Test func `a pause shorter than what counts as late delays nothing further`() async throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try await crm.work()
        crm.clock.advance(by: "23h")
        try crm.run("sequences pause", "course")
        crm.clock.advance(by: "90m")
        try await crm.work()
        #expect(sent(crm) == [])
        try crm.run("sequences resume", "course")
        try await crm.work()
        #expect(sent(crm) == ["Lesson one"])
    }

    @Test(
        arguments: [
            (
                "shift", 3,
                [
                    "sent|2026-03-16 09:00:00.000|", "waiting|2026-03-20 09:00:00.000|marketing mail was paused",
                    "sent|2026-03-16 08:30:00.000|",
                ]
            ),
            (
                "send", 3,
                [
                    "sent|2026-03-02 09:00:00.000|", "sent|2026-03-06 09:00:00.000|", "sent|2026-03-16 08:30:00.000|",
                ]
            ),
            (
                "skip", 1,
                [
                    "cancelled|2026-03-02 09:00:00.000|it came due while marketing mail was paused",
                    "cancelled|2026-03-06 09:00:00.000|it came due while marketing mail was paused",
                    "sent|2026-03-16 08:30:00.000|",
                ]
            ),
        ] as [(String, Int, [String])])
    func `what waited while marketing mail was paused goes as lateness says, what is not late at once`(
        _ late: String, _ count: Int, _ messages: [String]
    ) async throws {
        let crm = try crm(late, steps: "[{mail: one}, {wait: 1 day}, {mail: two}]")
        try crm.foreign(
            "INSERT INTO mail_pauses (noticed_at, complaints, sent, percent_max) VALUES ('2026-03-02 09:00:00.000', 2, 9, 0.3)"
        )
        for (name, time) in [("ann", "02 09:00:00"), ("bob", "06 09:00:00"), ("cleo", "16 08:30:00")] {
            crm.clock.set("2026-03-\(time)")
            try crm.lead("\(name)@a.example")
            try await crm.work()
        }
        let first = "FROM outbox_messages WHERE template = 'one'"
        #expect(try crm.rows("SELECT DISTINCT state, held_by \(first)") == ["held|kernel"])
        crm.clock.set("2026-03-16 09:00:00")
        #expect(try crm.kernel.write(origin: "cli") { try $0.resumeMarketing(by: "cli") } == count)
        try await crm.work()
        #expect(try crm.rows("SELECT state, ready_at, reason \(first) ORDER BY id") == messages)
        #expect(try crm.troubles() == [])
        guard late == "shift" else { return }
        // The second mail does not come before the first.
        let ofBob = { try crm.rows("SELECT template, state FROM outbox_messages WHERE lead_id = 2 ORDER BY id") }
        crm.clock.set("2026-03-20 09:00:00")
        try await crm.work()
        #expect(try ofBob() == ["one|sent"])
        crm.clock.set("2026-03-21 09:30:00")
        try await crm.work()
        #expect(try ofBob() == ["one|sent", "two|sent"])
    }

    // MARK: - The outbox

    @Test func `what waits in the outbox is held, also where a person asks for it, and goes as lateness says`()
        async throws
    {
        for (late, ready) in [
            ("shift", "sent|2026-03-16 09:00:00.000"), ("send", "sent|2026-03-02 09:00:00.000"),
            ("skip", "cancelled|2026-03-02 09:00:00.000"),
        ] {
            let crm = try crm(late, steps: "[{mail: one}, {wait: 60 days}]")
            try crm.lead("ann@a.example")
            try crm.pump()
            try crm.run("sequences pause", "course")
            #expect(
                try crm.rows("SELECT state, reason, held_by FROM outbox_messages") == [
                    "held|the sequence is paused|plugin:drip"
                ])
            #expect(try crm.rows("SELECT stop FROM kernel_stops") == ["sequence paused"])
            try crm.foreign("UPDATE outbox_messages SET state = 'waiting', held_by = NULL")
            try await rest(crm)
            #expect(try crm.rows("SELECT state, held_by FROM outbox_messages") == ["held|plugin:drip"])
            try crm.run("sequences resume", "course")
            try await crm.work()
            #expect(try crm.rows("SELECT state, ready_at FROM outbox_messages") == [ready])
            #expect(try crm.troubles() == [])
        }
    }

    @Test func `what the relay gives back while the sequence is paused is held at the next try`() async throws {
        let crm = try crm(steps: "[{mail: one}]")
        crm.transport.answer { _ in .retry(because: "451 later") }
        try crm.lead("ann@a.example")
        try await crm.work()
        try crm.foreign("UPDATE outbox_messages SET state = 'sending', lease = 'x', leased_at = ready_at")
        try crm.run("sequences pause", "course")
        try crm.foreign("UPDATE outbox_messages SET state = 'waiting', lease = NULL")
        crm.clock.advance(by: "1 hour")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        #expect(try crm.rows("SELECT state, reason FROM outbox_messages") == ["held|the sequence is paused"])
    }

    @Test func `other sequences go on, also one whose name begins alike`() async throws {
        let crm = try TestKernel(
            """
            plugins: {drip: {sequences: {
              course: {enter: {on: lead.created}, steps: [{mail: one}]},
              course-b: {enter: {on: lead.created}, steps: [{mail: two}]}}}}
            """, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.run("sequences pause", "course")
        try await crm.work()
        #expect(sent(crm) == ["Lesson two"])
    }

    @Test func `who leaves while it is paused takes along what was held`() async throws {
        let crm = try crm(steps: "[{mail: one}, {wait: 9 days}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.run("sequences pause", "course")
        try crm.record("course.left", lead: 1)
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|exited|course.left"])
        #expect(try crm.rows("SELECT state FROM outbox_messages") == ["cancelled"])
    }

    // MARK: - By hand

    @Test func `a pause by hand ends by hand, and says so where there is none`() throws {
        let crm = try crm()
        #expect(throws: KernelError.data("course is not paused.")) { try crm.run("sequences resume", "course") }
        try crm.run("sequences pause", "course")
        #expect(try crm.run("sequences pause", "course") == ["course is paused already."])
        #expect(throws: KernelError.usage("There is no sequence 'curse'. Did you mean 'course'? There are: course.")) {
            try crm.run("sequences pause", "curse")
        }
    }

    @Test func `who pauses it again before the worker heard that it may go on has the last word`() throws {
        let crm = try crm()
        try crm.run("sequences pause", "course")
        try crm.run("sequences resume", "course")
        try crm.run("sequences pause", "course")
        try crm.pump()
        #expect(try crm.rows("SELECT paused_by, resumed_at FROM drip_pauses") == ["hand|"])
        try crm.run("sequences resume", "course")
        try crm.pump()
        #expect(try crm.rows("SELECT paused_by, resumed_at FROM drip_pauses") == ["hand|2026-03-02 09:00:00.000"])
    }

    // MARK: - By the config

    private func begin(_ crm: TestKernel) async throws {
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        try worker.finish()
    }

    @Test func `paused in the config it stands still from the start of the worker to the one without it`() async throws
    {
        let first = try crm()
        try first.lead("ann@a.example")
        try await begin(first)
        let paused = try first.reopened(Self.yaml(paused: true))
        #expect(try paused.run("sequences plan").first == "course|paused||1|stand still")
        try await begin(paused)
        for _ in 1...14 {
            paused.clock.advance(by: "1 day")
            try await begin(paused)
        }
        #expect(paused.transport.sent.isEmpty)
        #expect(
            throws: KernelError.data(
                "course is paused by the config. Take 'paused' out of plugins.drip.sequences.course in the config.")
        ) { try paused.run("sequences resume", "course") }
        let again = try paused.reopened(Self.yaml())
        #expect(try again.run("sequences plan").first == "course|not paused any more||1|go on")
        try await begin(again)
        #expect(again.transport.sent.isEmpty)
        #expect(try again.rows("SELECT due_at FROM drip_enrolments") == ["2026-03-17 09:00:00.000"])
        again.clock.set("2026-03-17 09:00:00")
        try await begin(again)
        #expect(sent(again) == ["Lesson one"])
        #expect(try again.troubles() == [])
    }

    @Test func `what came due while nobody worked is late too where it was paused before anybody did`() async throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try await begin(crm)
        crm.clock.advance(by: "7 days")
        try crm.run("sequences pause", "course")
        crm.clock.advance(by: "7 days")
        try await begin(crm)
        try crm.run("sequences resume", "course")
        try await begin(crm)
        #expect(crm.transport.sent.isEmpty)
        #expect(try crm.rows("SELECT due_at FROM drip_enrolments") == ["2026-03-17 09:00:00.000"])
    }

    @Test func `paused by both it goes on once both say so`() async throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try await begin(crm)
        try crm.run("sequences pause", "course")
        let paused = try crm.reopened(Self.yaml(paused: true))
        try await begin(paused)
        #expect(
            try paused.run("sequences resume", "course") == [
                "course is paused by the config too. It goes on once you take 'paused' out of plugins.drip.sequences.course in the config."
            ])
        paused.clock.advance(by: "2 days")
        try await begin(paused)
        #expect(try paused.rows("SELECT paused_by FROM drip_pauses WHERE resumed_at IS NULL") == ["config"])
        #expect(paused.transport.sent.isEmpty)
        let again = try paused.reopened(Self.yaml())
        try await begin(again)
        #expect(try again.rows("SELECT due_at FROM drip_enrolments") == ["2026-03-05 09:00:00.000"])
    }

    @Test func `a sequence that is taken out of the config stands still no more`() async throws {
        let crm = try crm(steps: "[{mail: one}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.run("sequences pause", "course")
        let without = try crm.reopened("plugins: {drip: {}}")
        try await begin(without)
        #expect(try without.rows("SELECT state FROM outbox_messages") == ["cancelled"])
        #expect(try without.troubles() == [])
    }

    @Test func `a simulation of a paused sequence sends nothing of it`() async throws {
        let crm = try crm()
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.run("sequences pause", "course")
        let simulated = try await crm.simulate(days: 10)
        #expect(try simulated.rows("SELECT count(*) FROM outbox_messages") == ["0"])
    }
}
