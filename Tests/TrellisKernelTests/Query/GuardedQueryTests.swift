import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct GuardedQueryTests {
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel("server: {admin: {sql: {hidden: [leads.phone, spend]}}}")
        try crm.capture(["email": "ann@acme.example", "country": "DE", "phone": "+4930123456"])
        try crm.capture(["email": "bob@acme.example", "country": "FR"])
        try crm.capture(["email": "cem@acme.example", "country": "DE"])
    }

    private func query(_ sql: String, _ change: (inout GuardedQuery) -> Void = { _ in }) -> GuardedQuery {
        var query = GuardedQuery(database: crm.kernel.config.databasePath, sql: sql)
        query.hidden = crm.kernel.secrets
        change(&query)
        return query
    }

    private struct Answer {
        var columns: [String] = []
        var rows: [[Cell]] = []
        var ending: GuardedQuery.Ending?
    }

    /// What another process would write, which is told the question as text.
    private func answer(_ query: GuardedQuery) throws -> Answer {
        var answer = Answer()
        let told = try #require(GuardedQuery(text: query.text))
        #expect(told == query)
        told.run { part in
            switch part {
            case .columns(let columns): answer.columns = columns
            case .row(let row): answer.rows.append(row)
            case .end(let ending): answer.ending = ending
            }
            return true
        }
        return answer
    }

    private func problem(_ sql: String, _ change: (inout GuardedQuery) -> Void = { _ in }) throws -> QueryProblem? {
        try answer(query(sql, change)).ending?.problem
    }

    // MARK: - Asking

    @Test func `what is written out longer than a value may be is NULL`() throws {
        let bombs =
            "SELECT printf('%1000000000d', 1), printf('%.*c', 900000000, 'x'), format('%.999999999f', 1.0) IS NULL"
        let row = try #require(try answer(query(bombs)).rows.first)
        #expect(row.allSatisfy { $0 == .null || $0 == .integer(1) }, "\(row.map { $0.text?.prefix(20) ?? "NULL" })")
        #expect(try answer(query("SELECT format('%d of %s', 3, 'a')")).rows == [[.text("3 of a")]])
    }

    @Test func `a question and what is bound to it pass between processes as they are`() throws {
        let values: [String: Cell] = ["i": 7, "r": 2.0, "t": "a'\u{0}ü", "n": .null, "b": .blob([0, 255])]
        let found = try answer(
            query("SELECT :i, typeof(:r), :t, :n, :b, typeof(:i / 2), typeof(:r / 2)") {
                $0.parameters = values
                $0.isRaw = true
            })
        #expect(found.rows == [[7, "real", "a'\u{0}ü", .null, .blob([0, 255]), "integer", "real"]])
        #expect(found.ending == GuardedQuery.Ending())
    }

    @Test func `a text that is no question is none`() {
        for text in ["", "{}", "[]", #"{"database": "x", "sql": "SELECT 1"}"#, "SELECT 1"] {
            #expect(GuardedQuery(text: text) == nil)
        }
    }

    @Test func `a column that is hidden in every table reads as NULL in views and conditions too`() throws {
        let hiding: (inout GuardedQuery) -> Void = { $0.hidden.append("*.email") }
        let all = try answer(
            query(
                """
                SELECT (SELECT group_concat(email) FROM leads), (SELECT group_concat(EMAIL) FROM lead_cards),
                       (SELECT count(*) FROM leads WHERE email LIKE 'ann%'), (SELECT max(upper(l.email)) FROM leads AS l),
                       (WITH w AS (SELECT email AS e FROM leads) SELECT max(e) FROM w), (SELECT count(country) FROM leads)
                """, hiding))
        #expect(all.rows == [[.null, .null, 0, .null, .null, 3]])
        #expect(try answer(query("SELECT max(email) FROM leads")).rows == [["cem@acme.example"]])
        _ = try crm.foreign("INSERT INTO contacts (email, first_name) VALUES ('eva@acme.example', 'Eva')")
        #expect(try answer(query("SELECT email, first_name FROM contacts", hiding)).rows == [[.null, "Eva"]])
    }

    @Test func `an answer is cut at its rows, and says so`() throws {
        let found = try answer(query("SELECT email FROM leads ORDER BY id") { $0.allowance.rows = 2 })
        #expect(found.rows == [["ann@acme.example"], ["bob@acme.example"]] && found.ending?.cutBy == "rows")
        let whole = try answer(query("SELECT email FROM leads") { $0.allowance.rows = 3 })
        #expect(whole.rows.count == 3 && whole.ending?.cutBy == nil)
    }

    // MARK: - Refused

    @Test(arguments: [
        ("DELETE FROM leads", "The table leads may not be written here."),
        ("SELECT * FROM api_calls", "The table api_calls may not be read here."),
        ("SELECT * FROM spend", "The table spend may not be read here."),
        ("SELECT * FROM magnets_receipts", ""),
        ("SELECT * FROM pragma_database_list", "The table pragma_database_list may not be read here."),
        ("SELECT count(*) FROM PRAGMA_FUNCTION_LIST", "The table pragma_function_list may not be read here."),
        ("SELECT randomblob(9)", "The function randomblob() may not be used here."),
        ("PRAGMA journal_mode", "PRAGMA journal_mode may not be used here."),
        (
            "SELECT 1 FROM leads AS a NATURAL JOIN leads",
            "JOIN … USING and NATURAL JOIN may not be used here. Write JOIN … ON."
        ),
    ])
    func `a question that asks for more is refused, and told what for`(_ sql: String, _ sentence: String) throws {
        let problem = try #require(try problem(sql))
        guard !sentence.isEmpty else { return }
        #expect(problem == QueryProblem(.forbidden, sentence))
    }

    @Test(arguments: [
        ("SELEC 1", "SQL: near \"SELEC\": syntax error."),
        ("SELECT titel FROM leads", "SQL: no such column: titel. Did you mean 'title'?"),
        ("SELECT :x", "The query needs a value for :x. Give it as the parameter 'x'."),
        (
            "SELECT 1; SELECT 2",
            "One statement at a time. What follows the first ';' was not run, and neither was the first."
        ),
        ("SELECT 1\u{0}; DELETE FROM leads", "The statement contains a NUL character."),
        ("", "There is no statement. Send one that reads, such as SELECT count(*) FROM leads."),
        (" ; -- nothing", "There is no statement. Send one that reads, such as SELECT count(*) FROM leads."),
    ])
    func `a mistake is said`(_ sql: String, _ sentence: String) throws {
        #expect(try problem(sql) == QueryProblem(.mistaken, sentence))
    }

    @Test func `what takes too much is stopped, with what was found by then`() throws {
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        let found = try answer(
            query("\(endless) SELECT i FROM n WHERE i < 3 OR i < 0") { $0.allowance.seconds = 0.05 })
        #expect(found.rows == [[1], [2]])
        #expect(
            found.ending?.problem
                == QueryProblem(
                    .tooMuch,
                    "The query took longer than 0.05 s and was stopped. Ask for less: fewer rows, an index, no cross join. server.admin.sql.seconds in the config says how long it may take."
                ))
        let long = try problem(
            "\(endless) SELECT length(group_concat('xxxxxxxxxx', '')) FROM (SELECT i FROM n LIMIT 20000)")
        #expect(
            long
                == QueryProblem(
                    .tooMuch,
                    "A value of the query is longer than 100000 bytes. Ask for a part of it, as with substr()."))
        #expect(QueryProblem.outOfMemory.description.hasSuffix("but trellis sql --memory in a shell."))
    }

    @Test func `a file that is not there is unreadable`() throws {
        let found = try problem("SELECT 1") { $0.database += "-not" }
        #expect(found == QueryProblem(.unreadable, "The database cannot be read at the moment."))
    }

    @Test func `what is hidden reads as NULL, in a view too`() throws {
        #expect(try answer(query("SELECT phone FROM leads WHERE id = 1")).rows == [[.null]])
        #expect(try answer(query("SELECT phone FROM lead_cards WHERE id = 1")).rows == [[.null]])
        #expect(try answer(query("SELECT count(*) FROM leads WHERE phone LIKE '+49%'")).rows == [[0]])
        try crm.foreign("INSERT INTO consents (lead_id, purpose, state, agent) VALUES (1, 'ads', 'granted', 'Firefox')")
        #expect(try answer(query("SELECT agent, purpose FROM consents")).rows == [[.null, "ads"]])
    }

    @Test func `an answer names what it read of what is hidden, and the view that did`() throws {
        func hidden(_ sql: String, _ change: (inout GuardedQuery) -> Void = { _ in }) throws -> [HiddenColumn] {
            let found = query(sql) {
                $0.hidden.append("*.email")
                change(&$0)
            }
            return try #require(try answer(found).ending).hidden
        }
        #expect(try hidden("SELECT id, country FROM leads") == [])
        #expect(try hidden("SELECT count(*) FROM leads") == [])
        #expect(try hidden("SELECT count(*) FROM leads WHERE Email LIKE 'ann%'") == [HiddenColumn("leads.email")])
        #expect(
            try hidden("WITH w AS (SELECT phone FROM leads) SELECT max(phone) FROM w")
                == [HiddenColumn("leads.phone", reader: "w")])
        let ofView = try hidden("SELECT count(*) FROM mailable_leads")
        #expect(ofView.contains(HiddenColumn("leads.email", reader: "mailable_leads")), "\(ofView)")
        #expect(ofView.contains(HiddenColumn("leads.phone", reader: "mailable_leads")), "\(ofView)")
        #expect(
            try hidden("SELECT id, email FROM leads") {
                $0.arrangement = GuardedQuery.Arrangement()
                $0.arrangement?.sortedColumn = 1
            } == [HiddenColumn("leads.email")])
        // Also where the answer ends before its time.
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        #expect(
            try hidden("\(endless) SELECT n.i FROM n, leads WHERE leads.phone = '1'") { $0.allowance.seconds = 0.05 }
                == [HiddenColumn("leads.phone")])
    }

    @Test func `what was hidden is said in a sentence for each view`() {
        #expect(HiddenColumn.sentences([]) == [])
        let columns = [HiddenColumn("leads.email", reader: "lead_cards"), HiddenColumn("consents.page")]
        #expect(
            HiddenColumn.sentences(columns + [HiddenColumn("leads.phone", reader: "lead_cards")]) == [
                "This query reads consents.page, which is hidden from you: it counts as empty.",
                "lead_cards reads leads.email, leads.phone, which are hidden from you: they count as empty.",
            ])
        #expect(
            HiddenColumn.sentences((1...8).map { HiddenColumn("t.c\($0)") }) == [
                "This query reads t.c1, t.c2, t.c3, t.c4, t.c5, t.c6 and 2 more, which are hidden from you: they count as empty."
            ])
    }

    // MARK: - Arranged

    private func emails(_ change: (inout GuardedQuery.Arrangement) -> Void) throws -> [String] {
        var arrangement = GuardedQuery.Arrangement()
        change(&arrangement)
        let sql = "SELECT id, email AS \"e\"\"m] --\", country FROM leads ORDER BY id; -- the end"
        return try answer(query(sql) { $0.arrangement = arrangement }).rows.compactMap {
            $0[1].text?.prefix(3).description
        }
    }

    @Test func `rows are sorted, searched and skipped without a word of SQL`() throws {
        #expect(try emails { _ in } == ["ann", "bob", "cem"])
        #expect(
            try emails {
                $0.sortedColumn = 2
                $0.isDescending = true
            } == ["cem", "bob", "ann"])
        #expect(try emails { $0.filter = "de" } == ["ann", "cem"])
        #expect(
            try emails {
                $0.filter = "ANN"
                $0.filteredColumn = 2
            } == ["ann"])
        #expect(
            try emails {
                $0.filter = "ann"
                $0.filteredColumn = 3
            } == [])
        #expect(try emails { $0.filter = "%' OR 1=1 --" } == [])
        #expect(try emails { $0.offset = 2 } == ["cem"])
    }

    @Test func `a column that is not there is refused`() throws {
        for place in [0, 4, -1, 1_000] {
            var arrangement = GuardedQuery.Arrangement()
            arrangement.sortedColumn = place
            let found = try problem("SELECT id, email, country FROM leads") { $0.arrangement = arrangement }
            #expect(found == QueryProblem(.mistaken, "The answer has 3 columns and none at place \(place)."))
        }
    }

    // MARK: - Between processes

    @Test func `pieces of an answer are read as they were written, and a piece cut off is left`() {
        var bytes: [UInt8] = []
        let frames = [
            AnswerFrame(.columns, Array("[]".utf8)), AnswerFrame(.row, []),
            AnswerFrame(.end, Array(repeating: 7, count: 70_000)),
        ]
        for frame in frames { frame.write(to: &bytes) }
        #expect(AnswerFrame.read(bytes) == frames)
        #expect(AnswerFrame.read(Array(bytes.dropLast())) == Array(frames.dropLast()))
        #expect(AnswerFrame.read(Array("something else".utf8)) == [])
        for ending in [
            GuardedQuery.Ending(), GuardedQuery.Ending(cutBy: "bytes"),
            GuardedQuery.Ending(problem: QueryProblem(.busy, "a \"sentence\"\n")),
            GuardedQuery.Ending(cutBy: "rows", hidden: [HiddenColumn("a.\"b"), HiddenColumn("a.b", reader: "c")]),
        ] {
            #expect(GuardedQuery.Ending(text: ending.text) == ending)
        }
    }
}
