import Foundation
import TrellisKernel
import TrellisServer

/// The tools of `trellis mcp`. A further one is a value in ``reading``.
struct MCPTools: Sendable {
    let kernel: Kernel
    let child: QueryChild
    let trials: TrialProcess

    static let instructions = """
        This is a CRM in one SQLite file. Ask it in SQL (SQLite's dialect) with the tool query; look at schema first: every \
        table has a comment that says what a row is. lead_cards has each lead with score, sequence and rep; events is the \
        log of all that happened; times are UTC text. To learn why something is so, use trace; to learn what another config would do, \
        plan and simulate, which change nothing.
        """

    var reading: [MCPTool] { [query, named, trace, schema, status] + trying }

    // MARK: - Asking

    private var query: MCPTool {
        MCPTool(
            "query", title: "Ask in SQL",
            """
            Runs one SELECT and gives columns and rows as JSON. It only reads, for \(kernel.config.site.server.admin.sql.seconds) s and \
            \(kernel.config.site.server.admin.sql.rows) rows at most; what is secret is refused, or reads as NULL and is \
            named under hidden. Bind values as :name.
            """,
            arguments: [
                MCPTool.Argument("sql", "string", "One SELECT in SQLite's dialect.", isRequired: true),
                MCPTool.Argument("parameters", "object", "Values by the name of their parameter, without the colon."),
                MCPTool.Argument("limit", "integer", "Rows at most."),
            ]
        ) { given in
            var question = GuardedQuery(given["sql"]?.scalarText ?? "", for: kernel, by: .house)
            question.parameters = try MCPTools.cells(given["parameters"])
            return try answer(question, limit: given["limit"])
        }
    }

    private var named: MCPTool {
        let list = kernel.config.site.queries.map { query in
            let parameters = query.value.parameters.map(\.name).joined(separator: ", ")
            return "\(query.name)(\(parameters))" + (query.value.description.map { ": \($0)" } ?? "")
        }
        return MCPTool(
            "named_query", title: "Ask a query of the house",
            "Runs a query that this CRM keeps under a name. There are: \(list.isEmpty ? "none" : list.joined(separator: "; ")).",
            arguments: [
                MCPTool.Argument("name", "string", "The name of the query.", isRequired: true),
                MCPTool.Argument(
                    "parameters", "object", "Values by the name of their parameter; others have their defaults."),
                MCPTool.Argument("limit", "integer", "Rows at most."),
            ]
        ) { given in
            let name = given["name"]?.scalarText ?? ""
            let queries = kernel.config.site.queries
            guard let query = queries.first(where: { $0.name == name }) else {
                throw KernelError.usage(
                    "There is no query '\(name.prefix(60))'.\(NearMiss.hint(name, among: queries.map(\.name)))")
            }
            var question = GuardedQuery(query.value.sql.value, for: kernel, by: .house)
            question.isByStranger = false
            let cells = try MCPTools.cells(given["parameters"])
            question.parameters = try query.value.values(cells.mapValues(\.text))
            return try answer(question, limit: given["limit"])
        }
    }

    private func answer(_ question: GuardedQuery, limit: JSONValue?) throws -> MCPTool.Answer {
        var question = question
        if case .integer(let rows)? = limit {
            guard rows >= 1 else { throw KernelError.usage("limit takes a whole number from 1.") }
            question.allowance.rows = Int(min(rows, Int64(question.allowance.rows)))
        }
        let answer = try child.answer(question)
        if let problem = answer.ending.problem, problem.kind != .tooMuch {
            return MCPTool.Answer(text: problem.description, isError: true)
        }
        let text = String(decoding: answer.json(), as: UTF8.self).trimmingCharacters(in: .newlines)
        return MCPTool.Answer(text: text, isError: answer.ending.problem != nil)
    }

    private static func cells(_ json: JSONValue?) throws -> [String: Cell] {
        guard case .object(let entries)? = json else { return [:] }
        return try entries.reduce(into: [:]) { cells, entry in
            guard let cell = Cell(scalar: entry.value) else {
                throw KernelError.usage("The parameter '\(entry.key.prefix(60))' takes a text, a number or null.")
            }
            cells[entry.key] = cell
        }
    }

    // MARK: - Looking

    private var trace: MCPTool {
        MCPTool(
            "trace", title: "Why is it so?",
            """
            Tells what happened to a lead, or what led to one row and came of it: a tree in words, each line below its cause. \
            Give a lead (an id, an address, external:ID) or one of \(kernel.traceNouns.map { "\($0):ID" }.joined(separator: ", ")).
            """,
            arguments: [MCPTool.Argument("subject", "string", "A lead, or a row: mail:17.", isRequired: true)]
        ) { given in
            let trace = try kernel.trace(given["subject"]?.scalarText ?? "")
            let lead = trace.leadID.map { ["Lead \($0)"] } ?? []
            let rest = trace.omitted > 0 ? ["\(trace.omitted) more are not shown."] : []
            return MCPTool.Answer(text: (lead + CauseTree(trace).lines + rest).joined(separator: "\n"))
        }
    }

    private var schema: MCPTool {
        MCPTool(
            "schema", title: "What is where?",
            "Without a name: all tables and views, a line each. With one: its statement, its columns with their comments.",
            arguments: [MCPTool.Argument("name", "string", "A table or a view: leads.")]
        ) { given in
            let text = try kernel.config.schemaText(plugins: kernel.pluginTypes)
            guard let name = given["name"]?.scalarText else {
                return MCPTool.Answer(text: text.names.map { "\($0)\(text.summary(of: $0))" }.joined(separator: "\n"))
            }
            let statements = text.statements(of: name)
            guard !statements.isEmpty else {
                throw KernelError.usage(
                    "There is no table or view '\(name.prefix(60))'.\(NearMiss.hint(name, among: text.names))")
            }
            return MCPTool.Answer(text: statements.joined(separator: "\n\n"))
        }
    }

    private var status: MCPTool {
        MCPTool(
            "status", title: "Is all well?",
            "The worker, the backlog, the outbox, and what stands still and needs a person."
        ) { _ in
            let lines = StatusLines(kernel)
            let facts = try lines.facts().map { "\($0.0): \($0.1)" }
            let stops = try lines.stops().rows.map { row in row.map { $0.text ?? "" }.joined(separator: " | ") }
            let standing = stops.isEmpty ? ["Nothing stands still."] : ["Standing still:"] + stops
            return MCPTool.Answer(text: (facts + standing).joined(separator: "\n"))
        }
    }

    // MARK: - Writing

    /// As long as a statement runs nobody else writes, and nobody sits by who would stop it.
    static let writingSeconds = 60.0

    var write: MCPTool {
        MCPTool(
            "write", title: "Write in SQL",
            """
            Runs one statement that writes, in a transaction of its own. It is logged as sql:mcp, fires the same hooks as a form, \
            and is kept so that a person can take it back: 'trellis undo ID'. It may read what query may, and takes \
            \(Int(MCPTools.writingSeconds)) s at most. Say what you are about to change before you do.
            """,
            arguments: [
                MCPTool.Argument(
                    "sql", "string", "One INSERT, UPDATE or DELETE in SQLite's dialect.", isRequired: true),
                MCPTool.Argument("parameters", "object", "Values by the name of their parameter, without the colon."),
            ], isReadOnly: false
        ) { given in
            let clock = kernel.clock
            let writing = try HandWriting(
                path: kernel.config.databasePath, user: "mcp", hiding: kernel.secrets, seconds: MCPTools.writingSeconds,
                now: { clock.now() })
            let outcome = try writing.run(
                given["sql"]?.scalarText ?? "", parameters: try MCPTools.cells(given["parameters"])
            ) { _ in true }
            guard let id = outcome.id else {
                return MCPTool.Answer(text: "Nothing was written. Use query to read.", isError: true)
            }
            return MCPTool.Answer(text: outcome.receipt("A person can take it back with: trellis undo \(id)"))
        }
    }

    // MARK: - Reading texts

    var resources: [MCPResource] {
        let types = kernel.pluginTypes
        return [
            MCPResource(
                uri: "trellis://schema/config", name: "config-reference", title: "What config.yaml takes",
                description: "Every key of config.yaml: what it takes and what it is.", mimeType: "text/markdown"
            ) { ConfigReference(schema: Config.schema(plugins: types)).markdown },
            MCPResource(
                uri: "trellis://schema/sql", name: "sql-schema", title: "The tables and views",
                description: "Every statement of the schema, each table under the comment that says what a row is.",
                mimeType: "application/sql"
            ) { try kernel.config.schemaText(plugins: types).statements().joined(separator: "\n\n") },
        ]
    }
}
