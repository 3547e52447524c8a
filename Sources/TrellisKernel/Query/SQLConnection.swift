import CTrellisSQLite
import Foundation

/// A connection of its own for SQL that somebody typed: it cannot write unless told to, cannot attach other files, and
/// gives up after a while. GRDB owns the authorizer of its connections, so this one is SQLite's own.
public final class SQLConnection {
    let handle: OpaquePointer
    let guardian: StatementGuard
    private let path: String
    let rules: StatementRules
    private let budget: Duration
    private let limits: ReadingLimits?
    private let tookLonger: String
    /// What the statement before this one failed with (https://www.sqlite.org/rescode.html).
    private(set) var resultCode = SQLITE_OK
    private let deadlineBox = DeadlineBox()

    public enum Access: Sendable {
        case read, write
    }

    /// A query longer than this is interrupted.
    public static let budget = Duration.seconds(300)

    /// - Parameters:
    ///   - limits: how much a statement may take; its memory is limited for the whole process, and not from here.
    ///   - tookLonger: what is said of a statement that took longer than the budget, where no limits say it.
    ///   - prepare: what is done with the connection before the rules hold on it, and to the rules.
    public init(
        path: String, rules: StatementRules, budget: Duration = budget, limits: ReadingLimits? = nil,
        tookLonger: String? = nil,
        prepare: (OpaquePointer, inout StatementRules) throws -> Void = { _, _ in }
    ) throws {
        guard FileManager.default.fileExists(atPath: path) else { throw KernelError.noDatabase(path) }
        var handle: OpaquePointer?
        let flags = rules.writesNothing ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        let code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            sqlite3_close_v2(handle)
            throw KernelError.from(DatabaseError(resultCode: ResultCode(rawValue: code)), path: path)
                ?? KernelError.notADatabase(path)
        }
        self.path = path
        self.budget = limits.map { .seconds($0.seconds) } ?? budget
        self.limits = limits
        self.tookLonger = tookLonger ?? "The query took longer than \(budget) and was stopped."
        self.handle = handle
        _ = trellis_harden(handle)
        sqlite3_busy_timeout(handle, Int32(Store.busyTimeoutSeconds * 1000))
        sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
        limits?.hold(on: handle)
        var rules = rules
        let result = Result { try prepare(handle, &rules) }
        self.rules = rules
        guardian = StatementGuard(rules, on: handle)
        try result.get()
        sqlite3_progress_handler(
            handle, 1_000,
            { context in
                guard let context else { return 0 }
                return Unmanaged<DeadlineBox>.fromOpaque(context).takeUnretainedValue().hasPassed ? 1 : 0
            }, Unmanaged.passUnretained(deadlineBox).toOpaque())
    }

    /// - Parameters:
    ///   - clock: whose moment `'now'` is, where it rules SQL.
    ///   - limits: how much a statement may take.
    public convenience init(
        path: String, access: Access, clock: KernelClock = .system, limits: ReadingLimits? = nil
    ) throws {
        try self.init(path: path, rules: access == .read ? .reading : .writing, limits: limits) { handle, _ in
            if clock.rulesSQL { try UnrealTime.install(clock, on: handle) }
            guard access == .write else { return }
            for pragma in ["synchronous = FULL", "foreign_keys = ON", "wal_autocheckpoint = 0"] {
                sqlite3_exec(handle, "PRAGMA \(pragma)", nil, nil, nil)
            }
        }
    }

    deinit {
        sqlite3_close_v2(handle)
    }

    /// Runs `body` while Ctrl-C stops the statement that it runs, which then throws, and not the program. A second one
    /// does what it did before, which ends the program unless somebody else handles it: nothing interrupts a function
    /// of SQLite in its middle. Where Ctrl-C was ignored it stays so.
    ///
    /// One connection of a process at a time.
    public func whileStoppable<T>(_ body: () throws -> T) rethrows -> T {
        trellis_stop_on_interrupt(handle)
        defer { trellis_stop_on_interrupt(nil) }
        return try body()
    }

    /// Prepares one statement and runs nothing: what it asks for beyond the rules, and what does not fit the schema,
    /// is thrown as ``run(_:parameters:columns:row:)`` would.
    public func check(_ sql: String) throws {
        sqlite3_finalize(try prepared(sql))
    }

    /// Whether a statement would write; ``guardian`` then knows where.
    func writes(_ sql: String) throws -> Bool {
        guard let statement = try prepared(sql) else { return false }
        defer { sqlite3_finalize(statement) }
        return sqlite3_stmt_readonly(statement) == 0
    }

    /// The first statement of a text, without the semicolon that ends it.
    ///
    /// - Throws: ``KernelError/usage(_:)`` where another follows it, or none is there.
    func firstStatement(of sql: String) throws -> String {
        guard let statement = try prepared(sql) else { throw KernelError.usage("There is no query.") }
        defer { sqlite3_finalize(statement) }
        var text = Substring(String(cString: sqlite3_sql(statement)))
        while let last = text.unicodeScalars.last, last.properties.isWhitespace || last == ";" {
            text = Substring(text.unicodeScalars.dropLast())
        }
        return String(text)
    }

    /// The names of the columns that a query gives.
    func columns(of sql: String) throws -> [String] {
        guard let statement = try prepared(sql) else { return [] }
        defer { sqlite3_finalize(statement) }
        return (0..<sqlite3_column_count(statement)).map { String(cString: sqlite3_column_name(statement, $0)) }
    }

    /// The texts of the first column of a query that is not asked whether it may.
    static func names(_ handle: OpaquePointer, _ sql: String) throws -> Set<String> {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_errcode(handle)),
                message: String(cString: sqlite3_errmsg(handle)))
        }
        defer { sqlite3_finalize(statement) }
        var names: Set<String> = []
        while sqlite3_step(statement) == SQLITE_ROW {
            if let text = sqlite3_column_text(statement, 0) { names.insert(String(cString: text)) }
        }
        return names
    }

    /// Runs one statement and hands over each row as it comes.
    ///
    /// - Parameters:
    ///   - parameters: bound by name, without the colon.
    ///   - row: false stops.
    /// - Returns: the columns, and how many rows were changed.
    @discardableResult
    public func run(
        _ sql: String, parameters: [String: Cell] = [:], columns: ([String]) throws -> Void = { _ in },
        row: ([Cell]) throws -> Bool
    ) throws -> Int {
        guard let statement = try prepared(sql) else { return 0 }
        defer { sqlite3_finalize(statement) }
        try bind(parameters, to: statement)
        let count = sqlite3_column_count(statement)
        try columns((0..<count).map { String(cString: sqlite3_column_name(statement, $0)) })
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { break }
            guard code == SQLITE_ROW else { throw failure(code, sql) }
            if try !row((0..<count).map { try cell(statement, $0, sql) }) { break }
        }
        return sqlite3_stmt_readonly(statement) == 0 ? Int(sqlite3_changes(handle)) : 0
    }

    /// A statement ready to run; nil where there is none in the text.
    private func prepared(_ sql: String) throws -> OpaquePointer? {
        var statement: OpaquePointer?
        var rest = ""
        guardian.forget()
        // Newer versions of SQLite ask for the time while they prepare, too.
        deadlineBox.start(budget)
        let code = sql.withCString { start -> Int32 in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(handle, start, -1, &statement, &tail)
            if let tail { rest = String(cString: tail) }
            return code
        }
        guard code == SQLITE_OK else {
            sqlite3_finalize(statement)
            throw failure(code, sql)
        }
        let follows = SQLTokens(rest)
        guard statement == nil || follows.allSatisfy({ $0.kind == .comment || follows.letters($0) == ";" }) else {
            sqlite3_finalize(statement)
            throw KernelError.usage(
                "One statement at a time. What follows the first ';' was not run, and neither was the first.")
        }
        return statement
    }

    /// Runs one statement and keeps its rows.
    ///
    /// - Parameter limit: rows kept at most; the table says when there were more.
    public func table(_ sql: String, parameters: [String: Cell] = [:], limit: Int = .max) throws -> Table {
        var table = Table(columns: [], rows: [])
        try run(sql, parameters: parameters, columns: { table.columns = $0 }) { cells in
            guard table.rows.count < limit else {
                table.isTruncated = true
                return false
            }
            table.rows.append(cells)
            return true
        }
        return table
    }

    // MARK: - Binding and reading

    private func bind(_ parameters: [String: Cell], to statement: OpaquePointer) throws {
        for index in stride(from: Int32(1), through: sqlite3_bind_parameter_count(statement), by: 1) {
            guard let written = sqlite3_bind_parameter_name(statement, index) else {
                throw KernelError.usage("Parameters need names, such as :country.")
            }
            let name = String(cString: written).dropFirst()
            guard let value = parameters[String(name)] else {
                throw KernelError.usage("The query needs a value for :\(name). Give it as the parameter '\(name)'.")
            }
            switch value {
            case .null: break
            case .integer(let number): sqlite3_bind_int64(statement, index, number)
            case .real(let number): sqlite3_bind_double(statement, index, number)
            case .text(let text): _ = trellis_bind_text(statement, index, text, Int32(clamping: text.utf8.count))
            case .blob(let bytes):
                _ = bytes.withUnsafeBytes {
                    trellis_bind_blob(statement, index, $0.baseAddress, Int32(clamping: $0.count))
                }
            }
        }
    }

    /// - Throws: ``KernelError`` where there is no memory for a value that SQLite makes when it is read.
    private func cell(_ statement: OpaquePointer, _ column: Int32, _ sql: String) throws -> Cell {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
        case SQLITE_TEXT:
            guard let text = sqlite3_column_text(statement, column) else {
                try holdMemory(sql)
                return .text("")
            }
            return .text(
                String(
                    decoding: UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, column))),
                    as: UTF8.self))
        case SQLITE_BLOB:
            guard let bytes = sqlite3_column_blob(statement, column) else {
                try holdMemory(sql)
                return .blob([])
            }
            let count = Int(sqlite3_column_bytes(statement, column))
            return .blob(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
        default: return .null
        }
    }

    /// A value without an address is empty, or there was no memory to make it.
    private func holdMemory(_ sql: String) throws {
        if sqlite3_errcode(handle) == SQLITE_NOMEM { throw failure(SQLITE_NOMEM, sql) }
    }

    private func failure(_ code: Int32, _ sql: String) -> KernelError {
        let message = String(cString: sqlite3_errmsg(handle))
        resultCode = code & 0xFF
        if let refusal = guardian.refusal { return .usage(sentence(of: refusal)) }
        let isStopped = resultCode == SQLITE_INTERRUPT && !deadlineBox.hasPassed
        if !isStopped, let sentence = limits?.sentence(of: code) { return .data(sentence) }
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy
        case SQLITE_FULL: return .diskFull
        case SQLITE_CANTOPEN: return .folderNotWritable((path as NSString).deletingLastPathComponent)
        case SQLITE_IOERR: return .diskError(message)
        case SQLITE_READONLY: return .usage("This would write, and reading is all that is allowed without --write.")
        case SQLITE_INTERRUPT where isStopped: return .data("The statement was stopped.")
        case SQLITE_INTERRUPT: return .data(tookLonger)
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .damaged(path, message)
        case SQLITE_CONSTRAINT: return .data("The database refused it: \(message).")
        default:
            let hint = SchemaNames.isMissing(message) ? SchemaNames(handle).hint(message) : ""
            return .data("SQL: \(message).\(hint)")
        }
    }

    private func sentence(of refusal: StatementGuard.Refusal) -> String {
        switch refusal {
        case .table, .column, .function, .pragma: refusal.sentence
        default: rules.writesNothing ? "Only reading is allowed without --write." : refusal.sentence
        }
    }

    private final class DeadlineBox {
        private var deadline: ContinuousClock.Instant?

        func start(_ duration: Duration) {
            deadline = ContinuousClock.now + duration
        }

        var hasPassed: Bool { deadline.map { ContinuousClock.now > $0 } ?? false }
    }
}
