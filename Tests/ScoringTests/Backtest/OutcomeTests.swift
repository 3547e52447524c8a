import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// What leads came to, and when.
@Suite struct OutcomeTests {
    @Test func `it is read as people write it`() throws {
        #expect(try Outcome("stage:customer") == .stage("customer"))
        #expect(try Outcome("opportunity:won") == .won)
        #expect(try Outcome("column:converted=1") == .column("converted", value: "1"))
        #expect(try Outcome("column:converted") == .column("converted", value: "1"))
        #expect(try Outcome("column:plan=a=b") == .column("plan", value: "a=b"))
        for text in ["stage:customer", "opportunity:won", "column:plan=gold"] {
            #expect(try Outcome(text).text == text)
        }
    }

    @Test(arguments: ["", "stage:", "customer", "opportunity:lost", "column:", "column:=1", "colum:x=1"])
    func `anything else is refused`(_ text: String) {
        #expect(
            throws: KernelError.usage(
                "--outcome: expected stage:NAME, opportunity:won or column:NAME=VALUE, got '\(text)'.")
        ) { try Outcome(text) }
    }

    @Test func `a stage or a column that is not there is refused with the near miss`() throws {
        let crm = try TestKernel("leads: {fields: {converted: integer}}", plugins: [Scoring.self])
        #expect(
            throws: KernelError.usage(
                "There is no stage 'custmer'. Did you mean 'customer'? There are: subscriber, lead, mql, sal, sql, opportunity, customer, recycled, disqualified."
            )
        ) { try crm.kernel.read { try Outcome("stage:custmer").check($0) } }
        #expect(throws: KernelError.usage("leads has no column 'convertd'. Did you mean 'converted'?")) {
            try crm.kernel.read { try Outcome("column:convertd=1").check($0) }
        }
        try crm.kernel.read { try Outcome("column:converted").check($0) }
    }

    private func outcomes(_ crm: TestKernel, _ scope: OutcomeScope) throws -> [String] {
        try crm.kernel.read { db in
            let rows = try Row.fetchAll(
                db,
                sql:
                    "\(scope.with) SELECT outcome_lead, outcome_met, outcome_until, outcome_undated FROM outcomes ORDER BY 1",
                arguments: scope.arguments)
            return MadeCRM.lines(Table(columns: [], rows))
        }
    }

    @Test func `a stage is reached at its first entry, or by skipping it, or by coming with it`() throws {
        let crm = try TestKernel(plugins: [Scoring.self])
        for name in ["ann", "bob", "cleo", "dan"] { try crm.capture(["email": "\(name)@a.example"]) }
        crm.clock.advance(by: "1 day")
        try crm.foreign("UPDATE leads SET stage = 'sal' WHERE id = 1")
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET stage = 'sql' WHERE id = 2")
        }
        crm.clock.advance(by: "1 day")
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(sql: "UPDATE leads SET stage = 'customer' WHERE id = 2")
            try $0.db.execute(sql: "UPDATE leads SET stage = 'disqualified' WHERE id = 3")
            try $0.db.execute(
                sql:
                    "INSERT INTO leads (email, stage, created_at) VALUES ('eve@a.example', 'customer', '2026-03-01 00:00:00.000')"
            )
        }
        #expect(
            try outcomes(crm, MadeCRM.scope("stage:sql")) == [
                "1|0||0", "2|1|2026-03-03 09:00:00.000|0", "3|0||0", "4|0||0", "5|1||1",
            ])
        #expect(
            try outcomes(crm, MadeCRM.scope("stage:disqualified")).map { $0.prefix(3) } == [
                "1|0", "2|0", "3|1", "4|0", "5|0",
            ])
    }

    @Test func `as of a day, who had got there is left out, and who came later too`() throws {
        let crm = try TestKernel(plugins: [Scoring.self])
        for name in ["ann", "bob", "cleo"] { try crm.capture(["email": "\(name)@a.example"]) }
        for (day, lead) in [("1 day", 1), ("2 days", 2)] {
            crm.clock.advance(by: day)
            try crm.kernel.write(origin: "cli") {
                try $0.db.execute(sql: "UPDATE leads SET stage = 'customer' WHERE id = ?", arguments: [lead])
            }
        }
        try crm.capture(["email": "late@a.example"])
        let until = "2026-03-04 00:00:00.000"
        #expect(
            try outcomes(crm, MadeCRM.scope("stage:customer", asOf: until)) == ["2|1|\(until)|0", "3|0|\(until)|0"])
        #expect(
            try outcomes(crm, MadeCRM.scope("stage:customer", cameBefore: "2026-03-04 00:00:00.000")).count == 3)
    }

    @Test func `a deal won is found by its lead or by its contact, and an open one tells nothing yet`() throws {
        let crm = try TestKernel(plugins: [Scoring.self])
        for name in ["ann", "bob", "cleo", "dan"] { try crm.capture(["email": "\(name)@a.example"]) }
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(
                sql: """
                    INSERT INTO contacts (id, email) VALUES (7, 'bob@a.example');
                    UPDATE leads SET contact_id = 7 WHERE id = 2;
                    INSERT INTO opportunities (lead_id, contact_id, stage, closed_at) VALUES
                        (1, NULL, 'won', '2026-04-02'), (1, NULL, 'won', '2026-05-02'), (NULL, 7, 'won', '2026-04-05'),
                        (3, NULL, 'open', NULL), (4, NULL, 'lost', '2026-04-09');
                    """)
        }
        #expect(
            try outcomes(crm, MadeCRM.scope("opportunity:won")) == ["1|1|2026-04-02|0", "2|1|2026-04-05|0", "4|0||0"])
    }

    @Test func `a column that is empty tells nothing`() throws {
        let crm = try TestKernel("leads: {fields: {plan: text}}", plugins: [Scoring.self])
        try crm.capture(["email": "ann@a.example", "plan": "gold"])
        try crm.capture(["email": "bob@a.example", "plan": "O'Neill"])
        try crm.capture(["email": "cleo@a.example"])
        #expect(try outcomes(crm, MadeCRM.scope("column:plan=O'Neill")) == ["1|0||0", "2|1||1"])
    }
}
