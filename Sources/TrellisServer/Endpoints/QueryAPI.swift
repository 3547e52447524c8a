import Foundation
import TrellisKernel

/// Questions in SQL for programs of the house: any by `POST /api/sql`, and those that the config names.
struct QueryAPI: Sendable {
    let pool: QueryPool

    var endpoints: [Endpoint] {
        [
            Endpoint(.post, "/api/sql", body: .raw) { try await ask($0) },
            Endpoint(.get, "/api/queries") { .json(QueryAPI.list($0.kernel)) },
            Endpoint(.get, "/api/queries/:query") { try await named($0) },
        ]
    }

    /// `{"sql": "SELECT …", "parameters": {"country": "DE"}, "limit": 100}`
    private func ask(_ request: WebRequest) async throws -> WebReply {
        guard request.header("content-type")?.hasPrefix("application/json") == true else {
            throw WebProblem(415, "Send the question as application/json.")
        }
        guard let text = String(validating: request.body, as: UTF8.self), let json = JSONValue(parsing: text),
            case .object(let entries) = json
        else { throw WebProblem(400, #"The body is no JSON object such as {"sql": "SELECT 1"}."#) }
        let known = ["sql", "parameters", "limit"]
        for entry in entries where !known.contains(entry.key) {
            let hint = NearMiss.hint(entry.key, among: known)
            throw WebProblem(
                400,
                "'\(entry.key.prefix(60))' is not known here.\(hint) There are: \(known.joined(separator: ", ")).")
        }
        guard case .string(let sql) = json["sql"] else { throw WebProblem(400, "The text 'sql' is missing.") }
        guard sql.utf8.count <= GuardedQuery.Allowance.sqlBytesMax else {
            throw WebProblem(413, "A statement may be \(GuardedQuery.Allowance.sqlBytesMax) bytes long at most.")
        }
        var query = GuardedQuery(sql, for: request.kernel, by: try QueryAPI.caller(of: request))
        query.parameters = try QueryAPI.cells(json["parameters"])
        if let limit = json["limit"], limit != .null {
            guard case .integer(let rows) = limit else { throw QueryAPI.noLimit(query) }
            query.allowance.rows = try QueryAPI.rows(Int(clamping: rows), query)
        }
        return try await answer(query)
    }

    private func named(_ request: WebRequest) async throws -> WebReply {
        let found = try QueryAPI.find(request)
        var given = try QueryAPI.given(request)
        // A parameter of the query may have the name of an option, which then is none.
        func option(_ name: String) -> String? {
            guard !found.parameters.contains(where: { $0.name == name }) else { return nil }
            return given.removeValue(forKey: name) ?? nil
        }
        let (format, limit, raw) = (option("format"), option("limit"), option("raw"))
        var query = GuardedQuery(found.sql.value, for: request.kernel, by: try QueryAPI.caller(of: request))
        query.isByStranger = false
        query.parameters = try QueryAPI.values(found, given, beside: ["format", "limit", "raw"])
        query.rowForm = try QueryAPI.form(format, accepted: request.header("accept"), of: found)
        if let raw {
            guard raw == "0" || raw == "1" else { throw WebProblem(400, "raw takes 0 or 1.") }
            query.isRaw = raw == "1"
        }
        if let limit {
            guard let rows = Int(limit) else { throw QueryAPI.noLimit(query) }
            query.allowance.rows = try QueryAPI.rows(rows, query)
        }
        return try await answer(query)
    }

    private func answer(_ query: GuardedQuery) async throws -> WebReply {
        let answer = try await ask(query)
        if let problem = answer.ending.problem {
            guard problem.kind == .tooMuch else { throw QueryAPI.problem(problem) }
            return WebReply(
                status: 422, headers: [("content-type", "application/json")],
                body: .bytes(
                    query.rowForm == .json ? answer.json() : QueryAPI.error(problem)))
        }
        let type =
            switch query.rowForm {
            case .json: "application/json"
            case .ndjson: "application/x-ndjson"
            case .csv: "text/csv; charset=utf-8; header=present"
            }
        var reply = WebReply(
            headers: [("content-type", type)], body: .bytes(query.rowForm == .json ? answer.json() : answer.lines()))
        if let cut = answer.ending.cutBy { reply = reply.with("trellis-truncated-by", cut) }
        if let hidden = answer.hiddenHeader { reply = reply.with("trellis-hidden", hidden) }
        return reply
    }

    // MARK: - Shared with the pages

    /// - Throws: ``WebProblem`` where too many ask.
    func ask(_ query: GuardedQuery) async throws -> QueryAnswer {
        do {
            return try await pool.answer(query)
        } catch {
            throw QueryAPI.problem(error)
        }
    }

    /// - Throws: ``WebProblem`` where nobody is known by what the request says: none such comes this far.
    static func caller(of request: WebRequest) throws -> Caller {
        let admin = request.kernel.config.site.server.admin
        guard let caller = Caller(request.header("authorization"), admin, takesPasswords: true) else {
            throw WebProblem(401, Caller.unknown)
        }
        return caller
    }

    static func find(_ request: WebRequest) throws -> NamedQuery {
        let queries = request.kernel.config.site.queries
        guard let query = queries.first(where: { $0.name == request["query"] }) else {
            throw WebProblem(
                404, "There is no query of this name.\(NearMiss.hint(request["query"], among: queries.map(\.name)))")
        }
        return query.value
    }

    /// The parameters of the address; a name counts once.
    static func given(_ request: WebRequest) throws -> [String: String?] {
        var given: [String: String?] = [:]
        for pair in request.query.pairs {
            guard given.updateValue(pair.value, forKey: pair.name) == nil else {
                throw WebProblem(400, "\(pair.name): given more than once")
            }
        }
        return given
    }

    static func values(
        _ query: NamedQuery, _ given: [String: String?], beside options: [String]
    ) throws -> [String: Cell] {
        do {
            return try query.values(given, beside: options)
        } catch KernelError.usage(let sentence) {
            throw WebProblem(400, sentence)
        }
    }

    static func problem(_ problem: QueryProblem) -> WebProblem {
        switch problem.kind {
        case .forbidden: WebProblem(403, problem.description)
        case .mistaken: WebProblem(400, problem.description)
        case .tooMuch: WebProblem(422, problem.description)
        case .busy: WebProblem(503, problem.description, headers: [("retry-after", "2")])
        case .unreadable: WebProblem(503, problem.description, headers: [("retry-after", "30")])
        }
    }

    // MARK: - Parts

    private static func list(_ kernel: Kernel) -> JSONValue {
        .object([("queries", .array(kernel.config.site.queries.map(described)))])
    }

    private static func described(_ query: Named<NamedQuery>) -> JSONValue {
        let parameters = query.value.parameters.map { parameter in
            let value = parameter.value
            return JSONValue.object([
                ("name", .string(parameter.name)), ("label", value.label.map(JSONValue.string) ?? .null),
                ("type", value.kind.map { .string($0.rawValue) } ?? .null),
                ("default", value.defaultText.map(JSONValue.string) ?? .null), ("required", .bool(value.isRequired)),
                ("one_of", value.oneOf.isEmpty ? .null : .array(value.oneOf.map(JSONValue.string))),
            ])
        }
        return .object([
            ("name", .string(query.name)), ("description", query.value.description.map(JSONValue.string) ?? .null),
            ("parameters", .array(parameters)),
        ])
    }

    private static func cells(_ json: JSONValue?) throws -> [String: Cell] {
        guard let json, json != .null else { return [:] }
        guard case .object(let entries) = json else { throw WebProblem(400, "'parameters' takes an object.") }
        return try entries.reduce(into: [:]) { cells, entry in
            guard let cell = Cell(scalar: entry.value) else {
                throw WebProblem(400, "The parameter '\(entry.key.prefix(60))' takes a text, a number or null.")
            }
            cells[entry.key] = cell
        }
    }

    /// What the address names, then what `Accept` names, then what the config says of the query.
    private static func form(
        _ format: String?, accepted: String?, of query: NamedQuery
    ) throws -> GuardedQuery.RowForm {
        if let format {
            guard let form = GuardedQuery.RowForm(rawValue: format) else {
                throw WebProblem(400, "format takes json, ndjson or csv.")
            }
            return form
        }
        let accepted = accepted ?? ""
        if accepted.hasPrefix("text/csv") { return .csv }
        if accepted.hasPrefix("application/x-ndjson") { return .ndjson }
        if accepted.hasPrefix("application/json") { return .json }
        return switch query.format {
        case .csv: .csv
        case .jsonl: .ndjson
        // What is meant for people to read is none of a program's.
        case .json, .table, .line, .markdown, nil: .json
        }
    }

    private static func rows(_ limit: Int, _ query: GuardedQuery) throws -> Int {
        guard (1...query.allowance.rows).contains(limit) else { throw noLimit(query) }
        return limit
    }

    private static func noLimit(_ query: GuardedQuery) -> WebProblem {
        WebProblem(
            400,
            "limit takes a whole number from 1 to \(query.allowance.rows). More rows are a matter of server.admin.sql.rows in the config."
        )
    }

    private static func error(_ problem: QueryProblem) -> [UInt8] {
        Array((JSONValue.object([("error", .string(problem.description))]).text() + "\n").utf8)
    }
}
