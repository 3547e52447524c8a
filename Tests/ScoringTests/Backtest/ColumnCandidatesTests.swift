import Testing
import TrellisKernel
import TrellisTesting

@testable import Scoring

/// Rules that columns make.
@Suite struct ColumnCandidatesTests {
    private func conditions(_ crm: TestKernel, _ columns: [String], leadsMin: Int = 20) throws -> [String] {
        try crm.kernel.read {
            try ColumnCandidates(scope: MadeCRM.scope("column:converted"), leadsMin: leadsMin, db: $0).conditions(
                columns
            ).map { "\($0.name): \($0.when)" }
        }
    }

    private func columns(_ crm: TestKernel, _ names: [String]?, _ outcome: String = "column:converted") throws
        -> [String]
    {
        try crm.kernel.read {
            try ColumnCandidates(scope: MadeCRM.scope(outcome), leadsMin: 20, db: $0).columns(named: names)
        }
    }

    @Test func `values that enough leads share, readable cuts, and nothing known`() throws {
        let crm = try MadeCRM.make()
        try crm.foreign(
            """
            UPDATE leads SET visits = id % 10, source = CASE WHEN id <= 300 THEN 'web' WHEN id <= 470 THEN 'fair' ELSE 'O''Neill''s list' END
            """)
        #expect(
            try conditions(crm, ["source", "visits", "wants_mail"]) == [
                "source-web: source = 'web'", "source-fair: source = 'fair'",
                "source-o-neill-s-list: source = 'O''Neill''s list'", "visits-from-1: visits >= 1",
                "visits-from-2: visits >= 2",
                "visits-from-3: visits >= 3", "visits-from-4: visits >= 4", "visits-from-5: visits >= 5",
                "visits-from-6: visits >= 6", "visits-from-7: visits >= 7", "visits-from-8: visits >= 8",
                "visits-from-9: visits >= 9",
                "wants-mail: wants_mail = 1",
            ])
        let budget = try conditions(crm, ["budget"])
        #expect(budget.last == "no-budget: budget IS NULL")
        #expect(budget.count == 10)
        #expect(try conditions(crm, ["source"], leadsMin: 1000) == [])
    }

    @Test func `a number that is 0 for nearly everybody has one cut`() throws {
        let crm = try MadeCRM.make()
        try crm.foreign("UPDATE leads SET visits = CASE WHEN id <= 30 THEN 3 ELSE 0 END")
        #expect(try conditions(crm, ["visits"]) == ["visits-from-3: visits >= 3"])
        #expect(try conditions(crm, ["visits"], leadsMin: 40) == [])
    }

    @Test func `an address, a number of a telephone and a long text are no choice`() throws {
        let crm = try MadeCRM.make()
        try crm.kernel.write(origin: "cli") {
            try $0.db.execute(
                sql: """
                    UPDATE leads SET campaign = CASE id % 5 WHEN 0 THEN 'ann@a.example' WHEN 1 THEN '+49 3012345678' WHEN 2 THEN ?
                                                WHEN 3 THEN 'two' || char(10) || 'lines' ELSE 'spring' END
                    """, arguments: [String(repeating: "word ", count: 30)])
        }
        #expect(try conditions(crm, ["campaign"]) == ["campaign-spring: campaign = 'spring'"])
    }

    @Test func `by default neither persons, nor what sales wrote, nor the outcome is looked at`() throws {
        let found = try columns(MadeCRM.make(leads: 1), nil)
        let never = ["email", "first_name", "last_name", "phone", "external_id", "stage", "owner", "id", "converted"]
        #expect(Set(found).isDisjoint(with: never))
        #expect(Set(found).isSuperset(of: ["source", "country", "title", "visits", "wants_mail"]))
    }

    @Test func `columns that no rule may read are refused`() throws {
        let crm = try MadeCRM.make(leads: 1)
        #expect(throws: KernelError.usage("leads has no column 'sorce'. Did you mean 'source'?")) {
            try columns(crm, ["visits", "sorce"])
        }
        #expect(
            throws: KernelError.usage(
                "--columns: 'email' tells who somebody is; a rule from it would be about one person. Leave it out.")
        ) { try columns(crm, ["email"]) }
        #expect(
            throws: KernelError.usage(
                "--columns: 'owner' follows from what sales did or from when the row was written, not from what the lead is. Leave it out."
            )
        ) { try columns(crm, ["owner"]) }
        #expect(throws: KernelError.usage("--columns: 'converted' is the outcome itself. Leave it out.")) {
            try columns(crm, ["converted"])
        }
        #expect(try columns(crm, ["company"]) == ["company"])
    }

    @Test func `a column changed after the outcome is found in the log`() throws {
        let crm = try TestKernel("leads: {fields: {tags: text, hobby: text}}", plugins: [Scoring.self])
        for number in 1...6 { try crm.capture(["email": "lead\(number)@a.example"]) }
        for sql in [
            "UPDATE leads SET hobby = 'chess' WHERE id <= 3", "UPDATE leads SET stage = 'customer' WHERE id <= 3",
            "UPDATE leads SET tags = 'closed' WHERE id <= 4",
        ] {
            crm.clock.advance(by: "1 hour")
            try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: sql) }
        }
        let changed = try crm.kernel.read {
            try ColumnCandidates(scope: MadeCRM.scope("stage:customer"), leadsMin: 2, db: $0).changedAfterwards()
        }
        #expect(changed.map { "\($0.column) \($0.leads)" } == ["tags 3"])
    }

    @Test func `a column called as a word of SQL stands in quotes`() throws {
        let crm = try TestKernel(
            "leads: {fields: {converted: integer, order: text, current_date: text}}", plugins: [Scoring.self])
        for number in 0..<40 {
            try crm.capture([
                "email": "lead\(number)@a.example", "converted": "\(number % 2)", "order": "tea",
                "current_date": "today",
            ])
        }
        #expect(
            try conditions(crm, ["order", "current_date"]) == [
                "order-tea: \"order\" = 'tea'", "current-date-today: \"current_date\" = 'today'",
            ])
    }

    @Test func `names are short words with hyphens, each once`() {
        #expect(ColumnCandidates.slug("source-Google Ads (Köln)") == "source-google-ads-köln")
        #expect(ColumnCandidates.slug("a_b-from-2.5") == "a-b-from-2.5")
        #expect(ColumnCandidates.slug("***") == "")
        #expect(ColumnCandidates.slug(String(repeating: "x-", count: 80)).count <= 48)
    }
}
