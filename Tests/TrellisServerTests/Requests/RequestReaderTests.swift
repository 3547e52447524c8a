import Hummingbird
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisServer

/// Says what it saw of a request.
private struct Echo: Plugin {
    static let name = "echo"
    static let summary = "Says what it saw."

    init(settings: NoSettings) {}

    var hooks: [any Hook] { [] as [any Hook] }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/echo/:name", answer), Endpoint(.post, "/echo/:name", answer),
            Endpoint(.post, "/raw", body: .raw, answer),
        ]
    }

    private func answer(_ request: WebRequest) -> WebReply {
        func list(_ fields: WebFields) -> JSONValue {
            .array(fields.pairs.map { .string("\($0.name)=\($0.value)") })
        }
        return .json(
            .object([
                ("name", .string(request["name"])), ("path", .string(request.path)),
                ("method", .string(request.method)),
                ("query", list(request.query)), ("queryText", .string(request.queryText)),
                ("fields", list(request.fields)), ("body", .string(String(decoding: request.body, as: UTF8.self))),
                ("client", .string("\(request.client)")), ("accept", .string(request.header("accept") ?? "")),
            ]))
    }
}

@Suite struct RequestReaderTests {
    private let site: Listener
    private let crm: TestKernel

    init() throws {
        crm = try TestKernel(
            "server: {trusted_proxies: [10.0.0.0/8]}\nplugins: {echo: {}}", plugins: [Echo.self])
        site = try Listener.open(crm)
    }

    private func json(_ answer: Answer) throws -> JSONValue {
        #expect(answer.status == 200)
        return try #require(answer.json)
    }

    // MARK: - What an endpoint sees

    @Test func `an endpoint sees the path, its parameters and the query, decoded`() async throws {
        let json = try json(try await site.get("/echo/a%20b%2Fc?x=1%2B1&x=%C3%A9&y"))
        #expect(json["name"] == .string("a b/c") && json["method"] == .string("GET"))
        #expect(json["query"]?.text() == #"["x=1+1","x=é","y="]"#)
        #expect(json["queryText"] == .string("x=1%2B1&x=%C3%A9&y"))
        #expect(json["fields"]?.elements == [])
    }

    @Test func `an endpoint sees the fields of a form, whichever way it is written`() async throws {
        let form = try json(try await site.post("/echo/a?x=1", "x=2&y=a+b"))
        #expect(form["fields"]?.text() == #"["x=2","y=a b"]"# && form["query"]?.text() == #"["x=1"]"#)
        let body = #"{"x": 2, "y": ["a", "b"], "z": true}"#
        let written = try json(try await site.post("/echo/a", body, [.contentType: "application/json"]))
        #expect(written["fields"]?.text() == #"["x=2","y=a","y=b","z=true"]"#)
        #expect(written["body"] == .string(body))
    }

    @Test func `what is signed as a whole is not decoded`() async throws {
        let json = try json(try await site.post("/raw", "%FF&<xml/>", [.contentType: "text/xml"]))
        #expect(json["body"] == .string("%FF&<xml/>") && json["fields"]?.elements == [])
    }

    @Test func `headers of one name are one`() async throws {
        var headers = HTTPFields()
        headers[values: .accept] = ["text/html", "text/plain"]
        #expect(try json(try await site.get("/echo/a", headers))["accept"] == .string("text/html, text/plain"))
    }

    // MARK: - Refused

    @Test(arguments: ["/echo/a%0Ab", "/echo/%00", "/echo/%7F", "/echo/%FF"])
    func `a segment that is no text is nowhere`(_ path: String) async throws {
        #expect(try await site.get(path).status == 404)
    }

    @Test func `a body of the limit is read, and a larger one is not`() async throws {
        let most = String(repeating: "x", count: FormBody.bytesMax)
        #expect(try await site.post("/raw", most, [.contentType: "text/plain"]).status == 200)
        let large = try await site.post("/raw", most + "x", [.contentType: "text/plain"])
        #expect(large.status == 413 && large.body.contains("This is more than 256 KB. Send less at once."))
        #expect(large.headers[.connection] == "close")
    }

    // MARK: - Whose address counts

    private func client(_ peer: String?, _ forwarded: String...) throws -> String {
        let trusted = [try #require(AddressRange("10.0.0.0/8")), try #require(AddressRange("::1"))]
        return "\(ForwardedClient(trusted: trusted).address(peer: peer, forwardedFor: forwarded))"
    }

    @Test func `of a stranger the address of the connection counts, whatever is said`() throws {
        #expect(try client("203.0.113.7") == "203.0.113.7")
        #expect(try client("203.0.113.7", "198.51.100.4") == "203.0.113.7")
        #expect(try client("2001:db8::7", "198.51.100.4") == "2001:db8::7")
    }

    @Test func `of a trusted proxy the last address that is none counts`() throws {
        #expect(try client("10.0.0.1", "198.51.100.4") == "198.51.100.4")
        #expect(try client("::1", "198.51.100.4") == "198.51.100.4")
        #expect(try client("::ffff:10.0.0.1", "198.51.100.4") == "198.51.100.4")
        #expect(try client("10.0.0.1", "1.1.1.1, 198.51.100.4, 10.0.0.2") == "198.51.100.4")
        #expect(try client("10.0.0.1", "1.1.1.1", "198.51.100.4,10.0.0.2") == "198.51.100.4")
        #expect(try client("10.0.0.1", "2001:db8::7") == "2001:db8::7")
    }

    @Test func `what nobody can read ends the chain`() throws {
        #expect(try client("10.0.0.1") == "10.0.0.1")
        #expect(try client("10.0.0.1", "198.51.100.4, unknown") == "10.0.0.1")
        #expect(try client("10.0.0.1", "198.51.100.4:443") == "10.0.0.1")
        #expect(try client("10.0.0.1", "") == "10.0.0.1")
        #expect(try client("10.0.0.1", "10.0.0.2, 10.0.0.3") == "10.0.0.1")
    }

    @Test func `what comes from no network has nobody's address`() async throws {
        #expect(try client(nil, "198.51.100.4") == "0.0.0.0")
        #expect(try client("unix", "198.51.100.4") == "0.0.0.0")
        #expect(try json(try await site.get("/echo/a"))["client"] == .string("0.0.0.0"))
    }
}
