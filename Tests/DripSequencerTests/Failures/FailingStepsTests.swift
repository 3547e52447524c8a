import DripSequencer
import Synchronization
import Testing
import TrellisKernel
import TrellisTesting

/// What becomes of leads whose step fails, and of the others.
@Suite struct FailingStepsTests {
    private static func yaml(mark step: String) -> String {
        """
        leads: {fields: {budget: integer, notes: text}}
        activities: {it.went: {}, demo.done: {}}
        plugins:
          drip:
            sequences:
              nurture: {enter: {on: lead.created}, goal: demo.done, steps: [{mail: one}, {wait: 9 days}, {mail: two}]}
              mark: {enter: {on: it.went}, goal: demo.done, steps: [{wait: 1s}, \(step)]}
        """
    }

    /// Two leads in `nurture`, of whom the second is at the step of `mark`.
    private func site(mark step: String, spoilt sql: String? = nil) async throws -> TestKernel {
        let crm = try TestKernel(
            Self.yaml(mark: step), plugins: [DripSequencer.self], files: DripSite.files, checks: false)
        for name in ["ann", "bob"] { try crm.lead("\(name)@a.example") }
        try await crm.work()
        if let sql { try crm.foreign(sql) }
        try crm.record("it.went", lead: 2)
        try await crm.work()
        crm.clock.advance(by: "2s")
        return crm
    }

    private func stop(_ error: String) -> String {
        "step fails|mark, step 1 of version 1, lead 2|\(error): mend the step or the lead, then 'trellis sequences retry mark'; it is tried again by itself too"
    }

    private static let lots = "{set: {budget: lots}}"
    private static let isNoNumber = "cannot store TEXT value in INTEGER column leads.budget"

    @Test(arguments: [
        (
            "{set: {stage: mql}}", "UPDATE leads SET stage = 'sql' WHERE id = 2",
            "a lead moves forward only: set the stage to recycled or disqualified first",
            "UPDATE leads SET stage = 'recycled' WHERE id = 2"
        ),
        (
            "{if: \"json_extract(notes, '$.a') = 'x'\", then: [{mail: three}]}",
            "UPDATE leads SET notes = 'a word' WHERE id = 2", "malformed JSON",
            "UPDATE leads SET notes = '{}' WHERE id = 2"
        ),
        (
            "{set: {email: ann@a.example}}", "UPDATE leads SET city = 'Kiel' WHERE id = 2",
            "UNIQUE constraint failed: leads.email", "UPDATE leads SET email = 'ann@b.example' WHERE id = 1"
        ),
    ])
    func `one failing step holds up its lead alone, until the lead is put right`(
        _ step: String, _ spoil: String, _ error: String, _ mend: String
    ) async throws {
        let crm = try await site(mark: step, spoilt: spoil)
        try crm.record("demo.done", lead: 1)
        try crm.lead("cleo@a.example")
        try await crm.work()
        #expect(
            try crm.rows("SELECT sequence, lead_id, state, failed_step, failure FROM drip_enrolments ORDER BY id") == [
                "nurture|1|goal||", "nurture|2|active||", "mark|2|active|1|\(error)", "nurture|3|active||",
            ])
        #expect(try crm.rows("SELECT count(*) FROM parked_events") == ["0"])
        #expect(try crm.troubles() == [stop(error)])
        #expect(
            try crm.run("sequences show", "mark").last
                == "Step 1 fails for lead 2: \(error). It is tried again at 2026-03-02 09:01 UTC.\nAt once: trellis sequences retry mark"
        )

        crm.clock.advance(by: "9 days")
        try await crm.work()
        #expect(
            crm.transport.sent.map { "\($0.recipient) \($0.subject)" }.sorted() == [
                "ann@a.example Lesson one", "bob@a.example Lesson one", "bob@a.example Lesson two",
                "cleo@a.example Lesson one", "cleo@a.example Lesson two",
            ])
        #expect(try crm.troubles() == [stop(error)])

        try crm.foreign(mend)
        #expect(
            try crm.run("sequences retry", "mark") == [
                "The step of 1 lead is tried again once 'trellis work' or 'trellis serve' runs."
            ])
        try await crm.work()
        #expect(
            try crm.rows(
                "SELECT state, failure, failed_step, failing_since, failures FROM drip_enrolments WHERE sequence = 'mark'"
            )
                == ["completed||||0"])
        #expect(try crm.rows("SELECT count(*) FROM parked_events") == ["0"])
        #expect(try crm.troubles() == [])
        #expect(throws: KernelError.data("No step and no condition of mark fails.")) {
            try crm.run("sequences retry", "mark")
        }
    }

    @Test func `who fails in old steps goes on with those that were mended, also where all others keep theirs`()
        async throws
    {
        let crm = try await site(mark: Self.lots)
        try await crm.work()
        #expect(try crm.troubles() == [stop(Self.isNoNumber)])
        let next = try crm.reopened(Self.yaml(mark: "{set: {budget: 5}}"))
        #expect(
            try next.run("sequences plan").prefix(2) == [
                "mark|version 2||0|keep their steps",
                "mark|move|1: set budget = lots|1|1: set budget = 5 (their step fails)",
            ])
        try await Worker(next.kernel, transport: next.transport).runUntilIdle()
        #expect(
            try next.rows("SELECT version, state, failures FROM drip_enrolments WHERE sequence = 'mark'") == [
                "2|completed|0"
            ])
        #expect(try next.rows("SELECT budget FROM leads WHERE id = 2") == ["5"])
        #expect(try next.troubles() == [])
    }

    @Test func `the goal is heard for a lead whose step fails`() async throws {
        let crm = try await site(mark: Self.lots)
        try await crm.work()
        try crm.record("demo.done", lead: 2)
        try await crm.work()
        #expect(
            try crm.rows("SELECT state, reason, failures FROM drip_enrolments WHERE sequence = 'mark'") == [
                "goal|demo.done|0"
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `a failing step is tried again after a minute, then after sixteen, and not in between`() throws {
        let crm = try TestKernel(
            """
            leads: {fields: {budget: integer}}
            plugins: {drip: {sequences: {mark: {enter: {on: lead.created}, steps: [\(Self.lots)]}}}}
            """, plugins: [DripSequencer.self], checks: false)
        func state() throws -> [String] {
            try crm.rows("SELECT lead_id, failures, due_at FROM drip_enrolments ORDER BY id")
        }
        try crm.lead("ann@a.example")
        try crm.pump()
        crm.clock.advance(by: "30s")
        try crm.lead("bob@a.example")
        try crm.pump()
        #expect(try state() == ["1|1|2026-03-02 09:01:00.000", "2|1|2026-03-02 09:01:30.000"])
        crm.clock.advance(by: "30s")
        try crm.pump()
        #expect(try state() == ["1|2|2026-03-02 09:17:00.000", "2|1|2026-03-02 09:01:30.000"])
        #expect(
            try crm.rows("SELECT DISTINCT failing_since FROM drip_enrolments WHERE lead_id = 1") == [
                "2026-03-02 09:00:00.000"
            ])
    }

    @Test func `of many that are due those that fail are found in few statements, and all others go on`() throws {
        let crm = try TestKernel(
            "plugins: {drip: {sequences: {mark: {enter: {on: lead.created}, steps: [{wait: 1 day}, {set: {stage: mql}}]}}}}",
            plugins: [DripSequencer.self])
        try fill(crm, 4000)
        try crm.foreign("UPDATE leads SET stage = 'sql' WHERE id IN (7, 700, 701, 3999)")
        try crm.pump()
        crm.clock.advance(by: "1 day")
        let count = Mutex(0)
        try crm.kernel.write(origin: "test") { tx in
            tx.db.trace { event in
                // What a trigger does for each row is traced as a comment.
                if case .statement(let statement) = event, !statement.sql.hasPrefix("--") {
                    count.withLock { $0 += 1 }
                }
            }
        }
        try crm.pump()
        try crm.kernel.write(origin: "test") { tx in tx.db.trace(options: []) }
        #expect(
            try crm.rows("SELECT state, count(*) FROM drip_enrolments GROUP BY state") == [
                "active|4", "completed|3996",
            ])
        #expect(
            try crm.rows("SELECT lead_id FROM drip_enrolments WHERE failures = 1 ORDER BY lead_id") == [
                "7", "700", "701", "3999",
            ])
        #expect(try crm.rows("SELECT count(*) FROM leads WHERE stage = 'mql'") == ["3996"])
        #expect(try crm.rows("SELECT count(*) FROM events WHERE kind = 'drip.completed'") == ["3996"])
        #expect(try crm.rows("SELECT count(*) FROM parked_events") == ["0"])
        #expect((1..<4000).contains(count.withLock { $0 }), "fewer statements than leads")
    }

    @Test func `where a step fails for everybody, all are set aside, a hundred in a transaction`() throws {
        let crm = try TestKernel(
            """
            leads: {fields: {budget: integer}}
            plugins: {drip: {sequences: {mark: {enter: {on: lead.created}, steps: [{wait: 1 day}, \(Self.lots)]}}}}
            """, plugins: [DripSequencer.self], checks: false)
        try fill(crm, 250)
        try crm.pump()
        crm.clock.advance(by: "1 day")
        let before = try crm.lastEvent
        try crm.pump()
        #expect(
            try crm.rows("SELECT count(*), min(failures), max(failures) FROM drip_enrolments WHERE failures > 0") == [
                "250|1|1"
            ])
        #expect(try crm.events(after: before) == ["drip.due", "drip.due", "drip.due"])
    }

    private func fill(_ crm: TestKernel, _ count: Int) throws {
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
                    INSERT INTO leads (email) SELECT 'l' || i || '@a.example' FROM n
                    """)
        }
    }
}
