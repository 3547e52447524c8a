import CTrellisSQLite
import Foundation

/// A question of somebody who has no access to the file: SQL, what is bound to it, and how much it may cost. It is
/// written to the standard input of a process of its own, which answers in ``AnswerFrame``s and can be killed.
public struct GuardedQuery: Sendable, Hashable {
    /// How rows are written.
    public enum RowForm: String, Sendable, CaseIterable {
        /// `[1,"Ada"]`
        case json
        /// `{"id":1,"name":"Ada"}`
        case ndjson
        case csv
    }

    public var database: String
    public var sql: String
    public var parameters: [String: Cell] = [:]
    public var rowForm = RowForm.json
    /// Whether what a spreadsheet would calculate is left as it is in CSV: see ``FormulaGuard``.
    public var isRaw = false
    public var arrangement: Arrangement?
    public var allowance = Allowance()
    /// Tables (`api_calls`) that may not be read, and columns that read as NULL: `leads.phone`, or `*.phone` in every
    /// table.
    public var hidden: [String] = []
    /// Whether whoever asks wrote the SQL, rather than the config.
    public var isByStranger = true

    /// How the rows of an answer are put on a page: no part of it becomes SQL as it is.
    public struct Arrangement: Sendable, Hashable {
        /// A column by its place, from 1.
        public var sortedColumn: Int?
        public var isDescending = false
        /// What one of the columns must contain, in any case.
        public var filter: String?
        /// The column to look in, from 1; nil for all of them.
        public var filteredColumn: Int?
        public var offset = 0

        public init() {}
    }

    /// How much an answer may cost.
    public struct Allowance: Sendable, Hashable {
        public var seconds = 1.0
        public var rows = 1_000
        /// Of the rows as they are written.
        public var bytes = 1_048_576

        public init() {}

        /// What a process may take beyond ``seconds`` to start, and to end what no clock interrupts: then it is killed.
        public static let graceSeconds = 0.6
        /// Bytes SQLite may hold.
        static let heapMax: Int64 = 48 << 20
        /// Bytes a process may hold beyond what it has when it starts.
        public static let memoryMax: UInt = 160 << 20
        /// A row that a question needs is no longer.
        static let valueBytesMax: Int32 = 100_000
        public static let sqlBytesMax = 50_000
    }

    public init(database: String, sql: String) {
        self.database = database
        self.sql = sql
    }

    // MARK: - Between processes

    /// The command that makes the program read a question from its standard input and answer on its standard output.
    public static let command = "answer-query"

    /// The question as JSON.
    public var text: String {
        var entries: [(key: String, value: JSONValue)] = [
            ("database", .string(database)), ("sql", .string(sql)), ("form", .string(rowForm.rawValue)),
            (
                "parameters",
                .object(parameters.sorted { $0.key < $1.key }.map { ($0.key, GuardedQuery.json($0.value)) })
            ),
            ("seconds", .string(String(allowance.seconds))), ("rows", .integer(Int64(allowance.rows))),
            ("bytes", .integer(Int64(allowance.bytes))), ("hidden", .array(hidden.map(JSONValue.string))),
            ("stranger", .integer(isByStranger ? 1 : 0)), ("raw", .integer(isRaw ? 1 : 0)),
        ]
        if let arrangement { entries.append(("arrangement", arrangement.json)) }
        return JSONValue.object(entries).text()
    }

    /// Reads what ``text`` wrote; nil for anything else.
    public init?(text: String) {
        guard let json = JSONValue(parsing: text), let database = json["database"]?.scalarText,
            let sql = json["sql"]?.scalarText, let seconds = json["seconds"]?.scalarText.flatMap(Double.init),
            let rows = json["rows"]?.scalarText.flatMap(Int.init),
            let bytes = json["bytes"]?.scalarText.flatMap(Int.init),
            let form = json["form"]?.scalarText.flatMap(RowForm.init), case .object(let values) = json["parameters"]
        else { return nil }
        self.init(database: database, sql: sql)
        rowForm = form
        allowance.seconds = seconds
        allowance.rows = rows
        allowance.bytes = bytes
        hidden = json["hidden"]?.elements.compactMap(\.scalarText) ?? []
        isByStranger = json["stranger"]?.scalarText != "0"
        isRaw = json["raw"]?.scalarText == "1"
        arrangement = json["arrangement"].map(Arrangement.init)
        parameters = Dictionary(values.map { ($0.key, GuardedQuery.cell($0.value)) }) { first, _ in first }
    }

    /// A real number is told from a whole one by its words.
    private static func json(_ cell: Cell) -> JSONValue {
        switch cell {
        case .null: .null
        case .integer(let number): .integer(number)
        case .real(let number): .object([("real", .string(number.description))])
        case .text(let text): .string(text)
        case .blob(let bytes): .object([("blob", .string(Data(bytes).base64EncodedString()))])
        }
    }

    private static func cell(_ json: JSONValue) -> Cell {
        switch json {
        case .string(let text): .text(text)
        case .integer(let number): .integer(number)
        case .bool(let flag): .integer(flag ? 1 : 0)
        case .number(let number): .real(number)
        case .object:
            if let real = json["real"]?.scalarText.flatMap(Double.init) {
                .real(real)
            } else {
                .blob(Array(json["blob"]?.scalarText.flatMap { Data(base64Encoded: $0) } ?? Data()))
            }
        case .null, .array: .null
        }
    }
}

extension GuardedQuery.Arrangement {
    fileprivate var json: JSONValue {
        .object([
            ("sort", sortedColumn.map { .integer(Int64($0)) } ?? .null), ("descending", .integer(isDescending ? 1 : 0)),
            ("filter", filter.map(JSONValue.string) ?? .null),
            ("in", filteredColumn.map { .integer(Int64($0)) } ?? .null), ("offset", .integer(Int64(offset))),
        ])
    }

    fileprivate init(json: JSONValue) {
        func number(_ key: String) -> Int? { json[key]?.scalarText.flatMap(Int.init) }
        sortedColumn = number("sort")
        isDescending = number("descending") == 1
        filter = json["filter"]?.scalarText
        filteredColumn = number("in")
        offset = number("offset") ?? 0
    }

    /// Wraps a query into what shows a part of its rows.
    ///
    /// - Parameters:
    ///   - columns: the names of the columns of the wrapped query, which SQLite makes distinct.
    ///   - parameter: a name no parameter of the query has.
    func sql(around query: String, columns: [String], parameter: String) throws -> String {
        func column(_ place: Int) throws -> String {
            guard columns.indices.contains(place - 1) else {
                throw KernelError.usage("The answer has \(columns.count) columns and none at place \(place).")
            }
            return columns[place - 1].sqlIdentifier
        }
        var sql = GuardedQuery.Arrangement.wrapped(query)
        if filter != nil {
            let looked = try filteredColumn.map { [try column($0)] } ?? columns.indices.map { try column($0 + 1) }
            sql += " WHERE " + looked.map { "instr(lower(\($0)), lower(:\(parameter)))" }.joined(separator: " OR ")
        }
        if let sortedColumn {
            sql += " ORDER BY \(try column(sortedColumn)) \(isDescending ? "DESC" : "ASC") NULLS LAST"
        }
        // Without a limit no offset is taken.
        if offset > 0 { sql += " LIMIT -1 OFFSET \(offset)" }
        return sql
    }

    static func wrapped(_ query: String) -> String { "SELECT * FROM (\n\(query)\n) AS answer" }
}
