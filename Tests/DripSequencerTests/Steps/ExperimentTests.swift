import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import DripSequencer

/// Tests of mails on the rows.
@Suite struct ExperimentTests {
    private static func yaml(_ test: String, _ extra: String = "") -> String {
        DripSite.yaml(
            "enter: {on: lead.created}, goal: course.bought, \(extra)steps: [{test: {name: t, \(test)}}, {wait: 1 day}]"
        )
    }

    private func crm(_ test: String, leads: Int, _ extra: String = "") throws -> TestKernel {
        let crm = try TestKernel(Self.yaml(test, extra), plugins: [DripSequencer.self], files: DripSite.files)
        try add(leads, to: crm)
        try crm.pump()
        return crm
    }

    private func add(_ leads: Int, to crm: TestKernel) throws {
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: """
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(leads))
                    INSERT INTO leads (email) SELECT 'l' || (i + (SELECT count(*) FROM leads)) || '@a.example' FROM n
                    """)
        }
    }

    private func arms(_ crm: TestKernel) throws -> [String: Int] {
        try crm.kernel.read { db in
            try Row.fetchAll(db, sql: "SELECT arm, count(*) FROM drip_arms GROUP BY arm").reduce(into: [:]) {
                $0[$1[0]] = $1[1]
            }
        }
    }

    /// Lets a share of the leads of each arm reach the goal, and looks when the time for it is over.
    private func outcomes(_ crm: TestKernel, one: Int, two: Int) throws {
        try crm.pump()
        crm.clock.advance(by: "1 hour")
        try crm.kernel.write(origin: "cli") { tx in
            for (arm, percent) in [("one", one), ("two", two)] {
                try tx.emit(
                    "course.bought",
                    forEach: """
                        SELECT lead_id, NULL AS cause_id, '{}' AS body FROM drip_arms
                        WHERE arm = '\(arm)' AND converted_at IS NULL AND lead_id % 100 < \(percent)
                        """)
            }
        }
        try crm.pump()
        crm.clock.advance(by: "15 days")
        try crm.pump()
    }

    @Test func `every lead gets one mail by its arm, the holdout none, and all keep their arm`() throws {
        let crm = try crm("mails: {one: 1, two: 3}, holdout: 20%", leads: 4000)
        let arms = try arms(crm)
        #expect((700...900).contains(arms[""] ?? 0))
        #expect((720...880).contains(arms["one"] ?? 0))
        #expect(arms.values.reduce(0, +) == 4000)
        #expect(
            try crm.rows(
                """
                SELECT count(*) FROM drip_arms AS a LEFT JOIN outbox_messages AS m ON m.lead_id = a.lead_id
                WHERE coalesce(m.template, '') <> a.arm
                """) == ["0"])
        #expect(try crm.rows("SELECT count(*) FROM outbox_messages GROUP BY lead_id HAVING count(*) > 1") == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `who comes again is in the same arm, whatever the shares are by then`() throws {
        let crm = try crm("mails: {one: 1, two: 1}", leads: 300, "reentry: each time, ")
        let before = try crm.rows("SELECT lead_id, arm FROM drip_arms ORDER BY lead_id")
        #expect(
            try crm.run("sequences winner", "course", "t", "two").first
                == "From now on two is sent. Who has an arm keeps it.")
        crm.clock.advance(by: "2 days")
        try crm.pump()
        try crm.kernel.write(origin: "cli") { tx in
            try tx.emit(
                "drip.invited",
                forEach: "SELECT id AS lead_id, NULL AS cause_id, '{\"sequence\":\"course\"}' AS body FROM leads")
        }
        try add(200, to: crm)
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id, arm FROM drip_arms WHERE lead_id <= 300 ORDER BY lead_id") == before)
        #expect(try crm.rows("SELECT DISTINCT arm FROM drip_arms WHERE lead_id > 300") == ["two"])
        #expect(try crm.rows("SELECT DISTINCT decided_by, sum(is_winner) FROM drip_arm_shares") == ["a person|1"])
    }

    @Test func `a better mail is found, said in a sentence, and sent from then on`() throws {
        let crm = try crm("mails: {one: 1, two: 1}, within: 14 days", leads: 3000)
        try outcomes(crm, one: 8, two: 20)
        let verdict = try #require(try crm.value("SELECT verdict FROM drip_tests WHERE arm = 'two'"))
        #expect(verdict.hasPrefix("two beats one, ") && verdict.contains(" sure ("))
        #expect(
            try crm.rows("SELECT arm, is_winner, decided_by, share_percent FROM drip_tests ORDER BY arm") == [
                "one|0|test|0.0", "two|1|test|100.0",
            ])
        try add(100, to: crm)
        try crm.pump()
        #expect(try crm.rows("SELECT DISTINCT arm FROM drip_arms WHERE lead_id > 3000") == ["two"])
        let shown = try crm.run("sequences tests")
        #expect(shown.count == 2 && shown[1].contains("winner: two beats one"))
    }

    @Test func `an outcome counts within its time, for its arm, and after the arm was given`() throws {
        let crm = try crm("mails: {one: 1, two: 1}, optimise: clicks, within: 2 days", leads: 4)
        func click(_ lead: Int, _ mail: String) throws {
            try crm.kernel.write(origin: "kernel") { tx in
                try tx.emit(
                    "mail.clicked",
                    forEach: "SELECT :lead AS lead_id, NULL AS cause_id, json_object('mail', :mail) AS body",
                    arguments: ["lead": lead, "mail": mail])
            }
        }
        let arms = try crm.rows("SELECT arm FROM drip_arms ORDER BY lead_id")
        try click(1, arms[0])
        try click(2, arms[1] == "one" ? "two" : "one")
        try click(3, "three")
        try crm.pump()
        crm.clock.advance(by: "49 hours")
        try click(4, arms[3])
        try crm.pump()
        #expect(try crm.rows("SELECT lead_id FROM drip_arms WHERE converted_at IS NOT NULL") == ["1"])
    }

    @Test func `while too little is known it says so, and asks again`() throws {
        let crm = try crm("mails: {one: 1, two: 1}", leads: 40)
        crm.clock.advance(by: "1 hour")
        try crm.pump()
        #expect(try crm.value("SELECT verdict FROM drip_tests")?.hasPrefix("too early to say: ") == true)
        #expect(try crm.rows("SELECT kind FROM scheduled_events WHERE kind = 'drip.judgement_due'").count == 1)
        #expect(try crm.rows("SELECT share_percent FROM drip_tests") == ["50.0", "50.0"])
    }

    @Test func `what is no test or no mail of it cannot win`() throws {
        let crm = try crm("mails: {one: 1, two: 1}", leads: 1)
        #expect(throws: KernelError.usage("course has no test 'u'. There are: t.")) {
            try crm.run("sequences winner", "course", "u", "one")
        }
        #expect(
            throws: KernelError.usage("'tow' is no mail of this test. Did you mean 'two'? There are: one, two.")
        ) { try crm.run("sequences winner", "course", "t", "tow") }
    }

    @Test func `a test towards a goal needs a goal, and two mails`() {
        for sequence in [
            "enter: {on: lead.created}, steps: [{test: {mails: {one: 1, two: 1}}}]",
            "enter: {on: lead.created}, goal: course.bought, steps: [{test: {mails: {one: 1}}}]",
            "enter: {on: lead.created}, goal: course.bought, steps: [{test: {mails: {one: 0, two: 0}}}]",
            "enter: {on: lead.created}, goal: course.bought, steps: [{test: {mails: {one: 1, two: 1}, holdout: 95%}}]",
        ] {
            #expect(throws: ConfigProblems.self) { try DripSite.crm(sequence) }
        }
    }
}
