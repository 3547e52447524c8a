import DripSequencer
import Testing
import TrellisTesting

@testable import TrellisKernel

/// What the systems of before did to people, and must not happen here. Each name is the thing that must not happen.
@Suite struct StoriesTests {
    static let course =
        "enter: {on: lead.created}, exit: [course.left, lead.unsubscribed], reentry: each time, steps: [{mail: one}, {wait: 1 day}, {mail: two}]"

    /// One lead in it, with its first mail.
    func begun() async throws -> TestKernel {
        let crm = try DripSite.crm(Self.course)
        try crm.lead("ann@a.example")
        try await crm.work()
        return crm
    }

    @Test func `not: a mail again after a restart`() async throws {
        let crm = try await begun()
        for _ in 1...3 {
            let worker = try Worker(crm.kernel, transport: crm.transport)
            try await worker.runUntilIdle()
            try worker.finish()
        }
        #expect(crm.transport.sent.count == 1)
    }

    @Test func `not: a mail again from two workers that overlap`() async throws {
        let crm = try await begun()
        crm.clock.advance(by: "1 day")
        let kernel = crm.kernel
        try EventPump(kernel).runUntilIdle()
        let others = RecordingTransport()
        // All that the second worker does comes while the first has claimed the mail and is about to send it.
        let transport = Interrupted(recording: crm.transport) {
            try EventPump(kernel).runUntilIdle()
            try await Courier(kernel, transport: others).runUntilIdle()
        }
        try await Courier(kernel, transport: transport).runUntilIdle()
        #expect(crm.transport.sent.map(\.subject) == ["Lesson one", "Lesson two"])
        #expect(others.sent.isEmpty)
    }

    /// A transport in the middle of whose sending something else happens.
    private struct Interrupted: Transport {
        let name = "mail"
        let isIdempotent = false
        let recording: RecordingTransport
        let meanwhile: @Sendable () async throws -> Void

        func send(_ message: RenderedMessage, handingOver: @Sendable () async throws -> Void) async -> Delivery {
            await #expect(throws: Never.self) { try await meanwhile() }
            return await recording.send(message, handingOver: handingOver)
        }
    }

    @Test func `not: the rest of a batch again because one address was refused`() async throws {
        let crm = try DripSite.crm(Self.course)
        for number in 1...30 { try crm.lead("l\(number)@a.example") }
        crm.transport.answer { $0.id == 11 ? .undeliverable(because: "554 5.1.1") : .sent }
        for _ in 1...3 {
            try await crm.work()
            crm.clock.advance(by: "1 hour")
        }
        #expect(crm.transport.sent.count == 30)
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(crm.transport.sent.count == 59, "and the refused one hears nothing more")
        #expect(try crm.troubles() == [])
    }

    @Test func `not: a timer cancelled because somebody left a list for a moment`() async throws {
        let crm = try DripSite.crm(
            "enter: {when: \"title = 'Head'\"}, reentry: never, steps: [{wait: 1 day}, {mail: one}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        for title in ["Head", "Clerk", "Head"] {
            try crm.foreign("UPDATE leads SET title = '\(title)'")
            try crm.pump()
        }
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
    }

    @Test func `not: the same mail twice to who left and came again within one cycle`() async throws {
        let crm = try await begun()
        try crm.record("course.left", lead: 1)
        try crm.kernel.write(origin: "cli") {
            try $0.emit(
                "drip.invited",
                forEach: "SELECT 1 AS lead_id, NULL AS cause_id, '{\"sequence\":\"course\"}' AS body")
        }
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|exited|course.left", "1|2|active|"])
        #expect(try crm.keys == ["drip:course:1:lead 1:cycle 1", "drip:course:1:lead 1:cycle 2"])
        try await crm.work()
        #expect(crm.transport.sent.count == 2, "once a cycle, and it is counted")
    }

    @Test func `not: a mail in the middle of the lead's night`() async throws {
        let crm = try TestKernel(
            "activities: {course.left: {}}\nplugins: {drip: {quiet: {from: \"20:00\", to: \"08:00\"}, sequences: {course: {\(Self.course)}}}}",
            plugins: [DripSequencer.self], files: DripSite.files, at: "2026-03-02 15:00:00")
        try crm.capture(["email": "tokyo@a.example", "timezone": "Asia/Tokyo"], consents: ["newsletter"])
        try crm.capture(["email": "la@a.example", "timezone": "America/Los_Angeles"], consents: ["newsletter"])
        try await crm.work()
        #expect(crm.transport.sent.isEmpty, "midnight in one place, seven in the morning in the other")
        crm.clock.set("2026-03-02 16:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["la@a.example"])
        crm.clock.set("2026-03-02 23:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["la@a.example", "tokyo@a.example"])
    }

    @Test func `not: a mail or a call after the end, because they were the last of their sequence`() async throws {
        let crm = try TestKernel(
            """
            activities: {course.left: {}}
            plugins: {drip: {quiet: {from: "20:00", to: "08:00"}, sequences: {course: {enter: {on: lead.created}, exit: [course.left], steps: [{mail: one}, {task: {text: Ring}}]}}}}
            """, plugins: [DripSequencer.self], files: DripSite.files, at: "2026-03-02 22:00:00")
        try crm.lead("ann@a.example")
        try crm.lead("bob@a.example")
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|completed|", "2|1|completed|"])
        try crm.record("course.left", lead: 1)
        crm.clock.set("2026-03-03 09:00:00")
        try await crm.work()
        #expect(crm.transport.sent.map(\.recipient) == ["bob@a.example"])
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages ORDER BY id") == [
                "cancelled|the sequence is over: course.left", "sent|",
            ])
        #expect(try crm.rows("SELECT lead_id, state FROM drip_tasks ORDER BY id") == ["1|withdrawn", "2|open"])
        #expect(try crm.troubles() == [])
    }

    @Test(arguments: [
        Delivery.retry(because: "450 later"), .slower(because: "421 too many"), .stalled(because: "no way out"),
    ])
    func `not: a mail after the end, because it was on its way when the end came`(answer: Delivery) async throws {
        let crm = try DripSite.crm(Self.course)
        try crm.lead("ann@a.example")
        let kernel = crm.kernel
        crm.transport.answer { _ in
            _ = try? kernel.write(origin: "cli") { try $0.record("course.left", lead: 1, fields: []) }
            _ = try? EventPump(kernel).runUntilIdle()
            return answer
        }
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|exited|course.left"])
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages") == ["cancelled|the sequence is over: course.left"]
        )
        crm.transport.answer { _ in .sent }
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        #expect(try crm.troubles().filter { !$0.contains("no way out") } == [])
    }

    @Test(arguments: ["held", "failed"])
    func `not: a mail after the end, because somebody tried again what had been held`(state: String) async throws {
        let crm = try DripSite.crm(Self.course)
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.foreign(
            "UPDATE outbox_messages SET state = '\(state)', settled_at = CASE '\(state)' WHEN 'failed' THEN created_at END"
        )
        try crm.record("course.left", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT state FROM outbox_messages") == ["cancelled"])
        #expect(try crm.troubles() == [])
    }

    @Test func `not: a mail after the end, because nobody knew whether it had arrived`() async throws {
        let crm = try DripSite.crm(Self.course)
        try crm.lead("ann@a.example")
        crm.transport.answer { _ in .unknown(because: "no reply") }
        try await crm.work()
        try crm.record("course.left", lead: 1)
        try crm.pump()
        #expect(
            try crm.rows("SELECT state, withdrawn FROM outbox_messages") == [
                "unknown|the sequence is over: course.left"
            ])
        #expect(try crm.kernel.write(origin: "cli") { try $0.resolveUnknown(1, resend: true) })
        try await crm.work()
        #expect(crm.transport.sent.count == 1)
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages") == ["cancelled|the sequence is over: course.left"]
        )
    }

    @Test func `not: nothing at all, because the arm of the lead was taken out of the test`() async throws {
        let before = DripSite.yaml(
            "enter: {on: course.started}, reentry: each time, goal: course.bought, steps: [{test: {name: t, mails: {one: 1, two: 0}}}]"
        )
        let crm = try TestKernel(before, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try crm.record("course.started", lead: 1)
        try await crm.work()
        let after = try crm.reopened(
            before.replacing("{one: 1, two: 0}", with: "{three: 1, two: 0}"), plugins: [DripSequencer.self])
        try after.record("course.started", lead: 1)
        try await after.work()
        #expect(try after.rows("SELECT template FROM outbox_messages ORDER BY id") == ["one", "three"])
        #expect(try after.rows("SELECT arm FROM drip_arms") == ["three"])
    }

    @Test func `not: the mail that lost again, because a step was put in above the test`() async throws {
        let before = DripSite.yaml(
            "enter: {on: lead.created}, goal: course.bought, steps: [{test: {mails: {one: 1, two: 1}}}, {wait: 1 day}]")
        let crm = try TestKernel(before, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.run("sequences winner", "course", "1", "one")
        try crm.lead("ann@a.example")
        try await crm.work()
        let after = try crm.reopened(
            before.replacing("steps: [", with: "steps: [{mail: three}, "), plugins: [DripSequencer.self])
        for number in 1...20 { try after.lead("l\(number)@a.example") }
        try await after.work()
        #expect(try after.rows("SELECT DISTINCT arm FROM drip_arms WHERE test = '2'") == ["one"])
        #expect(
            try after.rows("SELECT arm, decided_by, is_winner FROM drip_tests WHERE test = '2' ORDER BY arm") == [
                "one|a person|1", "two|a person|0",
            ])
        #expect(try after.rows("SELECT count(*) FROM outbox_messages WHERE template = 'two'") == ["0"])
    }

    @Test func `not: nothing at all, because two tests of a sequence have one name`() throws {
        let problems = try #require(throws: ConfigProblems.self) {
            try DripSite.crm(
                "enter: {on: lead.created}, goal: course.bought, steps: [{test: {name: t, mails: {one: 1, two: 1}}}, {test: {name: t, mails: {one: 1, three: 1}}}]"
            )
        }
        #expect(
            problems.problems.map(\.description).contains {
                $0.hasSuffix("there are two tests called 't' in this sequence. Give each a name of its own.")
            }, "\(problems)")
    }

    @Test func `not: a lead that is tried for ever after it bounced`() async throws {
        let crm = try await begun()
        try crm.foreign("INSERT INTO suppressions (email, reason) VALUES ('ann@a.example', 'bounced')")
        crm.clock.advance(by: "1 day")
        for _ in 1...5 {
            try await crm.work()
            crm.clock.advance(by: "1 hour")
        }
        #expect(crm.transport.sent.count == 1)
        #expect(try crm.rows("SELECT count(*) FROM outbox_messages WHERE template = 'two'") == ["0"])
        #expect(try crm.enrolments == ["1|1|exited|lead.unsubscribed"])
    }

    @Test func `not: a mail to who left while it waited`() async throws {
        let crm = try DripSite.crm(Self.course)
        try crm.lead("ann@a.example")
        try crm.pump()
        #expect(try crm.rows("SELECT state FROM outbox_messages") == ["waiting"])
        try crm.record("course.left", lead: 1)
        try await crm.work()
        #expect(crm.transport.sent.isEmpty)
        #expect(
            try crm.rows("SELECT state, reason FROM outbox_messages") == [
                "cancelled|the sequence is over: course.left"
            ])
    }

    /// One row for each mail: a stop between two of them loses none and repeats none.
    @Test func `not: a restart that begins at the first, or leaves some out without a word`() async throws {
        let crm = try DripSite.crm(Self.course)
        for number in 1...250 { try crm.lead("l\(number)@a.example") }
        try crm.pump()
        // Stopped after one claim of a hundred.
        _ = try await Courier(crm.kernel, transport: crm.transport).round()
        #expect(crm.transport.sent.count == 100)
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.count == 250 && Set(crm.transport.sent.map(\.recipient)).count == 250)
    }

    @Test func `not: a sequence that stands still because one mail failed`() async throws {
        let crm = try await begun()
        crm.transport.answer { _ in .refused(because: "550 5.7.1 policy") }
        crm.clock.advance(by: "1 day")
        try await crm.work()
        #expect(try crm.enrolments == ["1|1|completed|"])
        #expect(try crm.troubles() == [])
    }

    @Test func `not: sequences that call each other for ever`() throws {
        let crm = try TestKernel(
            """
            plugins:
              drip:
                sequences:
                  a: {enter: {on: lead.created}, reentry: each time, steps: [{enter: b}]}
                  b: {enter: {on: lead.created}, reentry: each time, steps: [{enter: a}]}
            """, plugins: [DripSequencer.self], files: DripSite.files)
        try crm.lead("ann@a.example")
        try crm.pump()
        let enrolments = try crm.value("SELECT count(*) FROM drip_enrolments") ?? ""
        #expect(try #require(Int(enrolments)) < 40)
        #expect(try crm.value("SELECT count(*) FROM drip_enrolments WHERE failure LIKE '%depth_16%'") != "0")
        #expect(try crm.value("SELECT count(*) FROM parked_events") == "0")
    }

    @Test func `not: an import of leads that gets the mails of those who were there before`() async throws {
        let crm = try DripSite.crm("enter: {on: course.started}, steps: [{mail: one}]")
        for number in 1...20 { try crm.lead("l\(number)@a.example") }
        try crm.pump()
        let next = try crm.reopened(DripSite.yaml("enter: {on: lead.created}, steps: [{mail: one}]"))
        try await next.work()
        #expect(next.transport.sent.isEmpty)
    }
}
