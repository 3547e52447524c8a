import Foundation
import TrellisKernel

/// The named queries as pages to read: a list, and for each a table that is sorted, filtered and turned over by links.
/// What the address says picks a column by its place, or is bound as a value; none of it becomes SQL.
struct QueryPages: Sendable {
    let api: QueryAPI

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/queries") { .page("queries", QueryPages.list($0.kernel)) },
            Endpoint(.get, "/queries/:query") { try await page($0) },
        ]
    }

    static let rowsPerPage = 100
    private static let pagesMax = 10_000

    private static func list(_ kernel: Kernel) -> PageValues {
        let queries = kernel.config.site.queries.map { query -> PageValues in
            var values: PageValues = ["name": .text(query.name), "url": .text(address(query.name, []))]
            values["description"] = .optional(query.value.description)
            return values
        }
        return [
            "title": "Queries", "language": "en", "home_url": "/queries", "is_private": true, "queries": .list(queries),
        ]
    }

    private func page(_ request: WebRequest) async throws -> WebReply {
        let found = try QueryAPI.find(request)
        var given = try QueryAPI.given(request)
        let view = QueryView(name: request["query"], query: found, given: &given)
        var query = GuardedQuery(found.sql.value, for: request.kernel, by: try QueryAPI.caller(of: request))
        query.isByStranger = false
        query.allowance.rows = QueryPages.rowsPerPage
        do {
            query.arrangement = try view.arrangement(pagesMax: QueryPages.pagesMax)
            query.parameters = try QueryAPI.values(found, given, beside: QueryView.options)
            let answer = try await api.ask(query)
            if let problem = answer.ending.problem, problem.kind != .tooMuch { throw QueryAPI.problem(problem) }
            let status = answer.ending.problem == nil ? 200 : 422
            return .page("query", view.values(answer, problem: answer.ending.problem?.description), status: status)
        } catch let problem as WebProblem where [400, 403].contains(problem.status) {
            return .page("query", view.values(nil, problem: problem.description), status: problem.status)
        }
    }

    /// The address of a query's page with its parameters.
    static func address(_ name: String, _ pairs: [(String, String)], below: String = "/queries/") -> String {
        func encoded(_ text: String) -> String {
            text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
        }
        let query = pairs.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
        return below + encoded(name) + (query.isEmpty ? "" : "?" + query)
    }

    /// RFC 3986, 2.3.
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}

/// How a query is looked at: its parameters, and which column sorts and which is searched. The names of what is no
/// parameter begin with `_`, which no parameter does.
private struct QueryView {
    let name: String
    let query: NamedQuery
    /// The parameters that were given, in the sequence of the config.
    private let parameters: [(String, String)]
    private let sort: String
    private let filter: String
    private let column: String
    private let number: String

    static let options = ["_sort", "_filter", "_in", "_page"]

    /// Takes what is no parameter of the query out of `given`.
    init(name: String, query: NamedQuery, given: inout [String: String?]) {
        func take(_ key: String) -> String { (given.removeValue(forKey: key) ?? nil) ?? "" }
        self.name = name
        self.query = query
        (sort, filter, column, number) = (take("_sort"), take("_filter"), take("_in"), take("_page"))
        parameters = query.parameters.compactMap { parameter in
            (given[parameter.name] ?? nil).map { (parameter.name, $0) }
        }
    }

    func arrangement(pagesMax: Int) throws -> GuardedQuery.Arrangement {
        func place(_ text: String, _ key: String) throws -> Int? {
            if text.isEmpty { return nil }
            guard let place = Int(text), (1...1000).contains(place.magnitude) else {
                throw WebProblem(400, "\(key): expected the place of a column, counted from 1.")
            }
            return place
        }
        var arrangement = GuardedQuery.Arrangement()
        let sorted = try place(sort, "_sort")
        arrangement.sortedColumn = sorted.map(abs)
        arrangement.isDescending = (sorted ?? 0) < 0
        arrangement.filter = filter.isEmpty ? nil : filter
        arrangement.filteredColumn = try place(column, "_in").map(abs)
        guard let page = number.isEmpty ? 1 : Int(number), (1...pagesMax).contains(page) else {
            throw WebProblem(400, "_page: expected a whole number from 1 to \(pagesMax).")
        }
        arrangement.offset = (page - 1) * QueryPages.rowsPerPage
        return arrangement
    }

    private var page: Int { Int(number) ?? 1 }

    // MARK: - What is shown

    func values(_ answer: QueryAnswer?, problem: String?) -> PageValues {
        let columns = answer?.columns ?? []
        let cells = answer?.cells ?? []
        let isNumeric = columns.indices.map { index in
            cells.contains { ShownCell($0, index).isNumber }
                && cells.allSatisfy { ShownCell($0, index).isNumber || ShownCell($0, index).isNull }
        }
        var values: PageValues = [
            "title": .text(name), "language": "en", "home_url": "/queries", "is_private": true,
            "heading": .text(heading),
            "action": .text(QueryPages.address(name, [])), "parameters": .list(query.parameters.map(field)),
            "filter": .text(filter), "has_answer": .flag(answer != nil && !columns.isEmpty), "columns": .list([]),
            "rows": .list([]), "places": .list(places(columns)), "sorts": .list(sorts(columns)),
        ]
        values["description"] = .optional(query.description)
        values["problem"] = .optional(problem)
        guard let answer else { return values }
        values["columns"] = .list(columns.indices.map { heading(of: $0, columns[$0], isNumeric[$0]) })
        values["rows"] = .list(
            cells.map { row in
                [
                    "cells": .list(
                        columns.indices.map { index in
                            ShownCell(row, index).values(column: columns[index], isNumeric: isNumeric[index])
                        })
                ]
            })
        let first = (page - 1) * QueryPages.rowsPerPage
        let isCut = answer.ending.cutBy != nil
        values["count"] = .text(count(first: first, rows: cells.count, isCut: isCut))
        values["is_empty"] = .flag(cells.isEmpty)
        let hidden = HiddenColumn.sentences(answer.ending.hidden).joined(separator: " ")
        values["hidden_note"] = .optional(hidden.isEmpty ? nil : hidden)
        if page > 1 { values["previous_url"] = .text(address([("_page", String(page - 1))])) }
        if isCut { values["next_url"] = .text(address([("_page", String(page + 1))])) }
        values["downloads"] = .list(
            [("CSV", "csv"), ("JSON", "json"), ("NDJSON", "ndjson")].map { label, format in
                let url = QueryPages.address(name, parameters + [("format", format)], below: "/api/queries/")
                return ["label": .text(label), "url": .text(url)]
            })
        return values
    }

    private var heading: String { QueryView.words(name) }

    /// A name of the config as people write it: `hot-leads` as `Hot leads`.
    private static func words(_ name: String) -> String {
        let words = name.replacing("-", with: " ").replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    private func count(first: Int, rows: Int, isCut: Bool) -> String {
        if first > 0 || isCut { return "Rows \(first + 1) to \(first + rows)" + (isCut ? ", and more" : "") }
        return "\(rows) row\(rows == 1 ? "" : "s")"
    }

    /// The same view with other options in place of its own.
    private func address(_ options: [(String, String)]) -> String {
        let own = [("_filter", filter), ("_in", column), ("_sort", sort)].filter { option in
            !option.1.isEmpty && !options.contains { $0.0 == option.0 }
        }
        return QueryPages.address(name, parameters + own + options.filter { !$0.1.isEmpty })
    }

    private func heading(of index: Int, _ column: String, _ isNumeric: Bool) -> PageValues {
        let place = String(index + 1)
        var values: PageValues = [
            "name": .text(column), "is_number": .flag(isNumeric),
            "url": .text(address([("_sort", sort == place ? "-" + place : place)])),
        ]
        if sort == place { values["sorted"] = "ascending" }
        if sort == "-" + place { values["sorted"] = "descending" }
        values["arrow"] = sort == place ? "▲" : sort == "-" + place ? "▼" : nil
        return values
    }

    private func places(_ columns: [String]) -> [PageValues] {
        columns.indices.map { option(String($0 + 1), columns[$0], chosen: column) }
    }

    private func sorts(_ columns: [String]) -> [PageValues] {
        columns.indices.flatMap { index in
            [
                option("\(index + 1)", columns[index] + ", up", chosen: sort),
                option("-\(index + 1)", columns[index] + ", down", chosen: sort),
            ]
        }
    }

    private func option(_ value: String, _ label: String, chosen: String) -> PageValues {
        ["value": .text(value), "label": .text(label), "selected": .flag(value == chosen)]
    }

    private func field(_ parameter: Named<QueryParameter>) -> PageValues {
        let given = parameters.first { $0.0 == parameter.name }?.1
        let value = given ?? parameter.value.defaultText ?? ""
        var values: PageValues = [
            "id": .text("parameter-\(parameter.name)"), "name": .text(parameter.name),
            "label": .text(parameter.value.label ?? QueryView.words(parameter.name)), "value": .text(value),
            "required": .flag(parameter.value.isRequired),
        ]
        let choices =
            parameter.value.oneOf.isEmpty && parameter.value.kind == .boolean ? ["yes", "no"] : parameter.value.oneOf
        guard choices.isEmpty else {
            values["options"] = .list(choices.map { option($0, $0, chosen: value) })
            return values
        }
        switch parameter.value.kind {
        case .date: values["type"] = "date"
        case .integer, .real: values["type"] = "number"
        default: values["type"] = "text"
        }
        return values
    }
}

/// One value of a table as people read it.
private struct ShownCell {
    let json: JSONValue

    init(_ row: [JSONValue], _ index: Int) {
        json = row.indices.contains(index) ? row[index] : .null
    }

    var isNull: Bool { json == .null }

    var isNumber: Bool {
        switch json {
        case .integer, .number: true
        default: false
        }
    }

    func values(column: String, isNumeric: Bool) -> PageValues {
        var values: PageValues = ["column": .text(column), "is_number": .flag(isNumeric), "text": .text(text)]
        values["is_null"] = .flag(isNull)
        values["is_time"] = .flag(text != json.scalarText && !isNull)
        return values
    }

    /// A moment without its seconds; everything else as it is.
    private var text: String {
        let text = json.scalarText ?? ""
        guard text.utf8.count == 23, text.wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}/) != nil else {
            return text
        }
        return String(text.prefix(16))
    }
}
