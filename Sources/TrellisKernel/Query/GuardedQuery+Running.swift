import CTrellisSQLite
import Foundation

extension GuardedQuery {
    /// What is written of an answer, in this sequence: the columns once, each row, and how it ended.
    public enum Part: Sendable, Hashable {
        case columns([String])
        case row([Cell])
        case end(Ending)
    }

    public struct Ending: Sendable, Hashable {
        /// What cut the answer: `rows` or `bytes`; nil where it is whole.
        public var cutBy: String?
        public var problem: QueryProblem?
        /// What was read as NULL because it is hidden, sorted; empty where the answer is the true one.
        public var hidden: [HiddenColumn]

        public init(cutBy: String? = nil, problem: QueryProblem? = nil, hidden: [HiddenColumn] = []) {
            self.cutBy = cutBy
            self.problem = problem
            self.hidden = hidden
        }
    }

    /// Limits what SQLite may hold in this process, for good.
    public static func limitMemory() {
        sqlite3_hard_heap_limit64(Allowance.heapMax)
    }

    /// Answers the question in this process, which is one that may be killed.
    ///
    /// The file is opened for reading alone; the authorizer allows to read what is not hidden, with harmless functions,
    /// and nothing else, in views as well. `trusted_schema` stays on: with it off SQLite 3.40 runs no view that has a
    /// JSON function, and the list of functions holds inside views anyway.
    ///
    /// - Parameter write: is given each part; false says that it has enough.
    public func run(_ write: (Part) -> Bool) {
        var connection: SQLConnection?
        do {
            let opened = try SQLConnection(
                path: database, rules: rules, budget: .seconds(allowance.seconds), prepare: prepare)
            connection = opened
            let cut = try answer(opened, write)
            _ = write(.end(Ending(cutBy: cut, hidden: GuardedQuery.hidden(opened))))
        } catch {
            _ = write(
                .end(
                    Ending(
                        problem: QueryProblem(error, of: connection, allowance), hidden: GuardedQuery.hidden(connection)
                    )))
        }
    }

    /// What the last statement of a connection read as NULL.
    private static func hidden(_ connection: SQLConnection?) -> [HiddenColumn] {
        let read = connection?.guardian.columnsHidden ?? []
        return Set(read.map { HiddenColumn("\($0.table).\($0.column)", reader: $0.within.isEmpty ? nil : $0.within) })
            .sorted()
    }

    private func answer(_ connection: SQLConnection, _ write: (Part) -> Bool) throws -> String? {
        guard sql.utf8.count <= Allowance.sqlBytesMax else {
            throw QueryProblem(.tooMuch, "A statement may be \(Allowance.sqlBytesMax) bytes long at most.")
        }
        // SQLite would read no further.
        guard !sql.utf8.contains(0) else { throw QueryProblem(.mistaken, "The statement contains a NUL character.") }
        if isByStranger, SQLTokens.joinsByName(sql) {
            throw QueryProblem(.forbidden, "JOIN … USING and NATURAL JOIN may not be used here. Write JOIN … ON.")
        }
        var values = parameters
        let arranged = try arrangement.map { try arrange($0, connection, &values) } ?? sql
        var (rows, cut, isStatement) = (0, String?.none, false)
        let columns = { (names: [String]) in
            isStatement = true
            _ = write(.columns(names))
        }
        try connection.run(arranged, parameters: values, columns: columns) { cells in
            guard rows < allowance.rows else {
                cut = "rows"
                return false
            }
            rows += 1
            guard write(.row(cells)) else {
                cut = "bytes"
                return false
            }
            return true
        }
        guard isStatement else {
            throw QueryProblem(
                .mistaken, "There is no statement. Send one that reads, such as SELECT count(*) FROM leads.")
        }
        return cut
    }

    private func arrange(
        _ arrangement: Arrangement, _ connection: SQLConnection, _ values: inout [String: Cell]
    ) throws -> String {
        let alone = try connection.firstStatement(of: sql)
        var parameter = "sought"
        while values.keys.contains(parameter) { parameter += "_" }
        let names = try connection.columns(of: Arrangement.wrapped(alone))
        values[parameter] = arrangement.filter.map(Cell.text)
        return try arrangement.sql(around: alone, columns: names, parameter: parameter)
    }

    private var rules: StatementRules {
        var rules = StatementRules()
        rules.functions = .only(StatementRules.harmlessFunctions)
        rules.pragmas = StatementRules.schemaPragmas
        rules.hide(columns: hidden)
        return rules
    }

    /// Sets what SQLite itself limits (https://www.sqlite.org/limits.html), and names the tables there are.
    private func prepare(_ handle: OpaquePointer, _ rules: inout StatementRules) throws {
        for pragma in ["query_only = ON", "temp_store = MEMORY", "cache_size = -8000", "cell_size_check = ON"] {
            sqlite3_exec(handle, "PRAGMA \(pragma)", nil, nil, nil)
        }
        let own = try SQLConnection.names(
            handle, "SELECT lower(name) FROM sqlite_schema WHERE type IN ('table', 'view')")
        guard !own.isEmpty else { throw KernelError.notADatabase(database) }
        let shut = Set(hidden.map { $0.lowercased() })
        rules.readable = .only(
            Set(own.filter { !$0.hasPrefix("sqlite_") }).union(GuardedQuery.offered).subtracting(shut))
        for (limit, most) in GuardedQuery.limits { sqlite3_limit(handle, limit, most) }
    }

    /// What is no table of the file and harmless to read.
    static let offered: Set<String> = Set(StatementRules.schemaPragmas.map { "pragma_" + $0 })
        .union(["json_each", "json_tree", "sqlite_schema", "sqlite_master"])

    private static let limits: [(Int32, Int32)] = [
        (SQLITE_LIMIT_LENGTH, Allowance.valueBytesMax), (SQLITE_LIMIT_SQL_LENGTH, Int32(Allowance.sqlBytesMax + 1_000)),
        (SQLITE_LIMIT_COLUMN, 500), (SQLITE_LIMIT_EXPR_DEPTH, 200), (SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (SQLITE_LIMIT_VDBE_OP, 100_000), (SQLITE_LIMIT_FUNCTION_ARG, 127), (SQLITE_LIMIT_ATTACHED, 0),
        (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100), (SQLITE_LIMIT_VARIABLE_NUMBER, 100), (SQLITE_LIMIT_TRIGGER_DEPTH, 10),
        (SQLITE_LIMIT_WORKER_THREADS, 0),
    ]
}

/// Why a question has no answer, or not all of it.
public struct QueryProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// It asks for what may not be done or read here.
        case forbidden
        /// It is no SQL, or does not fit the schema, or a parameter is missing.
        case mistaken
        /// It takes more time, memory or space than it may.
        case tooMuch
        /// Too many ask at once.
        case busy
        /// The file cannot be read at the moment.
        case unreadable
    }

    public let kind: Kind
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    init(_ error: any Error, of connection: SQLConnection?, _ allowance: GuardedQuery.Allowance) {
        if let problem = error as? QueryProblem {
            self = problem
            return
        }
        if let refusal = connection?.guardian.refusal {
            self.init(.forbidden, refusal.sentence)
            return
        }
        switch connection?.resultCode {
        case SQLITE_INTERRUPT: self = QueryProblem.outOfTime(allowance)
        case SQLITE_NOMEM, SQLITE_FULL: self = QueryProblem.outOfMemory
        case SQLITE_TOOBIG:
            self.init(
                .tooMuch,
                "A value of the query is longer than \(GuardedQuery.Allowance.valueBytesMax) bytes. Ask for a part of it, as with substr()."
            )
        case SQLITE_READONLY: self.init(.forbidden, "Only reading is allowed here.")
        case SQLITE_ERROR, SQLITE_OK, SQLITE_MISMATCH, SQLITE_RANGE, SQLITE_CONSTRAINT:
            self.init(.mistaken, "\(error)")
        default: self.init(.unreadable, "The database cannot be read at the moment.")
        }
    }

    public static func outOfTime(_ allowance: GuardedQuery.Allowance) -> QueryProblem {
        QueryProblem(
            .tooMuch,
            "The query took longer than \(allowance.seconds.formatted) s and was stopped. Ask for less: fewer rows, an index, no cross join. "
                + "server.admin.sql.seconds in the config says how long it may take."
        )
    }

    public static let outOfMemory = QueryProblem(
        .tooMuch,
        "The query needed more memory than it may have and was stopped. Ask for less. "
            + "Nothing gives it more here, but trellis sql --memory in a shell.")
}

extension Double {
    /// `1`, `1.5`: without the zero of a whole number.
    fileprivate var formatted: String { self == rounded() ? String(Int(self)) : description }
}
