import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct QuerySettingsTests {
    private func query(_ parameters: String) throws -> NamedQuery {
        let names = parameters.matches(of: #/(?m)^ *([a-z_]+): /#).map { ":\($0.1)" }
        let crm = try TestKernel(
            """
            queries:
              asked:
                parameters:
            \(parameters.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))
                sql: SELECT \(names.joined(separator: ", "))
            """)
        return try #require(crm.kernel.config.site.queries.first).value
    }

    private let typed = """
        country: DE
        days: {type: integer, default: 30}
        since: {type: date}
        share: {type: real, default: 0.5}
        is_new: {type: boolean}
        tone: {one_of: [warm, cold], label: Tone}
        rep: null
        """

    @Test func `a query may say how its answer is written, and a chart takes two columns`() throws {
        func config(_ query: String) throws -> Config {
            try Config.parse("queries: {asked: {\(query)}}", plugins: [])
        }
        let saved = try #require(try config("format: csv, chart: true, sql: 'SELECT 1, 2'").site.queries.first).value
        #expect(saved.format == .csv && saved.isChart)
        let plain = try #require(try config("sql: SELECT 1").site.queries.first).value
        #expect(plain.format == nil && !plain.isChart)
        let unknown = try #require(throws: ConfigProblems.self) { try config("format: xml, sql: SELECT 1") }
        #expect(
            unknown.description
                == "config.yaml:1:27: queries.asked.format: expected one of table, line, csv, json, jsonl, markdown, got 'xml'."
        )
        let three = try #require(throws: ConfigProblems.self) {
            try config("chart: true, sql: 'SELECT 1, 2, 3'").check(plugins: [])
        }
        #expect(
            three.description
                == "config.yaml:1:37: queries.asked.sql: a chart takes a query of two columns, a label and a number; this one has 3."
        )
    }

    @Test func `what is not given has its default`() throws {
        let values = try query(typed).values([:])
        let expected: [String: Cell] = [
            "country": "DE", "days": 30, "since": .null, "share": 0.5, "is_new": .null, "tone": .null, "rep": .null,
        ]
        #expect(values == expected)
    }

    @Test func `what is given has the type that is asked for`() throws {
        let values = try query(typed).values([
            "country": "FR", "days": "7", "since": "2026-01-31", "share": "2", "is_new": "yes", "tone": "warm",
            "rep": "42",
        ])
        let expected: [String: Cell] = [
            "country": "FR", "days": 7, "since": "2026-01-31", "share": 2.0, "is_new": 1, "tone": "warm", "rep": 42,
        ]
        #expect(values == expected)
    }

    @Test func `a default that is a number takes numbers alone`() throws {
        let query = try query("days: 30\nshare: 0.5\nzip: {type: text, default: \"01234\"}\ncountry: DE")
        #expect(try query.values(["days": "7.5", "share": "1", "zip": "abc", "country": "7"])["days"] == 7.5)
        #expect(try query.values(["days": nil])["days"] == .null)
        for (name, text) in [("days", "abc"), ("share", "1/2")] {
            #expect(throws: KernelError.usage("\(name): expected a number, got '\(text)'.")) {
                try query.values([name: text])
            }
        }
    }

    @Test func `an empty text and null mean none`() throws {
        let values = try query(typed).values(["country": "", "days": nil])
        #expect(values["country"] == .null && values["days"] == .null)
    }

    @Test(arguments: [
        ("days", "soon", "days: expected a whole number, got 'soon'."),
        ("since", "soon", "since: expected a day such as 2026-01-31, got 'soon'."),
        ("share", "x", "share: expected a number, got 'x'."),
        ("is_new", "perhaps", "is_new: expected yes or no, got 'perhaps'."),
        ("tone", "grey", "tone: expected one of warm, cold, got 'grey'."),
        (
            "dyas", "1",
            "'dyas' is no parameter of this query. Did you mean 'days'? It takes: country, days, since, share, is_new, tone, rep."
        ),
    ])
    func `a value that does not fit is refused`(_ name: String, _ text: String, _ sentence: String) throws {
        #expect(throws: KernelError.usage(sentence)) { try query(typed).values([name: text]) }
    }

    @Test func `who names no parameter is told what there is`() throws {
        let query = try query("day: {type: date}")
        #expect(
            throws: KernelError.usage(
                "'fromat' is no parameter of this query. Did you mean 'format'? It takes: day, format, limit.")
        ) { try query.values(["fromat": "csv"], beside: ["format", "limit"]) }
        #expect(throws: KernelError.usage("'x' is no parameter of this query. It takes none.")) {
            try NamedQuery().values(["x": "1"])
        }
    }

    @Test func `a value that is needed must be given`() throws {
        let query = try query("day: {type: date, required: true}")
        for given: [String: String?] in [[:], ["day": ""], ["day": nil]] {
            #expect(throws: KernelError.usage("day: expected a day such as 2026-01-31, got nothing.")) {
                try query.values(given)
            }
        }
        #expect(try query.values(["day": "2026-01-31"]) == ["day": "2026-01-31"])
    }

    @Test(arguments: [
        ("a: {type: integer, default: many}", "default: expected a whole number, got 'many'."),
        ("a: {type: integer, one_of: [1, two]}", "one_of: expected a whole number, got 'two'."),
        ("a: {required: true, default: x}", "a required parameter has no default. Leave one of the two out."),
        ("a: {one_of: [x, y], default: z}", "default: expected one of x, y, got 'z'."),
        ("a: {typ: integer}", "unknown key 'typ'. Did you mean 'type'?"),
    ])
    func `a parameter that cannot be is found in the config`(_ parameter: String, _ sentence: String) throws {
        let error = try #require(throws: ConfigProblems.self) { try query(parameter) }
        #expect("\(error)".contains(sentence), "\(error)")
    }
}
