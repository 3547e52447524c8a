import Hummingbird
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

@Suite struct LeadAPITests {
    private let crm: TestKernel
    private let admin: Listener

    private static let token: HTTPFields = [.authorization: "Bearer a token for tests only, and long enough"]

    init() throws {
        crm = try TestKernel(
            """
            server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}", wrong_tokens: 1000}}
            leads: {fields: {budget: real}}
            activities: {demo.booked: {slot: text, seats: integer}}
            """)
        try crm.capture(["email": "Ann@a.example", "country": "DE", "budget": "1.5", "external_id": "A-1"])
        try crm.capture(["email": "bob@b.example", "country": "AT", "stage": "mql", "source": "google"])
        try crm.capture(["email": "cem@c.example", "country": "DE", "stage": "mql", "campaign": "spring"])
        admin = try Listener.admin(crm)
    }

    private func get(_ path: String) async throws -> Answer { try await admin.get(path, LeadAPITests.token) }

    private func record(_ lead: String, _ body: String, key: String? = nil) async throws -> Answer {
        try await admin.post("/api/leads/\(lead)/activities", body, try LeadAPITests.headers(key: key))
    }

    private static func headers(key: String?) throws -> HTTPFields {
        var headers = token
        headers[.contentType] = "application/json"
        headers[try #require(HTTPFields.Element.Name("Idempotency-Key"))] = key
        return headers
    }

    private func ids(_ query: String) async throws -> [String] {
        try await get("/api/leads" + query).json?["leads"]?.elements.compactMap { $0["id"]?.scalarText } ?? []
    }

    private func error(_ answer: Answer) -> String? { answer.json?["error"]?.scalarText }

    private func demos() throws -> [String] {
        try crm.rows("SELECT lead_id, at, origin, body FROM events WHERE kind = 'demo.booked' ORDER BY id")
    }

    @Test func `a path or a method that the API does not have is told with where all are described`() async throws {
        for path in ["/api/lead", "/api/leads/1/timelines"] {
            let answer = try await get(path)
            #expect(
                answer.status == 404
                    && error(answer) == "The API has no such path. GET /api/openapi.json describes each path there is.",
                "\(path)")
        }
        let wrong = try await admin.ask(.delete, "/api/leads/1", LeadAPITests.token)
        #expect(wrong.status == 405 && wrong.headers[.allow] == "GET, HEAD")
        #expect(
            error(wrong)
                == "The methods of this path are GET, HEAD. GET /api/openapi.json describes each path.")
        let sent = try await admin.ask(.get, "/api/leads/1/activities", LeadAPITests.token)
        #expect(
            error(sent) == "The methods of this path are POST. GET /api/openapi.json describes each path.")
    }

    // MARK: - Who may ask

    @Test func `whoever does not say the token gets nothing`() async throws {
        for said in [
            "", "Bearer", "Bearer ", "Bearer x", "Basic a token for tests only, and long enough",
            "Bearer a token for tests only, and long enoug", "Bearer a token for tests only, and long enough!",
            "a token for tests only, and long enough",
        ] {
            for path in ["/api/leads", "/api/leads/1", "/api/leads/1/timeline", "/api/openapi.json", "/metrics"] {
                let answer = try await admin.get(path, said.isEmpty ? [:] : [.authorization: said])
                #expect(answer.status == 401 && answer.headers[.wwwAuthenticate] == "Bearer", "\(path)")
                #expect(
                    error(answer)
                        == "The token is missing or unknown. Say it as 'Authorization: Bearer …': that of server.admin.token opens everything, that of a reader questions in SQL and queries."
                )
            }
            let post = try await admin.post(
                "/api/leads/1/activities", #"{"kind":"demo.booked"}"#,
                [.authorization: said, .contentType: "application/json"])
            #expect(post.status == 401, "\(said)")
            #expect(try demos() == [])
        }
    }

    @Test func `without a token in the config nobody gets in`() async throws {
        let closed = try Listener.admin(try TestKernel())
        for said in ["Bearer ", "Bearer nil", "Bearer a token for tests only, and long enough"] {
            #expect(try await closed.get("/api/leads", [.authorization: said]).status == 401)
        }
    }

    // MARK: - Lists

    @Test func `leads come in the order of their ids, with every column`() async throws {
        let answer = try await get("/api/leads")
        #expect(answer.status == 200 && answer.headers[.contentType] == "application/json")
        #expect(answer.headers[.cacheControl] == "no-store")
        let leads = try #require(answer.json?["leads"]?.elements)
        #expect(leads.map { $0["email"]?.scalarText } == ["Ann@a.example", "bob@b.example", "cem@c.example"])
        #expect(leads[0]["budget"] == .number(1.5) && leads[0]["source"] == .null && leads[0]["id"] == .integer(1))
        #expect(answer.json?["next"] == .null)
    }

    @Test func `a list is cut into pages by where the last one ended`() async throws {
        let first = try await get("/api/leads?limit=2").json
        #expect(first?["leads"]?.elements.count == 2 && first?["next"] == .integer(2))
        try crm.capture(["email": "dan@d.example"])
        let second = try await get("/api/leads?limit=2&after=2").json
        #expect(second?["leads"]?.elements.map { $0["id"] } == [.integer(3), .integer(4)])
        #expect(second?["next"] == .integer(4))
        let last = try await get("/api/leads?limit=2&after=4").json
        #expect(last?["leads"]?.elements == [] && last?["next"] == .null)
    }

    @Test func `a list may be filtered`() async throws {
        for (query, expected) in [
            ("?email=ANN%40a.example", ["1"]), ("?email=ann%40A.EXAMPLE", ["1"]), ("?stage=mql", ["2", "3"]),
            ("?country=DE", ["1", "3"]), ("?country=Germany&stage=mql", ["3"]), ("?source=google", ["2"]),
            ("?campaign=spring", ["3"]), ("?external_id=A-1", ["1"]), ("?owner=rita", []),
            ("?stage=mql&after=2", ["3"]),
            ("?email=' OR 1=1 --", []), ("?stage=mql&limit=1", ["2"]),
        ] {
            #expect(try await ids(query) == expected, "\(query)")
        }
    }

    @Test func `a question that cannot be answered is refused`() async throws {
        for (query, sentence) in [
            ("?limit=0", "limit takes a whole number from 1 to 1000."),
            ("?limit=1001", "limit takes a whole number from 1 to 1000."),
            ("?limit=ten", "limit takes a whole number from 1 to 1000."),
            ("?after=x", "after takes the whole number that 'next' said."),
            ("?stag=mql", "There is no filter of this name. Did you mean 'stage'?"),
            ("?zzz=1", "There is no filter of this name."),
        ] {
            let answer = try await get("/api/leads" + query)
            #expect(answer.status == 400 && error(answer) == sentence, "\(query)")
        }
    }

    // MARK: - One lead

    @Test func `a lead is found by its id, its address or the id of another system`() async throws {
        for reference in ["1", "ann@a.example", "ANN%40a.example", "external:A-1"] {
            let answer = try await get("/api/leads/\(reference)")
            #expect(answer.status == 200)
            #expect(answer.json?["email"] == .string("Ann@a.example") && answer.json?["stage"] == .string("lead"))
        }
    }

    @Test func `a lead that is not there is not found`() async throws {
        for reference in ["7", "0", "-1", "dan@d.example", "external:B", "x", "1%20OR%201"] {
            for path in ["/api/leads/\(reference)", "/api/leads/\(reference)/timeline"] {
                let answer = try await get(path)
                #expect(answer.status == 404 && error(answer) == "There is no such lead.", "\(path)")
            }
            #expect(try await record(reference, #"{"kind":"demo.booked"}"#).status == 404)
        }
    }

    @Test func `what happened to a lead comes oldest first, with what each was caused by`() async throws {
        try crm.record("demo.booked", lead: 2, ["slot": "Friday", "seats": "3"])
        try crm.foreign("UPDATE leads SET title = 'Boss' WHERE id = 2")
        let events = try #require(try await get("/api/leads/2/timeline").json?["events"]?.elements)
        #expect(events.map { $0["kind"]?.scalarText } == ["lead.created", "demo.booked", "lead.updated"])
        #expect(events[1]["body"]?.text() == #"{"seats":3,"slot":"Friday"}"#)
        #expect(events[1]["origin"] == .string("cli") && events[1]["cause_id"] == .null)
        let page = try await get("/api/leads/bob%40b.example/timeline?limit=2").json
        #expect(page?["events"]?.elements.count == 2 && page?["next"] == events[1]["event_id"])
        let rest = try await get("/api/leads/2/timeline?after=\(events[1]["event_id"]?.scalarText ?? "")").json
        #expect(rest?["events"]?.elements.map { $0["kind"] } == [.string("lead.updated")])
        #expect(try await get("/api/leads/2/timeline?limit=0").status == 400)
    }

    @Test func `a merged lead is answered as the one that was kept`() async throws {
        try crm.kernel.write(origin: "cli") { try $0.merge(1, into: 2) }
        #expect(try await get("/api/leads/1").json?["id"] == .integer(2))
        let kinds = try await get("/api/leads/1/timeline").json?["events"]?.elements.map { $0["kind"]?.scalarText }
        #expect(kinds?.filter { $0 == "lead.created" }.count == 2 && kinds?.last == "lead.merged")
    }

    // MARK: - Facts from elsewhere

    @Test func `a fact is recorded with its fields`() async throws {
        let answer = try await record("2", #"{"kind": "demo.booked", "slot": "Friday", "seats": 3}"#)
        #expect(answer.status == 201)
        #expect(answer.json?["event_id"]?.scalarText == "\(try crm.lastEvent)")
        #expect(try demos() == [#"2|2026-03-02 09:00:00.000|api|{"seats":3,"slot":"Friday"}"#])
        let form = try await admin.post(
            "/api/leads/bob@b.example/activities", "kind=demo.booked&at=2026-03-01+10:00", LeadAPITests.token)
        #expect(form.status == 201)
        #expect(try demos().last == "2|2026-03-01 10:00:00.000|api|{}")
    }

    @Test func `a fact that lies ahead is an appointment`() async throws {
        let answer = try await record("2", #"{"kind": "demo.booked", "at": "2026-03-09 10:00"}"#, key: "k")
        #expect(answer.status == 202 && answer.json?["event_id"] == .null)
        let again = try await record("2", #"{"kind": "demo.booked", "at": "2026-03-09 10:00"}"#, key: "k")
        #expect(again.status == 200 && again.json?["event_id"] == .null)
        #expect(try crm.rows("SELECT kind, due_at FROM scheduled_events") == ["demo.booked|2026-03-09 10:00:00.000"])
        crm.clock.advance(by: "8 days")
        try crm.pump()
        #expect(try demos().count == 1)
    }

    @Test func `a fact that cannot be is refused`() async throws {
        for (body, status, sentence) in [
            (#"{}"#, 400, "The field 'kind' is missing."),
            (
                #"{"kind": "demo.boked"}"#, 422,
                "'demo.boked' is no activity of this config. Did you mean 'demo.booked'? There are: demo.booked."
            ),
            (#"{"kind": "mail.sent"}"#, 422, "'mail.sent' is no activity of this config. There are: demo.booked."),
            (#"{"kind": "demo.booked", "slto": "x"}"#, 422, "slto: not a field of demo.booked. Did you mean 'slot'?"),
            (#"{"kind": "demo.booked", "seats": "many"}"#, 422, "seats: expected a whole number"),
            (#"{"kind": "demo.booked", "at": "soon"}"#, 422, "at: expected a time such as 2026-01-31 14:00"),
            (#"{"kind": "demo.booked", "slot": ["a", "b"]}"#, 422, "slot: given more than once"),
        ] {
            let events = try crm.events()
            let answer = try await record("2", body, key: "k")
            #expect(answer.status == status && error(answer) == sentence, "\(body)")
            #expect(try crm.events() == events && crm.rows("SELECT * FROM api_calls") == [])
        }
    }

    @Test func `a body that is no JSON is refused`() async throws {
        let answer = try await record("2", "{kind}")
        #expect(answer.status == 400 && error(answer)?.hasPrefix("The JSON cannot be read at byte 1") == true)
    }

    // MARK: - Repeated

    @Test func `a call repeated under its key is answered as the first time, and done once`() async throws {
        let body = #"{"kind": "demo.booked", "slot": "Friday"}"#
        let first = try await record("2", body, key: "abc")
        crm.clock.advance(by: "1 day")
        let again = try await record("2", body, key: "abc")
        #expect((first.status, again.status) == (201, 200))
        #expect(again.json == first.json)
        #expect(try demos().count == 1)
        #expect(try await record("2", body, key: "abd").status == 201)
        #expect(try await record("2", body).status == 201)
        #expect(try demos().count == 3)
        #expect(try crm.troubles() == [])
    }

    @Test func `a key is of one request alone`() async throws {
        #expect(try await record("2", #"{"kind": "demo.booked"}"#, key: "abc").status == 201)
        for (lead, body) in [("3", #"{"kind": "demo.booked"}"#), ("2", #"{"kind": "demo.booked", "slot": "x"}"#)] {
            let answer = try await record(lead, body, key: "abc")
            #expect(answer.status == 409)
            #expect(error(answer) == "This Idempotency-Key was used for another request. Choose a new one.")
        }
        #expect(try demos().count == 1)
    }

    @Test func `many at once under one key are done once`() async throws {
        let (admin, headers) = (self.admin, try LeadAPITests.headers(key: "abc"))
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...20 {
                group.addTask {
                    try await admin.post("/api/leads/2/activities", #"{"kind":"demo.booked"}"#, headers).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.sorted() == Array(repeating: 200, count: 19) + [201])
        #expect(try demos().count == 1)
    }

    @Test func `a key that is none is refused`() async throws {
        for key in ["", String(repeating: "x", count: 201), "two words"] {
            let answer = try await record("2", #"{"kind":"demo.booked"}"#, key: key)
            #expect(answer.status == 400)
            #expect(error(answer) == "The header Idempotency-Key takes 1 to 200 characters from ! to ~.")
            #expect(try demos() == [])
        }
    }

    // MARK: - What it says of itself

    @Test func `the API describes itself, and names every path there is`() async throws {
        let description = try #require(try await get("/api/openapi.json").json)
        guard case .object(let paths) = description["paths"] else {
            Issue.record("no paths")
            return
        }
        let described = Set(paths.map { $0.key.replacing("{lead}", with: ":lead") })
        #expect(described.isSuperset(of: LeadAPI.endpoints.map(\.path)))
    }
}
