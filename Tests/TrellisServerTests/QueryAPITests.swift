import Foundation
import Hummingbird
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct QueryAPITests {
    private let crm: TestKernel
    private let admin: Listener

    private static let token: HTTPFields = [.authorization: "Bearer a token for tests only, and long enough"]

    private static let word = "a word that an analyst says and that is long enough"

    init() throws {
        crm = try TestKernel(
            """
            server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}", sql: {rows: 50, seconds: 30}}}
            queries:
              by-country:
                description: Leads of a country
                parameters: {country: {type: text, one_of: [DE, FR], label: Country}}
                sql: SELECT id, email, country, created_at FROM leads WHERE :country IS NULL OR country = :country
              stages:
                sql: SELECT stage, count(*) AS leads FROM leads GROUP BY stage
            """)
        try crm.capture(["email": "ann@a.example", "country": "DE"])
        try crm.capture(["email": "bob@b.example", "country": "FR"])
        try crm.capture(["email": "cem@c.example", "country": "DE"])
        admin = try Listener.admin(crm, program: QueryAPITests.program)
    }

    /// The program that was built beside the tests.
    private static var program: [String] {
        let bundle = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let beside = bundle.appending(path: "trellis").path()
        let isBeside = FileManager.default.isExecutableFile(atPath: beside)
        return [isBeside ? beside : root.appending(path: ".build/debug/trellis").path(), GuardedQuery.command]
    }

    private func get(_ path: String, accept: String? = nil) async throws -> Answer {
        var headers = QueryAPITests.token
        headers[.accept] = accept
        return try await admin.get(path, headers)
    }

    private func ask(_ body: String) async throws -> Answer {
        var headers = QueryAPITests.token
        headers[.contentType] = "application/json"
        return try await admin.post("/api/sql", body, headers)
    }

    private func error(_ answer: Answer) -> String? { answer.json?["error"]?.scalarText }

    // MARK: - Any question

    @Test func `a question is answered with its columns and rows`() async throws {
        let answer = try await ask(
            #"{"sql": "SELECT country, count(*) AS n FROM leads WHERE id > :id GROUP BY 1", "parameters": {"id": 0}}"#)
        #expect(answer.status == 200 && answer.headers[.contentType] == "application/json")
        #expect(
            answer.json?["columns"]?.text() == #"["country","n"]"#
                && answer.json?["rows"]?.text() == #"[["DE",2],["FR",1]]"#)
        #expect(answer.json?["truncated"] == .bool(false) && answer.json?["cut_by"] == .null)
        #expect(answer.json?["elapsed_ms"]?.scalarText.flatMap(Int.init) != nil)
        #expect(answer.json?["hidden"]?.text() == "[]")
    }

    @Test(arguments: [
        (#"{"sql": "DELETE FROM leads"}"#, 403, "The table leads may not be written here."),
        (#"{"sql": "SELECT * FROM api_calls"}"#, 403, "The table api_calls may not be read here."),
        (#"{"sql": "SELECT titel FROM leads"}"#, 400, "SQL: no such column: titel. Did you mean 'title'?"),
        (
            #"{"sql": "SELECT 1", "limt": 1}"#, 400,
            "'limt' is not known here. Did you mean 'limit'? There are: sql, parameters, limit."
        ),
        (
            #"{"sql": "SELECT 1", "limit": 51}"#, 400,
            "limit takes a whole number from 1 to 50. More rows are a matter of server.admin.sql.rows in the config."
        ),
        (
            #"{"sql": " /* all */ "}"#, 400,
            "There is no statement. Send one that reads, such as SELECT count(*) FROM leads."
        ),
        (#"{}"#, 400, "The text 'sql' is missing."),
        (#"[]"#, 400, #"The body is no JSON object such as {"sql": "SELECT 1"}."#),
        (#"{"sql": "SELECT :x", "parameters": {"x": []}}"#, 400, "The parameter 'x' takes a text, a number or null."),
    ])
    func `a question that cannot be answered is told why`(_ body: String, _ status: Int, _ sentence: String)
        async throws
    {
        let answer = try await ask(body)
        #expect(answer.status == status && error(answer) == sentence)
        #expect(try crm.rows("SELECT count(*) FROM leads") == ["3"])
    }

    @Test func `what takes too long is stopped, with the rows there were`() async throws {
        // Time enough for a busy machine to start the process; its first row is sent at once, and it finds no second.
        let crm = try TestKernel(
            """
            server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}", sql: {seconds: 5}}}
            queries:
              endless:
                sql: WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 2
            """)
        let admin = try Listener.admin(crm, program: QueryAPITests.program)
        let answer = try await admin.get("/api/queries/endless", QueryAPITests.token)
        #expect(
            answer.status == 422 && answer.json?["rows"]?.text() == "[[1]]"
                && answer.json?["truncated"] == .bool(true), "\(answer.body)")
        #expect(error(answer)?.hasPrefix("The query took longer than 5 s and was stopped.") == true)
        #expect(error(answer)?.contains("server.admin.sql.seconds in the config says how long it may take.") == true)
    }

    @Test func `a program that cannot be started is no fault of the caller`() async throws {
        let broken = try Listener.admin(crm, program: ["/nonexistent/trellis"])
        let answer = try await broken.get("/api/queries/by-country", QueryAPITests.token)
        #expect(answer.status == 503 && answer.headers[.retryAfter] == "2")
    }

    @Test func `what a question does not see depends on who asks`() throws {
        var reader = ServerSettings.Reader()
        reader.hidden = [LocatedText("*.email"), LocatedText("spend")]
        let ofHouse = GuardedQuery("SELECT 1", for: crm.kernel, by: .house).hidden
        #expect(ofHouse == crm.kernel.secrets && !ofHouse.contains("spend"))
        #expect(
            GuardedQuery("SELECT 1", for: crm.kernel, by: .reader(reader)).hidden == ofHouse + ["*.email", "spend"])
    }

    @Test func `a program that says nothing, too much or never ends is done with`() throws {
        var query = GuardedQuery(database: "x", sql: "SELECT 1")
        query.allowance.bytes = 1_000
        // What ends by itself has the time to.
        for (program, seconds, sentence) in [
            (["/bin/true"], 20.0, "The query needed more memory than it may have and was stopped. Ask for less."),
            (["/bin/sleep", "60"], 0.1, "The query took longer than 0.1 s and was stopped."),
            (["/usr/bin/yes"], 0.1, "The query took longer than 0.1 s and was stopped."),
            (
                ["/bin/sh", "-c", "kill -9 $$"], 20.0,
                "The query needed more memory than it may have and was stopped. Ask for less."
            ),
        ] {
            query.allowance.seconds = seconds
            let answer = try QueryChild(program: program).answer(query)
            #expect(answer.ending.problem?.description.hasPrefix(sentence) == true, "\(program)")
            #expect(answer.elapsed < .seconds(5), "\(program)")
        }
    }

    // MARK: - Queries of the config

    @Test func `queries are listed with their parameters`() async throws {
        let list = try #require(try await get("/api/queries").json?["queries"]?.elements)
        #expect(list.map { $0["name"]?.scalarText } == ["by-country", "stages"])
        #expect(
            list[0]["parameters"]?.elements.first?.text()
                == #"{"default":null,"label":"Country","name":"country","one_of":["DE","FR"],"required":false,"type":"text"}"#
        )
    }

    @Test func `an answer comes in the form that is asked for`() async throws {
        let json = try await get("/api/queries/by-country?country=FR")
        #expect(json.json?["rows"]?.elements.count == 1)
        let csv = "id,email\n"
        for answer in [
            try await get("/api/queries/by-country?country=FR&format=csv"),
            try await get("/api/queries/by-country?country=FR", accept: "text/csv"),
        ] {
            #expect(answer.headers[.contentType]?.hasPrefix("text/csv") == true)
            #expect(
                answer.body.hasPrefix("id,email,country,created_at\n2,bob@b.example,FR,") && !answer.body.contains(csv))
        }
        let lines = try await get("/api/queries/by-country?limit=2", accept: "application/x-ndjson")
        #expect(lines.headers[.contentType] == "application/x-ndjson" && lines.body.split(separator: "\n").count == 2)
        #expect(lines.body.hasPrefix(#"{"id":1,"email":"ann@a.example","#))
        let cut = try #require(HTTPFields.Element.Name("Trellis-Truncated-By"))
        #expect(lines.headers[cut] == "rows")
    }

    @Test func `a reader asks, does not see what is hidden from it, and does nothing else`() async throws {
        let crm = try TestKernel(
            """
            server:
              admin:
                token: "${TRELLIS_ADMIN_TOKEN}"
                sql: {seconds: 30}
                readers: {analyst: {token: \(QueryAPITests.word), hidden: ["*.email", spend]}}
            queries: {people: {sql: "SELECT id, email FROM lead_cards"}}
            """)
        try crm.capture(["email": "ann@a.example", "country": "DE"])
        let admin = try Listener.admin(crm, program: QueryAPITests.program)
        var reader: HTTPFields = [.authorization: "Bearer " + QueryAPITests.word]
        let password = "Basic " + Data("me:\(QueryAPITests.word)".utf8).base64EncodedString()
        let named = try await admin.get("/api/queries/people", reader)
        #expect(named.status == 200 && named.json?["rows"]?.text() == "[[1,null]]", "\(named.body)")
        let page = try await admin.get("/queries/people", [.authorization: password])
        #expect(page.status == 200 && !page.body.contains("ann@a.example"))
        let house = try await admin.get("/api/queries/people", QueryAPITests.token)
        #expect(house.json?["rows"]?.text() == #"[[1,"ann@a.example"]]"#, "\(house.body)")
        for path in ["/api/leads", "/api/leads/1", "/metrics", "/api/openapi.json"] {
            let refused = try await admin.get(path, reader)
            #expect(refused.status == 403 && !refused.body.contains("ann@"), "\(path): \(refused.status)")
            let sentence =
                "A reader may ask: POST /api/sql, GET /api/queries and GET /queries. This needs the token of server.admin.token."
            #expect(error(refused) == sentence, "\(path): \(refused.body)")
        }
        reader[.contentType] = "application/json"
        let any = try await admin.post(
            "/api/sql", #"{"sql": "SELECT email, country FROM leads WHERE email IS NULL"}"#, reader)
        #expect(any.json?["rows"]?.text() == #"[[null,"DE"]]"#, "\(any.body)")
        #expect(try await admin.post("/api/sql", #"{"sql": "SELECT * FROM spend"}"#, reader).status == 403)
        #expect(try await admin.post("/api/leads/1/activities", #"{"kind": "x.y"}"#, reader).status == 403)
        reader[.authorization] = "Bearer " + QueryAPITests.word + "x"
        #expect(try await admin.post("/api/sql", #"{"sql": "SELECT 1"}"#, reader).status == 401)
    }

    @Test func `an answer in any form says which hidden columns count as empty in it`() async throws {
        let crm = try TestKernel(
            """
            server:
              admin:
                token: "${TRELLIS_ADMIN_TOKEN}"
                sql: {seconds: 30}
                readers: {analyst: {token: \(QueryAPITests.word), hidden: ["*.email"]}}
            queries: {people: {sql: "SELECT id, email FROM lead_cards"}}
            """)
        try crm.capture(["email": "ann@a.example", "country": "DE"])
        let admin = try Listener.admin(crm, program: QueryAPITests.program)
        let header = try #require(HTTPFields.Element.Name("Trellis-Hidden"))
        let reader: HTTPFields = [.authorization: "Bearer " + QueryAPITests.word]
        let names = "lead_cards.email, leads.email"
        let json = try await admin.get("/api/queries/people", reader)
        #expect(json.json?["hidden"]?.text() == #"["lead_cards.email","leads.email"]"#, "\(json.body)")
        #expect(json.headers[header] == names)
        let csv = try await admin.get("/api/queries/people?format=csv", reader)
        #expect(csv.body == "id,email\n1,\n" && csv.headers[header] == names, "\(csv.body)")
        let page = try await admin.get("/queries/people", reader)
        #expect(
            page.body.contains("lead_cards reads leads.email, which is hidden from you: it counts as empty."),
            "\(page.body)")
        let house = try await admin.get("/api/queries/people", QueryAPITests.token)
        #expect(house.json?["hidden"]?.text() == "[]" && house.headers[header] == nil, "\(house.body)")
        #expect(try await !admin.get("/queries/people", QueryAPITests.token).body.contains("hidden from you"))
    }

    @Test func `a query of the config has its own form where nobody names one`() async throws {
        let crm = try TestKernel(
            """
            server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}", sql: {seconds: 30}}}
            queries:
              saved: {format: csv, sql: SELECT 1 AS one}
              lines: {format: jsonl, sql: SELECT 1 AS one}
              shown: {format: markdown, sql: SELECT 1 AS one}
              formula: {format: csv, sql: "SELECT '=1+1' AS a, '@b' AS b, -5 AS c"}
            """)
        let admin = try Listener.admin(crm, program: QueryAPITests.program)
        func get(_ path: String, accept: String? = nil) async throws -> (type: String?, body: String) {
            var headers = QueryAPITests.token
            if let accept { headers[.accept] = accept }
            let answer = try await admin.get("/api/queries/" + path, headers)
            return (answer.headers[.contentType], answer.body)
        }
        let saved = try await get("saved", accept: "*/*")
        #expect(saved.type?.hasPrefix("text/csv") == true && saved.body == "one\n1\n", "\(saved)")
        #expect(try await get("formula").body == "a,b,c\n'=1+1,'@b,-5\n")
        #expect(try await get("formula?raw=1").body == "a,b,c\n=1+1,@b,-5\n")
        let lines = try await get("lines")
        #expect(lines.type == "application/x-ndjson" && lines.body == "{\"one\":1}\n", "\(lines)")
        let asked: [(String, String?)] = [("saved?format=json", nil), ("saved", "application/json"), ("shown", nil)]
        for (path, accept) in asked {
            let json = try await get(path, accept: accept)
            #expect(json.type == "application/json" && json.body.contains("\"rows\":[[1]]"), "\(path): \(json)")
        }
    }

    @Test(arguments: [
        ("?country=XX", 400, "country: expected one of DE, FR, got 'XX'."),
        (
            "?county=DE", 400,
            "'county' is no parameter of this query. Did you mean 'country'? It takes: country, format, limit, raw."
        ),
        ("?country=DE&country=FR", 400, "country: given more than once"),
        ("?format=xml", 400, "format takes json, ndjson or csv."), ("?raw=yes", 400, "raw takes 0 or 1."),
        (
            "?limit=0", 400,
            "limit takes a whole number from 1 to 50. More rows are a matter of server.admin.sql.rows in the config."
        ),
    ])
    func `a parameter that does not fit is refused`(_ query: String, _ status: Int, _ sentence: String) async throws {
        let answer = try await get("/api/queries/by-country" + query)
        #expect(answer.status == status && error(answer) == sentence)
    }

    @Test func `a query that is not there is not found`() async throws {
        for path in ["/api/queries/by-contry", "/queries/by-contry"] {
            let answer = try await get(path)
            #expect(
                answer.status == 404 && error(answer) == "There is no query of this name. Did you mean 'by-country'?")
        }
    }

    // MARK: - Pages

    @Test func `a query is a page with its parameters, sorted and searched by links`() async throws {
        #expect(try await get("/queries").body.contains(#"<a href="/queries/by-country">by-country</a>"#))
        let page = try await get("/queries/by-country?country=DE&_sort=-2&_filter=CEM")
        #expect(page.status == 200 && page.heading == "By country")
        #expect(
            page.body.contains("cem@c.example") && !page.body.contains("ann@a.example") && page.body.contains("1 row"))
        #expect(
            page.body.contains(#"<option value="DE" selected>DE</option>"#)
                && page.body.contains(#"aria-sort="descending""#))
        #expect(page.body.contains(#"href="/queries/by-country?country=DE&amp;_filter=CEM&amp;_sort=2""#))
        #expect(page.body.contains(#"href="/api/queries/by-country?country=DE&amp;format=csv""#))
        #expect(page.body.contains("2026-03-02 09:00<") && !page.body.contains("09:00:00.000"))
    }

    @Test func `what a page cannot show it says, with the form still there`() async throws {
        for (query, sentence) in [
            ("?country=XX", "country: expected one of DE, FR, got &#39;XX&#39;."),
            ("?_sort=9", "The answer has 4 columns and none at place 9."),
            ("?_sort=-9223372036854775808", "_sort: expected the place of a column, counted from 1."),
            ("?_in=-9223372036854775808", "_in: expected the place of a column, counted from 1."),
            ("?_sort=email", "_sort: expected the place of a column, counted from 1."),
            ("?_page=0", "_page: expected a whole number from 1 to 10000."),
            ("?_srot=1", "Did you mean &#39;_sort&#39;? It takes: country, _sort, _filter, _in, _page."),
        ] {
            let page = try await get("/queries/by-country" + query)
            #expect(page.status == 400 && page.body.contains("<form class=\"panel sift\""), "\(query)")
            #expect(
                page.body.replacing("&#x27;", with: "&#39;").contains(sentence)
                    || page.body.contains(sentence.replacing("&#39;", with: "'")), "\(query): \(page.body)")
        }
    }

    @Test func `a browser says the token as a password, and only to read`() async throws {
        func basic(_ word: String) -> HTTPFields {
            [.authorization: "Basic " + Data("me:\(word)".utf8).base64EncodedString()]
        }
        let right = basic("a token for tests only, and long enough")
        for path in ["/queries", "/queries/by-country", "/api/queries", "/api/queries/by-country"] {
            #expect(try await admin.get(path, right).status == 200, "\(path)")
            let refused = try await admin.get(path, basic("x"))
            #expect(
                refused.status == 401 && refused.headers[.wwwAuthenticate] == #"Basic realm="Trellis", charset="UTF-8""#
            )
        }
        for path in ["/api/leads", "/metrics", "/api/openapi.json"] {
            #expect(try await admin.get(path, right).status == 401, "\(path)")
        }
        var headers = right
        headers[.contentType] = "application/json"
        #expect(try await admin.post("/api/sql", #"{"sql": "SELECT 1"}"#, headers).status == 401)
    }

    @Test func `the description names every path`() async throws {
        guard case .object(let paths) = try await get("/api/openapi.json").json?["paths"] else {
            Issue.record("no paths")
            return
        }
        let described = Set(paths.map { $0.key.replacing("{query}", with: ":query") })
        #expect(described.isSuperset(of: QueryAPI(pool: QueryPool(program: [], childrenMax: 1)).endpoints.map(\.path)))
    }
}
