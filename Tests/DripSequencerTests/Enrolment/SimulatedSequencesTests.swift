import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// Sequences and their tasks when a simulation lives through them.
@Suite struct SimulatedSequencesTests {
    private static let outreach = """
        enter: {on: lead.created}, exit: [course.bought], steps: [
        {task: {to: owner, kind: linkedin.connect, text: "Invite {{first_name|them}}", due: 2 days}},
        {wait_for: task.done, at_most: 5 days, then: [{mail: one}], else: [{task: {to: rita, kind: call, text: Ring}}]}]
        """.replacing("\n", with: " ")

    private func crm() throws -> TestKernel {
        let crm = try DripSite.crm(Self.outreach)
        try crm.capture(["email": "ann@a.example", "first_name": "Ann", "owner": "jonas"], consents: ["newsletter"])
        try crm.pump()
        return crm
    }

    @Test func `a task that is done leads on`() async throws {
        let done = try await crm().simulate(days: 10, ["task.done": (1, "6h")])
        #expect(try done.rows("SELECT kind, state FROM drip_tasks ORDER BY id") == ["linkedin.connect|done"])
        #expect(try done.rows("SELECT template FROM outbox_messages WHERE state = 'sent'") == ["one"])
        #expect(done.section("Sequences").first?.hasSuffix("|1|0|1|0|0|0") == true, "\(done.section("Sequences"))")
    }

    @Test func `a task of a hook is done with an event too`() async throws {
        let crm = try DripSite.crm(
            "enter: {on: course.started}, steps: [{mail: one}]",
            before:
                "hooks: {call: {on: lead.created, send: {task: {kind: call, text: Ring}, sql: \"SELECT lead_id, id AS event_id FROM batch\"}}}"
        )
        try crm.lead("ann@a.example")
        try crm.pump()
        let done = try await crm.simulate(days: 10, ["task.done": (1, "6h")])
        #expect(try done.rows("SELECT state FROM drip_tasks") == ["done"])
        #expect(
            try done.rows(
                "SELECT e.kind, e.lead_id, c.kind FROM events AS e LEFT JOIN events AS c ON c.id = e.cause_id WHERE e.kind = 'task.done'"
            ) == ["task.done|1|lead.created"])
    }

    @Test func `a task that nobody does leads elsewhere`() async throws {
        let done = try await crm().simulate(days: 10, ["task.done": (0, "6h")])
        #expect(
            try done.rows("SELECT kind, state FROM drip_tasks ORDER BY id") == ["linkedin.connect|open", "call|open"])
        #expect(try done.rows("SELECT template FROM outbox_messages WHERE state = 'sent'") == [])
    }

    @Test func `a step that would fail is told with the reason`() async throws {
        let crm = try DripSite.crm("enter: {on: lead.created}, steps: [{wait: 1 day}, {set: {stage: mql}}]")
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.foreign("UPDATE leads SET stage = 'sql'")
        let done = try await crm.simulate(days: 10, ["task.done": (0, "6h")])
        let why = done.section("Steps and conditions that fail")
        let reason = "a lead moves forward only: set the stage to recycled or disqualified first"
        #expect(why.count == 1 && why[0].hasSuffix("|1|\(reason)|1"), "\(why)")
    }

    @Test func `a condition that would fail is told with the leads it misses`() async throws {
        let condition = "json_extract(title, '$.a') = 1"
        let crm = try DripSite.crm("enter: {when: \"\(condition)\"}, steps: [{wait: 1 day}]")
        let done = try await crm.simulate(days: 1, ["task.done": (0, "6h")])
        #expect(done.section("Steps and conditions that fail") == [])
        try crm.lead("ann@a.example")
        try crm.foreign("UPDATE leads SET title = 'Head'")
        let failing = try await crm.simulate(days: 1, ["task.done": (0, "6h")])
        let why = failing.section("Steps and conditions that fail")
        #expect(why.count == 1 && why[0].hasSuffix("|\(condition)|malformed JSON|1"), "\(why)")
    }

    @Test func `who leaves early is counted with the reason`() async throws {
        let crm = try crm()
        // Not heard of yet when the simulated time begins.
        try crm.record("course.bought", lead: 1)
        let done = try await crm.simulate(days: 10, ["task.done": (0, "6h")])
        let why = done.section("Why sequences ended early")
        #expect(why.count == 1 && why[0].hasSuffix("|left|course.bought|1"), "\(why)")
    }
}
