import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct HookTrialTests {
    private static let yaml = """
        activities: {demo.booked: {minutes: integer}}
        hooks:
          dach:
            on: lead.created
            when: country = 'DE'
            sql: |
              UPDATE leads SET owner = 'dach' WHERE id IN (SELECT lead_id FROM batch);
              INSERT INTO touches (lead_id, at, kind) SELECT lead_id, at, 'manual' FROM batch;
            emit: {kind: demo.booked, sql: "SELECT lead_id, 5 AS minutes FROM batch"}
          no-rivals:
            filter: lead
            sql: SELECT 'competitor' WHERE :email LIKE '%@rival.example'
            set: SELECT 'EMEA' AS region WHERE :country = 'DE'
        """

    private func crm() throws -> TestKernel {
        let before = try TestKernel("activities: {demo.booked: {minutes: integer}}")
        try before.capture(["email": "a@acme.example", "country": "DE"])
        try before.capture(["email": "b@acme.example", "country": "FR"])
        try before.capture(["email": "spy@rival.example", "country": "FR"])
        try before.pump()
        self.first.append(before)
        return try before.reopened(HookTrialTests.yaml)
    }

    /// Keeps the folder of the first kernel as long as the test.
    private final class Kept { func append(_ crm: TestKernel) { all.append(crm) }; var all: [TestKernel] = [] }
    private let first = Kept()

    private func lines(_ table: Table) -> [String] {
        table.rows.map { $0.map { $0.text ?? "" }.joined(separator: "|") }
    }

    @Test func `it tells what a hook would do, row by row, and writes nothing`() throws {
        let crm = try crm()
        let log = try crm.lastEvent
        let cursor = try crm.rows("SELECT * FROM subscribers ORDER BY id")
        let outcome = try HookTrial(crm.kernel).run("dach", last: 100)
        #expect(outcome.looked == 3)
        #expect(lines(outcome.counts).contains("leads|0|1|0"))
        #expect(lines(outcome.counts).contains("touches|1|0|0"))
        #expect(lines(outcome.rows).filter { $0.hasPrefix("leads|") } == ["leads|1|owner NULL → 'dach'"])
        #expect(
            lines(outcome.rows).contains {
                $0.hasPrefix("touches|") && $0.contains("new: ") && $0.contains("kind 'manual'")
            })
        #expect(lines(outcome.rows).contains { $0.hasPrefix("events|") && $0.contains("kind 'demo.booked'") })

        #expect(try crm.lastEvent == log)
        #expect(try crm.rows("SELECT * FROM subscribers ORDER BY id") == cursor)
        #expect(try crm.rows("SELECT count(owner) FROM leads") == ["0"])
        #expect(try crm.rows("SELECT count(*) FROM touches WHERE kind = 'manual'") == ["0"])
        // It can be tried again, and the real one runs as before.
        #expect(try HookTrial(crm.kernel).run("dach", last: 100).looked == 3)
        try crm.capture(["email": "c@acme.example", "country": "DE"])
        try crm.pump()
        #expect(try crm.rows("SELECT owner FROM leads WHERE id = 4") == ["dach"])
    }

    @Test func `a row whose place is taken counts as deleted`() throws {
        let before = try crm()
        let crm = try before.reopened(
            "hooks: {again: {on: lead.created, at_most: 9, sql: INSERT OR REPLACE INTO leads (email) SELECT 'a@acme.example' FROM batch LIMIT 1}}"
        )
        let outcome = try HookTrial(crm.kernel).run("again", last: 1)
        #expect(lines(outcome.counts).contains("leads|1|0|1"), "\(lines(outcome.counts))")
        #expect(
            lines(outcome.rows).contains {
                $0.hasPrefix("leads|1|deleted: ") && $0.contains("email 'a@acme.example'")
                    || $0.hasPrefix("leads|1|deleted: ")
            })
        #expect(try crm.rows("SELECT count(*) FROM trash") == ["0"])
    }

    @Test func `of the newest events alone, where that is asked`() throws {
        let crm = try crm()
        let outcome = try HookTrial(crm.kernel).run("dach", last: 1)
        #expect(outcome.looked == 1)
        #expect(outcome.rows.rows.isEmpty)
    }

    @Test func `a filter is tried on the leads there are`() throws {
        let crm = try crm()
        let outcome = try HookTrial(crm.kernel).run("no-rivals", last: 10)
        #expect(outcome.looked == 3)
        #expect(lines(outcome.counts).sorted() == ["(changed)|1", "competitor|1"])
        #expect(lines(outcome.rows) == ["3|refused: competitor", "1|region NULL → \"EMEA\""])
        #expect(try crm.rows("SELECT count(region) FROM leads") == ["0"])
    }

    @Test func `a hook that 'trellis check' refuses is not run at all`() throws {
        let crm = try TestKernel(
            """
            hooks:
              evil: {enabled: false, filter: lead, set: "DELETE FROM leads RETURNING 'x' AS city", sql: COMMIT}
              other: {enabled: false, filter: lead, sql: "ATTACH 'other.sqlite' AS other"}
              nowhere: {enabled: false, on: no.such, sql: "UPDATE leads SET owner = 'x' WHERE id IN (SELECT lead_id FROM batch)"}
              fine: {filter: lead, sql: "SELECT 'no' WHERE 0"}
            """, checks: false)
        try crm.capture(["email": "a@acme.example"])
        for (hook, count) in [("evil", 2), ("other", 1), ("nowhere", 1)] {
            let error = #expect(throws: ConfigProblems.self) { try HookTrial(crm.kernel).run(hook, last: 10) }
            #expect(error?.problems.count == count, "\(hook): \(error.map { "\($0)" } ?? "")")
        }
        #expect(try crm.rows("SELECT count(*) FROM leads") == ["1"])
        #expect(!FileManager.default.fileExists(atPath: "other.sqlite"))
        // What another hook is like does not matter.
        #expect(try HookTrial(crm.kernel).run("fine", last: 10).looked == 1)
    }

    @Test(arguments: [
        (
            "greedy",
            "it wrote 9 rows, and at_most is 1 for one event. Nothing was kept. Raise at_most, or write fewer."
        ),
        ("nowhere", "country: expected a country such as DE or Germany"),
        ("endless", "it took longer than its time budget and was interrupted"),
    ])
    func `a hook that fails is named`(hook: String, sentence: String) throws {
        let before = try crm()
        let crm = try before.reopened(
            """
            hooks:
              greedy:
                on: lead.created
                at_most: 1
                sql: INSERT INTO touches (lead_id, at, kind) SELECT leads.id, at, 'greedy' FROM batch CROSS JOIN leads
              nowhere: {filter: lead, set: SELECT 'zz' AS country}
              endless:
                filter: lead
                sql: WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'no' WHERE (SELECT max(i) FROM n) < 0
            """)
        #expect(throws: KernelError.data("hooks.\(hook): \(sentence)")) {
            try HookTrial(crm.kernel).run(hook, last: 10)
        }
        #expect(try crm.rows("SELECT count(*) FROM touches WHERE kind = 'greedy'") == ["0"])
    }

    @Test func `the first rows are shown, and how many there are`() throws {
        let before = try TestKernel("")
        for number in 1...25 { try before.capture(["email": "a\(number)@acme.example"]) }
        let crm = try before.reopened(
            """
            hooks:
              own: {on: lead.created, sql: "UPDATE leads SET owner = 'ann' WHERE id IN (SELECT lead_id FROM batch)"}
              none: {filter: lead, sql: SELECT 'nobody'}
            """)
        for hook in ["own", "none"] {
            let outcome = try HookTrial(crm.kernel).run(hook, last: 100)
            #expect(outcome.rows.rows.count == 20)
            #expect(outcome.total == 25)
        }
    }

    @Test func `a filter of mails is tried on the outbox, and one of a plugin's drafts on nothing`() throws {
        let crm = try TestKernel(
            """
            hooks:
              quiet:
                filter: mail
                sql: SELECT 'not these' WHERE :template = 'welcome'
                set: SELECT 'receipt-2' AS template, 'Hi' AS greeting WHERE :template = 'receipt' AND :lead_id = 1
              nobody: {filter: audience, sql: SELECT 'no'}
            """)
        for (key, template) in [("a", "welcome"), ("b", "receipt"), ("c", "other")] {
            try crm.foreign(
                """
                INSERT INTO outbox_messages (key, origin, lead_id, template, ready_at, created_at)
                VALUES ('\(key)', 'test', 1, '\(template)', '2026-03-02 09:00:00.000', '2026-03-02 09:00:00.000')
                """)
        }
        let outcome = try HookTrial(crm.kernel).run("quiet", last: 10)
        #expect(outcome.looked == 3 && outcome.total == 2)
        #expect(outcome.counts.columns == ["reason", "mails"])
        #expect(lines(outcome.counts) == ["(changed)|1", "not these|1"])
        #expect(lines(outcome.rows) == ["2|template receipt → receipt-2, greeting → Hi", "1|refused: not these"])
        let error = #expect(throws: KernelError.self) { try HookTrial(crm.kernel).run("nobody", last: 10) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("only filters of leads and of mails can be tried"))
    }

    @Test func `an unknown name is told with what was meant`() throws {
        let crm = try crm()
        let error = #expect(throws: KernelError.self) { try HookTrial(crm.kernel).run("dahc", last: 1) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("Did you mean 'dach'? There are: dach, no-rivals."))
    }

    @Test func `the overview says what waits, and a hook can be moved`() throws {
        let crm = try crm()
        #expect(
            lines(try HookOverview(crm.kernel).table()) == ["dach|on|lead.created|0|0", "no-rivals|on|filter: lead||0"])
        try HookOverview(crm.kernel).move("dach", to: .first)
        #expect(lines(try HookOverview(crm.kernel).table()).first == "dach|on|lead.created|3|0")
        try crm.pump()
        #expect(try crm.rows("SELECT owner FROM leads ORDER BY id") == ["dach", "", ""])
        try HookOverview(crm.kernel).move("dach", to: .next)
        #expect(throws: KernelError.self) { try HookOverview(crm.kernel).move("no-rivals", to: .first) }
    }
}
