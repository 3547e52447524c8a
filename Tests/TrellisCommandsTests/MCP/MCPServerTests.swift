import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@testable import TrellisCommands
@testable import TrellisServer

@Suite struct MCPServerTests {
    private let crm: TestKernel
    private let tools: MCPTools

    init() throws {
        crm = try TestKernel(
            """
            server: {admin: {sql: {seconds: 30}}}
            queries:
              by-country: {description: Leads of a country, parameters: {country: DE}, sql: "SELECT email FROM leads WHERE country = :country"}
            """)
        try crm.capture(["email": "ann@a.example", "country": "DE", "phone": "+49 30 123456"])
        tools = MCPTools(
            kernel: crm.kernel, child: QueryChild(program: [TrellisProcess.path, GuardedQuery.command]),
            trials: TrialProcess(program: TrellisProcess.path))
    }

    /// What holds a server, so that it can be asked within an expectation.
    private final class Client {
        private var server: MCPServer

        init(_ server: MCPServer) {
            self.server = server
        }

        func reply(to line: MCPLines.Line) -> String? { server.reply(to: line) }
    }

    private func server(writes: Bool = false, isIntroduced: Bool = true) -> Client {
        let server = Client(
            MCPServer(
                tools: tools.reading + (writes ? [tools.write] : []), resources: tools.resources, version: "1"))
        if isIntroduced { _ = server.reply(to: .text(#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#)) }
        return server
    }

    private func ask(_ method: String, _ params: String = "{}", writes: Bool = false) throws -> JSONValue {
        let server = server(writes: writes)
        let line = #"{"jsonrpc":"2.0","id":"q","method":"\#(method)","params":\#(params)}"#
        let answer = server.reply(to: .text(line)) ?? ""
        let reply = try #require(JSONValue(parsing: answer))
        #expect(reply["id"] == .string("q") && reply["jsonrpc"] == .string("2.0"))
        return reply
    }

    /// What a tool says; where it could not, after an exclamation mark.
    private func call(_ tool: String, _ arguments: String = "{}", writes: Bool = false) throws -> String {
        let reply = try ask("tools/call", #"{"name":"\#(tool)","arguments":\#(arguments)}"#, writes: writes)
        if let error = reply["error"] {
            return "\(error["code"]?.scalarText ?? ""): \(error["message"]?.scalarText ?? "")"
        }
        let text = reply["result"]?["content"]?.elements.first?["text"]?.scalarText ?? ""
        return (reply["result"]?["isError"] == .bool(true) ? "! " : "") + text
    }

    // MARK: - The beginning

    @Test(arguments: [
        ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"), ("2024-11-05", "2024-11-05"),
        ("2099-01-01", "2025-06-18"), ("", "2025-06-18"),
    ])
    func `a revision that both speak is agreed on`(_ asked: String, _ agreed: String) throws {
        let server = server(isIntroduced: false)
        let line =
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"\#(asked)","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#
        let answer = server.reply(to: .text(line)) ?? ""
        let result = try #require(JSONValue(parsing: answer))["result"]
        #expect(result?["protocolVersion"] == .string(agreed))
        #expect(result?["capabilities"]?["tools"] == .object([]))
        #expect(result?["serverInfo"]?["name"] == .string("trellis"))
        #expect(server.reply(to: .text(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)) == nil)
    }

    @Test func `before it is introduced a client may ping, and no more`() {
        let server = server(isIntroduced: false)
        #expect(
            server.reply(to: .text(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#))
                == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        #expect(
            server.reply(to: .text(#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#))
                == #"{"jsonrpc":"2.0","id":2,"error":{"code":-32600,"message":"The first request is initialize."}}"#)
    }

    // MARK: - Tools

    @Test func `each tool says what it takes and whether it writes, and write is there by permission`() throws {
        let reading = try ask("tools/list")["result"]?["tools"]?.elements ?? []
        #expect(
            reading.compactMap { $0["name"]?.scalarText } == [
                "query", "named_query", "trace", "schema", "status", "plan", "simulate",
            ])
        for tool in reading {
            #expect(tool["inputSchema"]?["type"] == .string("object"))
            #expect(tool["annotations"]?["readOnlyHint"] == .bool(true))
            #expect((tool["description"]?.scalarText?.count ?? 0) > 40)
        }
        let all = try ask("tools/list", writes: true)["result"]?["tools"]?.elements ?? []
        #expect(all.last?["name"] == .string("write"))
        #expect(all.last?["annotations"]?["readOnlyHint"] == .bool(false))
        #expect(all.last?["annotations"]?["destructiveHint"] == .bool(true))
    }

    @Test func `a question is answered by a process of its own, under the rules of the API`() throws {
        #expect(
            try call("query", #"{"sql":"SELECT email, country FROM leads WHERE id = :id","parameters":{"id":1}}"#)
                .hasPrefix(#"{"columns":["email","country"],"rows":[["ann@a.example","DE"]],"truncated":false"#))
        #expect(
            try call("query", #"{"sql":"SELECT 1 UNION SELECT 2","limit":1}"#).contains(
                #""rows":[[1]],"truncated":true,"cut_by":"rows""#))
        #expect(try call("query", #"{"sql":"DELETE FROM leads"}"#) == "! The table leads may not be written here.")
        #expect(
            try call("query", #"{"sql":"SELECT * FROM sql_writes"}"#) == "! The table sql_writes may not be read here.")
        #expect(try call("query", #"{"sql":"SELEC 1"}"#).hasPrefix("! SQL: near \"SELEC\""))
        #expect(try crm.rows("SELECT count(*) FROM leads") == ["1"])
    }

    @Test func `a question that never ends is stopped`() throws {
        let crm = try TestKernel("server: {admin: {sql: {seconds: 0.5}}}")
        let tools = MCPTools(
            kernel: crm.kernel, child: QueryChild(program: [TrellisProcess.path, GuardedQuery.command]),
            trials: TrialProcess(program: TrellisProcess.path))
        let query = try #require(tools.reading.first { $0.name == "query" })
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"
        let answer = try query.answer(.object([("sql", .string(sql))]))
        #expect(
            answer.isError && answer.text.contains("The query took longer than 0.5 s and was stopped."), "\(answer)")
    }

    @Test func `a query of the house is asked by name`() throws {
        #expect(try call("named_query", #"{"name":"by-country"}"#).contains(#""rows":[["ann@a.example"]]"#))
        #expect(
            try call("named_query", #"{"name":"by-country","parameters":{"country":"FR"}}"#).contains(#""rows":[]"#))
        #expect(
            try call("named_query", #"{"name":"by-county"}"#)
                == "! There is no query 'by-county'. Did you mean 'by-country'?")
        #expect(
            try call("named_query", #"{"name":"by-country","parameters":{"town":"x"}}"#).hasPrefix(
                "! 'town' is no parameter"))
    }

    @Test func `the other tools tell why, what is where, and whether all is well`() throws {
        #expect(try call("trace", #"{"subject":"ann@a.example"}"#).contains("came in as lead  (lead.created #"))
        #expect(try call("trace", #"{"subject":"mail:9"}"#) == "! There is no mail:9.")
        #expect(try call("schema").contains("leads: A person we may sell to."))
        #expect(try call("schema", #"{"name":"stages"}"#).contains("CREATE TABLE stages"))
        #expect(
            try call("schema", #"{"name":"leeds"}"#) == "! There is no table or view 'leeds'. Did you mean 'leads'?")
        #expect(try call("status").hasSuffix("Nothing stands still."))
    }

    @Test func `what is to be tried is a config of this folder, and a number within bounds`() throws {
        let refused =
            "! There is no config 'NAME' in the folder of config.yaml. Name a .yaml file there, such as new.yaml."
        let outside = NSTemporaryDirectory() + UUID().uuidString + ".yaml"
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try Data("site: {}".utf8).write(to: URL(filePath: outside))
        try FileManager.default.createSymbolicLink(atPath: crm.folder + "/link.yaml", withDestinationPath: outside)
        try Data("A=1".utf8).write(to: URL(filePath: crm.folder + "/.env"))
        for name in ["link.yaml", outside, "../none.yaml", ".env", "none.yaml"] {
            #expect(try call("plan", #"{"file":"\#(name)"}"#) == refused.replacing("NAME", with: name))
        }
        #expect(try call("plan", #"{"text":"a: 1","file":"b.yaml"}"#) == "! Give text or file, and not both.")
        #expect(try call("plan", #"{"rebuild":"scoring"}"#).hasPrefix("! There is no plugin 'scoring'."))
        #expect(try call("simulate") == "-32602: simulate needs days: How many: from 1 to 366.")
        #expect(try call("simulate", #"{"days":0}"#) == "! days takes a whole number from 1 to 366.")
        #expect(try call("simulate", #"{"days":1,"seed":-1}"#) == "! seed takes a whole number from 0.")
        #expect(
            try call("simulate", #"{"days":1,"leads_per_day":10001}"#)
                == "! leads_per_day takes a whole number from 0 to 10000.")
    }

    @Test func `what is to be tried reaches for no secret and no file elsewhere`() throws {
        let reaching = [
            (#"site: {name: \"${TRELLIS_ADMIN_TOKEN}\"}"#, "site.name: a value of the environment, '${…}', is not"),
            (#"site: {secret: \"x${TRELLIS_SECRET}\"}"#, "site.secret: a value of the environment, '${…}', is not"),
            (
                "magnets: {guide: {page: /etc/hostname}}",
                "magnets.guide.page: a path that begins with '/', has '..' in it"
            ),
            ("mail: {templates: ../..}", "mail.templates: a path that begins with '/', has '..' in it"),
        ]
        for (number, (yaml, refusal)) in reaching.enumerated() {
            let text = yaml.replacing("\\\"", with: "\"")
            try Data(text.utf8).write(to: URL(filePath: crm.folder + "/new\(number).yaml"))
            for arguments in [#""text":"\#(yaml)""#, #""file":"new\#(number).yaml""#] {
                for said in [try call("plan", "{\(arguments)}"), try call("simulate", #"{"days":1,\#(arguments)}"#)] {
                    #expect(said.hasPrefix("! the new config:1:") && said.contains(": \(refusal)"), "\(said)")
                    #expect(said.hasSuffix("or let a person try it: trellis plan FILE."), "\(said)")
                    #expect(!said.contains("hostname") && !said.contains("TRELLIS_"), "\(said)")
                }
            }
        }
    }

    @Test func `nobody is named where a column is hidden`() throws {
        let crm = try TestKernel(#"server: {admin: {token: "${TRELLIS_ADMIN_TOKEN}", sql: {hidden: [leads.email]}}}"#)
        let tools = MCPTools(
            kernel: crm.kernel, child: QueryChild(program: [TrellisProcess.path, GuardedQuery.command]),
            trials: TrialProcess(program: TrellisProcess.path))
        let plan = try #require(tools.reading.first { $0.name == "plan" })
        let answer = try plan.answer(.object([("who", .integer(5))]))
        #expect(answer.isError)
        #expect(
            answer.text
                == "who is not given here: server.admin.sql.hidden hides columns, and a config may ask for what is in them. Leave it out for counts alone."
        )
        #expect(plan.arguments.first { $0.name == "who" }?.description == answer.text)
        let open = self.tools.reading.first { $0.name == "plan" }?.arguments.first { $0.name == "who" }
        #expect(open?.description.hasPrefix("How many leads of each change are named too") == true)
    }

    @Test func `what is written is logged and can be taken back`() throws {
        #expect(try call("write", #"{"sql":"DELETE FROM leads"}"#).hasPrefix("-32602: There is no tool 'write'."))
        let sql = #"{"sql":"UPDATE leads SET stage = 'mql' WHERE id = :id","parameters":{"id":1}}"#
        #expect(try call("write", sql, writes: true) == "1 row changed. A person can take it back with: trellis undo 1")
        #expect(
            try crm.rows("SELECT kind, origin FROM events ORDER BY id DESC LIMIT 1") == ["lead.stage_changed|sql:mcp"])
        _ = try Undo(crm.kernel, user: "test").undo()
        #expect(try crm.rows("SELECT stage FROM leads") == ["lead"])
        #expect(try call("write", #"{"sql":"SELECT 1"}"#, writes: true) == "! Nothing was written. Use query to read.")
        #expect(try call("write", #"{"sql":"ATTACH 'x' AS y"}"#, writes: true).hasPrefix("! "))
        let leak = #"{"sql":"UPDATE leads SET city = (SELECT max(text) FROM config_history)"}"#
        #expect(try call("write", leak, writes: true) == "! The column config_history.text may not be read here.")
    }

    @Test func `the texts of the schema are resources`() throws {
        let list = try ask("resources/list")["result"]?["resources"]?.elements ?? []
        #expect(list.compactMap { $0["uri"]?.scalarText } == ["trellis://schema/config", "trellis://schema/sql"])
        let read = try ask("resources/read", #"{"uri":"trellis://schema/config"}"#)["result"]?["contents"]?.elements
            .first
        #expect(read?["mimeType"] == .string("text/markdown"))
        #expect(read?["text"]?.scalarText?.hasPrefix("# config.yaml") == true)
        #expect(try ask("resources/templates/list")["result"]?["resourceTemplates"] == .array([]))
        #expect(try ask("resources/read", #"{"uri":"file:///etc/passwd"}"#)["error"]?["code"] == .integer(-32_002))
    }

    // MARK: - Messages that are none

    private static let deep = String(repeating: "[", count: 100_000)
    static let malformed: [(String, Int)] = [
        ("{", -32_700), ("}", -32_700), ("nonsense", -32_700), ("\"", -32_700), ("{\"jsonrpc\":}", -32_700),
        (deep, -32_700), ("{\"a\":" + deep, -32_700), ("\u{0}", -32_700), ("{'id':1}", -32_700), ("NaN", -32_700),
        ("1", -32_600), ("null", -32_600), ("true", -32_600), ("\"ping\"", -32_600), ("[]", -32_600),
        (#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32_600), ("{}", -32_600), (#"{"id":1}"#, -32_600),
        (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32_600), (#"{"jsonrpc":"2.0","id":1,"method":null}"#, -32_600),
        (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32_600),
        (#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32_600),
        (#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32_600),
        (#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32_600),
        (#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, -32_600),
        (#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32_600),
        (#"{"id":1,"method":"ping"}"#, -32_600), (#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, -32_600),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm -rf"}}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":[]}}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{}}}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{"sql":7}}}"#, -32_602),
        (
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{"sql":null}}}"#,
            -32_602
        ),
        (
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{"sql":"SELECT 1","x":1}}}"#,
            -32_602
        ),
        (
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query","arguments":{"sql":"SELECT 1","limit":"all"}}}"#,
            -32_602
        ),
        (#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{}}"#, -32_602),
        (#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"trellis://"}}"#, -32_002),
        (#"{"jsonrpc":"2.0","id":1,"method":"prompts/list"}"#, -32_601),
        (#"{"jsonrpc":"2.0","id":1,"method":""}"#, -32_601),
        (#"{"jsonrpc":"2.0","id":1,"method":"__proto__"}"#, -32_601),
        (#"{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}"#, -32_601),
    ]

    @Test func `whatever comes is answered by the spec, and the next question as ever`() throws {
        #expect(Self.malformed.count >= 40)
        let server = server()
        for (line, code) in Self.malformed {
            let answer = server.reply(to: .text(line)) ?? ""
            let reply = try #require(JSONValue(parsing: answer), "\(line.prefix(80))")
            #expect(reply["error"]?["code"] == .integer(Int64(code)), "\(line.prefix(120)): \(reply.text())")
            #expect(
                server.reply(to: .text(#"{"jsonrpc":"2.0","id":"next","method":"ping"}"#))
                    == #"{"jsonrpc":"2.0","id":"next","result":{}}"#)
        }
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}"#,
        #"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"write"}}"#, #"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        #"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}"#, "", "   ",
    ])
    func `nothing is answered to what asks nothing`(_ line: String) {
        let server = server(writes: true)
        #expect(server.reply(to: .text(line)) == nil)
    }

    @Test func `a line that is too long or no text is refused`() throws {
        let server = server()
        #expect(
            server.reply(to: .tooLong)
                == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"A message may be 1048576 bytes long at most."}}"#
        )
        #expect(
            server.reply(to: .notUTF8)
                == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"A message is UTF-8 text."}}"#)
    }
}
