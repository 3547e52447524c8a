import Testing
import TrellisKernel
import TrellisTesting

@testable import DripSequencer

/// Leads that leave with what still waits for them.
@Suite struct DepartureTests {
    private static let course =
        "enter: {on: course.started}, exit: [{on: course.left}], steps: [{mail: one}, {task: {text: Ring, kind: call}}, {wait: 2 days}, {mail: two}]"

    /// `lead|key|state`
    private func messages(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT lead_id, key, state FROM outbox_messages ORDER BY id")
    }

    private func started(_ emails: String...) throws -> TestKernel {
        let crm = try DripSite.crm(Self.course)
        for email in emails { try crm.record("course.started", lead: crm.lead(email)) }
        try crm.pump()
        return crm
    }

    // MARK: - Merged leads

    @Test func `the mail of a lead that became another is taken back when that one leaves`() throws {
        let crm = try DripSite.crm(Self.course)
        let (kept, gone) = (try crm.lead("ann@a.example"), try crm.lead("ann@b.example"))
        try crm.record("course.started", lead: gone)
        try crm.pump()
        try crm.kernel.write(origin: "cli") { try $0.merge(gone, into: kept) }
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, state FROM drip_enrolments") == ["1|active"])
        try crm.record("course.left", lead: kept)
        try crm.pump()
        #expect(try messages(crm) == ["1|drip:course:1:lead 2:cycle 1|cancelled"])
        #expect(try crm.rows("SELECT lead_id, state FROM drip_tasks") == ["1|withdrawn"])
        #expect(try crm.troubles() == [])
    }

    @Test func `of two leads that became one, both in it, one mail is left`() throws {
        let crm = try started("ann@a.example", "ann@b.example")
        try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        try crm.pump()
        #expect(try crm.rows("SELECT id, state FROM drip_enrolments ORDER BY id") == ["1|active", "2|exited"])
        #expect(
            try messages(crm) == ["1|drip:course:1:lead 1:cycle 1|waiting", "1|drip:course:1:lead 2:cycle 1|cancelled"])
        #expect(try crm.rows("SELECT enrolment_id, state FROM drip_tasks ORDER BY id") == ["1|open", "2|withdrawn"])
    }

    @Test func `two that came by the same event are told apart by their keys`() throws {
        let crm = try started("ann@a.example", "ann@b.example")
        try crm.foreign("UPDATE drip_enrolments SET event_id = 1")
        try crm.foreign("UPDATE outbox_messages SET cause_id = 1")
        try crm.kernel.write(origin: "cli") { try $0.merge(2, into: 1) }
        try crm.pump()
        #expect(
            try messages(crm) == ["1|drip:course:1:lead 1:cycle 1|waiting", "1|drip:course:1:lead 2:cycle 1|cancelled"])
    }

    @Test func `the messages of an enrolment are found by an index of leads`() throws {
        let crm = try started()
        try crm.kernel.write(origin: "cli") { tx in
            let plan = try Row.fetchAll(
                tx.db,
                sql: "EXPLAIN QUERY PLAN \(Departure.messages(of: "SELECT id FROM drip_enrolments WHERE id = 1"))"
            )
            .map { $0["detail"] as String }
            #expect(plan.contains { $0.contains("outbox_messages_by_lead") }, "\(plan)")
            #expect(!plan.contains { $0.hasPrefix("SCAN") && !$0.contains("CONSTANT") }, "\(plan)")
        }
    }

    // MARK: - Sequences that are gone

    private static let renamed = """
        activities: {course.started: {plan: text}, course.left: {}, course.bought: {}}
        plugins: {drip: {sequences: {lessons: {enter: {on: course.bought}, steps: [{mail: one}]}}}}
        """

    private func begin(_ crm: TestKernel) throws {
        try crm.kernel.write(origin: "plugin:drip") { tx in
            for plugin in crm.kernel.plugins { try plugin.begin(since: nil, tx) }
        }
    }

    @Test func `leads of a sequence that the config has no more leave it, with an event and what waits for them`()
        throws
    {
        let crm = try started("ann@a.example", "bob@a.example")
        let next = try crm.reopened(Self.renamed)
        #expect(
            try next.run("sequences plan").first == "course|not in the config||2|leave the sequence")
        #expect(
            try next.run("sequences show", "course").last
                == "course is not in the config any more. 2 leads were in it. 2 are still, and leave when 'trellis work' or 'trellis serve' starts."
        )
        let before = try next.lastEvent
        try begin(next)
        #expect(try next.enrolments == ["1|1|exited|sequence.removed", "2|1|exited|sequence.removed"])
        #expect(
            try next.rows("SELECT lead_id, kind, body FROM events WHERE id > \(before) ORDER BY id") == [
                #"1|drip.dismissed|{"sequence":"course"}"#, #"2|drip.dismissed|{"sequence":"course"}"#,
            ])
        #expect(
            try next.rows("SELECT DISTINCT state, reason FROM outbox_messages") == [
                "cancelled|the sequence is over: sequence.removed"
            ])
        #expect(try next.rows("SELECT DISTINCT state FROM drip_tasks") == ["withdrawn"])
        #expect(
            try next.run("sequences show", "course").last
                == "course is not in the config any more. 2 leads were in it. 2 of them left when it was taken out. The last left on 2026-03-02."
        )
        try begin(next)
        try next.pump()
        #expect(try next.lastEvent == before + 2)
        #expect(throws: KernelError.self) { try next.run("sequences show", "curse") }
        #expect(try next.troubles() == [])
    }

    @Test func `a predicate of a sequence that went is forgotten, so that it begins anew`() throws {
        let crm = try DripSite.crm("enter: {when: \"title = 'Head'\"}, steps: [{mail: one}]")
        try crm.lead("ann@a.example", "Head")
        try crm.pump()
        let next = try crm.reopened(Self.renamed)
        try begin(next)
        #expect(
            try next.rows("SELECT (SELECT count(*) FROM drip_watches), (SELECT count(*) FROM drip_matches)") == ["0|0"])
    }

    @Test func `who was to come into a sequence that is not there is told of in the log`() throws {
        let crm = try started("ann@a.example")
        for body in [#"{"into":"second-sprung"}"#, "{}"] {
            try crm.foreign(
                "INSERT INTO events (kind, lead_id, origin, at, body) VALUES ('lead.recycled', 1, 'plugin:handoff', '2026-03-02', '\(body)')"
            )
        }
        try crm.pump()
        #expect(
            try crm.rows("SELECT lead_id, body FROM events WHERE kind = 'drip.kept_out'") == [
                #"1|{"sequence":"second-sprung","by":"config"}"#
            ])
    }
}
