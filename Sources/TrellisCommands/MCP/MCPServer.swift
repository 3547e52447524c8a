import Foundation
import TrellisKernel

/// Answers the messages of the Model Context Protocol, one after another: JSON-RPC 2.0
/// (https://www.jsonrpc.org/specification) with the methods of
/// https://modelcontextprotocol.io/specification/2025-06-18. It holds no more than whether the client has introduced
/// itself.
struct MCPServer {
    private let tools: [MCPTool]
    private let resources: [MCPResource]
    private let version: String
    private var isIntroduced = false

    /// The revisions it speaks, the newest first.
    static let revisions = ["2025-06-18", "2025-03-26", "2024-11-05"]

    init(tools: [MCPTool], resources: [MCPResource], version: String) {
        self.tools = tools
        self.resources = resources
        self.version = version
    }

    /// What is answered to a line; nil where nothing is: to a notification, to an answer, to an empty line.
    mutating func reply(to line: MCPLines.Line) -> String? {
        guard case .text(let text) = line else {
            return MCPServer.failure(
                line == .tooLong
                    ? MCPError(.invalidRequest, "A message may be \(MCPLines.bytesMax) bytes long at most.")
                    : MCPError(.parseError, "A message is UTF-8 text."), to: .null)
        }
        guard text.contains(where: { !$0.isWhitespace }) else { return nil }
        guard let message = JSONValue(parsing: text) else {
            return MCPServer.failure(MCPError(.parseError, "The line is no JSON."), to: .null)
        }
        guard case .object = message else {
            let sentence =
                if case .array = message { "Messages come one by one: there are no batches." } else {
                    "A message is an object."
                }
            return MCPServer.failure(MCPError(.invalidRequest, sentence), to: .null)
        }
        return reply(to: message)
    }

    private mutating func reply(to message: JSONValue) -> String? {
        let id = message["id"]
        guard case .string(let method)? = message["method"] else {
            // An answer to what was never asked.
            if message["method"] == nil, message["result"] != nil || message["error"] != nil { return nil }
            return MCPServer.failure(MCPError(.invalidRequest, "A message has a method."), to: MCPServer.known(id))
        }
        // To a notification nothing is answered, whatever it says.
        guard let id else { return nil }
        guard MCPServer.known(id) != .null else {
            return MCPServer.failure(MCPError(.invalidRequest, "An id is a text or a whole number."), to: .null)
        }
        guard message["jsonrpc"] == .string("2.0") else {
            return MCPServer.failure(MCPError(.invalidRequest, "jsonrpc takes \"2.0\"."), to: id)
        }
        let params = message["params"] ?? .object([])
        guard case .object = params else {
            return MCPServer.failure(MCPError(.invalidParams, "params takes an object."), to: id)
        }
        do {
            let result = try answer(method, params)
            return MCPServer.text([("jsonrpc", .string("2.0")), ("id", id), ("result", result)])
        } catch {
            return MCPServer.failure(error, to: id)
        }
    }

    private mutating func answer(_ method: String, _ params: JSONValue) throws(MCPError) -> JSONValue {
        switch method {
        case "initialize": return introduce(params)
        case "ping": return .object([])
        default: break
        }
        guard isIntroduced else { throw MCPError(.invalidRequest, "The first request is initialize.") }
        switch method {
        case "tools/list": return .object([("tools", .array(tools.map(\.json)))])
        case "tools/call": return try call(params)
        case "resources/list": return .object([("resources", .array(resources.map(\.json)))])
        case "resources/templates/list": return .object([("resourceTemplates", .array([]))])
        case "resources/read": return try read(params)
        default: throw MCPError(.methodNotFound, "There is no method '\(method.prefix(60))' here.")
        }
    }

    private mutating func introduce(_ params: JSONValue) -> JSONValue {
        isIntroduced = true
        let asked = params["protocolVersion"]?.scalarText ?? ""
        let revision = MCPServer.revisions.contains(asked) ? asked : MCPServer.revisions[0]
        return .object([
            ("protocolVersion", .string(revision)),
            ("capabilities", .object([("tools", .object([])), ("resources", .object([]))])),
            (
                "serverInfo",
                .object([
                    ("name", .string("trellis")), ("title", .string("Trellis CRM")), ("version", .string(version)),
                ])
            ),
            ("instructions", .string(MCPTools.instructions)),
        ])
    }

    private func call(_ params: JSONValue) throws(MCPError) -> JSONValue {
        guard case .string(let name)? = params["name"] else {
            throw MCPError(.invalidParams, "name takes the name of a tool.")
        }
        guard let tool = tools.first(where: { $0.name == name }) else {
            let hint = NearMiss.hint(name, among: tools.map(\.name))
            let why = name == "write" ? " Writing is allowed by 'trellis mcp --write' alone." : ""
            throw MCPError(.invalidParams, "There is no tool '\(name.prefix(60))'.\(hint)\(why)")
        }
        let answer = try tool.answer(params["arguments"] ?? .object([]))
        return .object([
            ("content", .array([.object([("type", .string("text")), ("text", .string(answer.text))])])),
            ("isError", .bool(answer.isError)),
        ])
    }

    private func read(_ params: JSONValue) throws(MCPError) -> JSONValue {
        guard case .string(let uri)? = params["uri"] else {
            throw MCPError(.invalidParams, "uri takes the address of a resource.")
        }
        guard let resource = resources.first(where: { $0.uri == uri }) else {
            throw MCPError(.resourceNotFound, "There is no resource '\(uri.prefix(100))'. See resources/list.")
        }
        let text: String
        do {
            text = try resource.read()
        } catch {
            throw MCPError(.internalError, "\(error)")
        }
        return .object([
            (
                "contents",
                .array([
                    .object([
                        ("uri", .string(uri)), ("mimeType", .string(resource.mimeType)), ("text", .string(text)),
                    ])
                ])
            )
        ])
    }

    // MARK: - Writing

    /// An id that may be answered to; null for any other.
    private static func known(_ id: JSONValue?) -> JSONValue {
        switch id {
        case .string(let text) where text.utf8.count <= 1_000: .string(text)
        case .integer(let number): .integer(number)
        default: .null
        }
    }

    private static func failure(_ error: MCPError, to id: JSONValue) -> String {
        text([
            ("jsonrpc", .string("2.0")), ("id", id),
            (
                "error",
                .object([("code", .integer(Int64(error.code.rawValue))), ("message", .string(error.sentence))])
            ),
        ])
    }

    private static func text(_ entries: [(key: String, value: JSONValue)]) -> String {
        JSONValue.object(entries).text()
    }
}

/// An error of the protocol: what the client did wrong, as against what a tool could not do.
struct MCPError: Error {
    enum Code: Int {
        case parseError = -32_700
        case invalidRequest = -32_600
        case methodNotFound = -32_601
        case invalidParams = -32_602
        case internalError = -32_603
        case resourceNotFound = -32_002
    }

    let code: Code
    let sentence: String

    init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }
}

/// A text that a client may read.
struct MCPResource: Sendable {
    let uri: String
    let name: String
    let title: String
    let description: String
    let mimeType: String
    let read: @Sendable () throws -> String

    var json: JSONValue {
        .object([
            ("uri", .string(uri)), ("name", .string(name)), ("title", .string(title)),
            ("description", .string(description)), ("mimeType", .string(mimeType)),
        ])
    }
}
