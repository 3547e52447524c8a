import TrellisKernel

/// Something an assistant may do here: a name, what it is told about it, and what is done.
///
/// ```swift
/// MCPTool("status", title: "Is all well?", "What stands still, and how far the work is.") { _ in
///     MCPTool.Answer(text: …)
/// }
/// ```
struct MCPTool: Sendable {
    /// One argument: what it takes as JSON Schema has it (`string`, `integer`, `object`).
    struct Argument: Sendable {
        let name: String
        let type: String
        let description: String
        let isRequired: Bool

        init(_ name: String, _ type: String, _ description: String, isRequired: Bool = false) {
            self.name = name
            self.type = type
            self.description = description
            self.isRequired = isRequired
        }
    }

    /// What a tool says; an error is one that the assistant may mend and try again.
    struct Answer: Sendable {
        var text: String
        var isError = false
    }

    let name: String
    let title: String
    let description: String
    let arguments: [Argument]
    let isReadOnly: Bool
    private let run: @Sendable (JSONValue) throws -> Answer

    init(
        _ name: String, title: String, _ description: String, arguments: [Argument] = [], isReadOnly: Bool = true,
        run: @escaping @Sendable (JSONValue) throws -> Answer
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.arguments = arguments
        self.isReadOnly = isReadOnly
        self.run = run
    }

    /// As `tools/list` gives it (https://modelcontextprotocol.io/specification/2025-06-18/server/tools).
    var json: JSONValue {
        let properties = arguments.map { argument in
            (
                key: argument.name,
                value: JSONValue.object([
                    ("type", .string(argument.type)), ("description", .string(argument.description)),
                ])
            )
        }
        return .object([
            ("name", .string(name)), ("title", .string(title)), ("description", .string(description)),
            (
                "inputSchema",
                .object([
                    ("type", .string("object")), ("properties", .object(properties)),
                    ("required", .array(arguments.filter(\.isRequired).map { .string($0.name) })),
                    ("additionalProperties", .bool(false)),
                ])
            ),
            (
                "annotations",
                .object([
                    ("title", .string(title)), ("readOnlyHint", .bool(isReadOnly)),
                    ("destructiveHint", .bool(!isReadOnly)), ("idempotentHint", .bool(isReadOnly)),
                    ("openWorldHint", .bool(false)),
                ])
            ),
        ])
    }

    /// - Throws: ``MCPError`` for arguments that do not fit; what the tool could not do is an answer.
    func answer(_ given: JSONValue) throws(MCPError) -> Answer {
        guard case .object(let entries) = given else { throw MCPError(.invalidParams, "arguments takes an object.") }
        for entry in entries {
            guard let argument = arguments.first(where: { $0.name == entry.key }) else {
                let hint = NearMiss.hint(entry.key, among: arguments.map(\.name))
                throw MCPError(.invalidParams, "\(name) takes no '\(entry.key.prefix(60))'.\(hint)")
            }
            guard entry.value == .null && !argument.isRequired || MCPTool.isA(argument.type, entry.value) else {
                throw MCPError(.invalidParams, "\(argument.name) takes \(MCPTool.words[argument.type] ?? "a value").")
            }
        }
        for argument in arguments where argument.isRequired && given[argument.name] == nil {
            throw MCPError(.invalidParams, "\(name) needs \(argument.name): \(argument.description)")
        }
        do {
            return try run(given)
        } catch {
            return Answer(text: "\(error)", isError: true)
        }
    }

    private static let words = ["string": "a text", "integer": "a whole number", "object": "an object"]

    private static func isA(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("string", .string), ("integer", .integer), ("object", .object): true
        default: false
        }
    }
}
