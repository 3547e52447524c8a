import DripSequencer
import Testing
import TrellisKernel
import TrellisTesting

/// What a sequence gives people to do.
@Suite struct TaskStepTests {
    private static let outreach = """
        enter: {on: lead.created}, exit: [course.bought], steps: [
        {task: {to: owner, kind: linkedin.connect, text: "Invite {{first_name|them}}", due: 2 days}},
        {wait_for: task.done, at_most: 5 days, then: [{mail: one}], else: [{task: {to: rita, kind: call, text: Ring}}]}]
        """.replacing("\n", with: " ")

    private func crm() throws -> TestKernel {
        let crm = try DripSite.crm(Self.outreach)
        try crm.capture(["email": "ann@a.example", "first_name": "Ann", "owner": "jonas"], consents: ["newsletter"])
        try crm.lead("bob@a.example")
        try crm.pump()
        return crm
    }

    @Test func `a task is a row for a person, with its day and the text for the lead as it is`() throws {
        let crm = try crm()
        #expect(
            try crm.run("tasks") == [
                "1|linkedin.connect|jonas|1|2026-03-04 09:00|Invite Ann",
                "2|linkedin.connect|nobody yet|2|2026-03-04 09:00|Invite them",
            ])
        try crm.foreign("UPDATE leads SET first_name = 'Bobby', owner = 'jonas' WHERE id = 2")
        crm.clock.advance(by: "3 days")
        #expect(
            try crm.run("tasks", options: ["to": "jonas", "lead": "bob@a.example"]) == [
                "2|linkedin.connect|jonas|2|2026-03-04 09:00 (overdue)|Invite Bobby"
            ])
        #expect(
            try crm.rows("SELECT text_template FROM drip_tasks")
                == Array(repeating: "Invite {{first_name|them}}", count: 2))
        #expect(try crm.events().filter { $0 == "task.created" }.count == 2)
        #expect(
            try crm.kernel.ask(LeadCard(leadID: 1))[0].contains { $0.label == "task" && $0.text.contains("Invite Ann") }
        )
    }

    @Test func `the sequence goes on when it is done, and another way when the time is up`() throws {
        let crm = try crm()
        #expect(try crm.run("tasks done", "1", options: ["outcome": "connected"]) == ["Task 1 is done."])
        try crm.pump()
        #expect(try crm.keys == ["drip:course:2.then.1:lead 1:cycle 1"])
        #expect(
            try crm.rows("SELECT body FROM events WHERE kind = 'task.done'") == [
                #"{"task":1,"task_kind":"linkedin.connect","outcome":"connected"}"#
            ])
        crm.clock.advance(by: "5 days")
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, kind, assignee, state FROM drip_tasks ORDER BY id") == [
                "1|linkedin.connect||done", "2|linkedin.connect||open", "2|call|rita|open",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `what is closed or never was cannot be closed`() throws {
        let crm = try crm()
        try crm.run("tasks skip", "1")
        #expect(throws: KernelError.data("Task 1 is skipped already.")) { try crm.run("tasks done", "1") }
        #expect(throws: KernelError.data("There is no task 9. See 'trellis tasks'.")) { try crm.run("tasks done", "9") }
        #expect(throws: KernelError.usage("A task is known by its number, not 'x'. See 'trellis tasks'.")) {
            try crm.run("tasks done", "x")
        }
    }

    @Test func `who leaves the sequence takes the tasks along`() throws {
        let crm = try crm()
        try crm.record("course.bought", lead: 1)
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, state FROM drip_tasks") == ["1|withdrawn", "2|open"])
        #expect(try crm.troubles() == [])
    }

    @Test func `a variable that is no column is an error of the config`() {
        #expect(throws: ConfigProblems.self) {
            try DripSite.crm("enter: {on: lead.created}, steps: [{task: {text: \"Ring {{frist_name}}\"}}]")
        }
    }
}
