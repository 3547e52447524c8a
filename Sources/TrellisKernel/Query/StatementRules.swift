import CTrellisSQLite

/// What SQL that somebody else wrote may do, as lists of what is allowed. SQLite asks them about each step of a
/// statement while it is prepared (https://www.sqlite.org/c3ref/set_authorizer.html), so that a statement that asks for
/// more never runs.
///
/// ```swift
/// var rules = StatementRules.reading
/// rules.readable = .allBut(["api_calls"])
/// try rules.holding(on: handle) { guardian in
///     guard sqlite3_prepare_v2(…) == SQLITE_OK else { throw KernelError.usage(guardian.refusal?.sentence ?? …) }
/// }
/// ```
///
/// Whatever the lists say, a statement never attaches a file, opens or ends a transaction, or loads an extension. The
/// connections of the library that the kernel uses have an authorizer already, and SQLite has room for one: a statement
/// for them is prepared once on a handle of its own, such as a ``SQLConnection``, before they are given it.
public struct StatementRules: Sendable {
    /// Names of tables or functions, in lower case.
    public enum Names: Sendable, Hashable {
        case all
        case only(Set<String>)
        case allBut(Set<String>)

        public static let none = Names.only([])

        func contains(_ name: String) -> Bool {
            switch self {
            case .all: true
            case .only(let names): names.contains(name)
            case .allBut(let names): !names.contains(name)
            }
        }
    }

    /// The tables and views that may be read. What a view reads is asked as well.
    ///
    /// The name of a view a column is read through is no ground to allow more: SQLite gives the name of a `WITH` there
    /// as well, which the writer of the statement chooses.
    public var readable = Names.all
    /// Columns that read as NULL everywhere, in a condition too: by their table, or by `*` in every table and view.
    /// What a table generates of a hidden column is a column of its own, and is hidden by its own name.
    ///
    /// Of the columns that `JOIN … USING` and `NATURAL JOIN` compare SQLite does not ask. From whoever must learn
    /// nothing of a column these two are kept as well (``SQLTokens/joinsByName(_:)``).
    public var hidden: [String: Set<String>] = [:]
    /// The tables whose rows may be inserted, updated and deleted. What their triggers do is theirs.
    public var writable = Names.none
    /// Tables that Trellis alone writes, in lower case, each with a sentence on what does it. What triggers do is
    /// theirs.
    public var kept: [String: String] = [:]
    /// For whoever writes and may not read all: triggers that read all the same, in lower case, for what they keep must
    /// be whole; nil for everybody else. A column that is ``hidden`` is refused then: read as NULL it would be written
    /// so. And no trigger is made, which would read for its maker when others write.
    ///
    /// SQLite gives the name of a trigger where it gives that of a `WITH`. A statement must contain none of these
    /// names.
    var trustedTriggers: Set<String>?
    public var functions = Names.all
    /// The pragmas that may be read. None is ever set.
    public var pragmas = Set<String>()
    /// Whether tables, indexes, views and triggers may be made, changed and dropped.
    public var allowsSchemaChanges = false
    /// Tables, views, indexes and triggers that are never dropped or altered.
    public var unchangeable = Names.none
    /// Whether ``StatementGuard/columnsRead`` is kept.
    var notesReading = false

    public init() {}

    /// Whether the file may be opened for reading alone.
    public var writesNothing: Bool { writable == .none && !allowsSchemaChanges }

    /// Reads everything: for whoever holds the file itself.
    public static var reading: StatementRules {
        var rules = StatementRules()
        rules.functions = .only(readingFunctions)
        rules.pragmas = schemaPragmas.union(statePragmas)
        return rules
    }

    /// Reads and writes everything in this file, with every function that SQLite has.
    public static var writing: StatementRules {
        var rules = reading
        rules.functions = .all
        rules.writable = .all
        rules.allowsSchemaChanges = true
        return rules
    }

    /// Pragmas that tell of the schema, some of them by the name of a table.
    public static let schemaPragmas: Set<String> = [
        "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    ]

    /// Pragmas that tell of the file and of the connection, and change nothing when they are read.
    static let statePragmas: Set<String> = [
        "application_id", "auto_vacuum", "busy_timeout", "cache_size", "collation_list", "compile_options",
        "data_version", "database_list", "encoding", "foreign_key_check", "foreign_keys", "freelist_count",
        "function_list", "integrity_check", "journal_mode", "module_list", "page_count", "page_size", "pragma_list",
        "query_only", "quick_check", "schema_version", "synchronous", "user_version",
    ]

    /// Hides columns, such as `leads.phone` and `*.phone`; names of tables are passed over.
    mutating func hide(columns names: [String]) {
        for name in names {
            let parts = name.lowercased().split(separator: ".", maxSplits: 1).map(String.init)
            if parts.count == 2 { hidden[parts[0], default: []].insert(parts[1]) }
        }
    }

    /// Runs `body` while the rules hold on a connection that has no other authorizer.
    ///
    /// Putting them on makes SQLite prepare every statement of the connection anew, so that one closure holds many.
    public func holding<T>(on connection: OpaquePointer, _ body: (StatementGuard) throws -> T) rethrows -> T {
        let guardian = StatementGuard(self, on: connection)
        defer { guardian.leave() }
        return try body(guardian)
    }
}

/// ``StatementRules`` on a connection, with what they refused last.
public final class StatementGuard {
    /// What a statement asked for in vain.
    public enum Refusal: Sendable, Hashable {
        case table(String)
        /// A column, as `leads.phone`.
        case column(String)
        case writing(String)
        /// A table that Trellis alone writes, and what does it.
        case keeping(String, String)
        case trigger
        case function(String)
        case pragma(String)
        case schema
        /// A table, view, index or trigger that is not the writer's own.
        case changing(String)
        case transaction
        /// Another file: `ATTACH`, `DETACH`, `VACUUM INTO`.
        case otherFile
        case other

        /// What was refused, for the one who wrote the statement.
        public var sentence: String {
            switch self {
            case .table(let name): "The table \(name) may not be read here."
            case .writing(let name): "The table \(name) may not be written here."
            case .column(let name): "The column \(name) may not be read here."
            case .keeping(let name, let instead):
                "The table \(name) is Trellis's own book-keeping, and is not written by hand. \(instead)"
            case .trigger: "Triggers may not be made here."
            case .function(let name): "The function \(name)() may not be used here."
            case .pragma(let name): "PRAGMA \(name) may not be used here."
            case .schema: "Tables, indexes, views and triggers may not be made or changed here."
            case .changing(let name):
                "\(name) belongs to Trellis, or was made elsewhere: it may not be dropped or altered here. Fields of your own go under fields: in the config."
            case .transaction: "A statement may not begin or end a transaction here."
            case .otherFile: "This statement is not allowed: it reaches outside this database."
            case .other: "This statement is not allowed here."
            }
        }
    }

    /// What was refused first since ``forget()``; nil where nothing was.
    public private(set) var refusal: Refusal?
    /// Tables a statement itself writes since ``forget()``: not those its triggers do.
    private(set) var written: Set<String> = []
    /// Whether a statement since ``forget()`` makes, changes or drops tables, indexes, views or triggers.
    private(set) var changesSchema = false
    /// What statements since ``forget()`` read, where the rules say that it is noted.
    private(set) var columnsRead: Set<ColumnRead> = []
    /// What statements since ``forget()`` read as NULL, because the rules hide it.
    private(set) var columnsHidden: Set<ColumnRead> = []
    private let rules: StatementRules
    private let connection: OpaquePointer
    /// What is no table of a `WITH`, where only some tables may be read.
    private let relations: Set<String>

    init(_ rules: StatementRules, on connection: OpaquePointer) {
        self.rules = rules
        self.connection = connection
        relations = if case .only = rules.readable { StatementGuard.relations(connection) } else { [] }
        enter()
    }

    /// Puts the rules on the connection again.
    func enter() {
        sqlite3_set_authorizer(
            connection,
            { context, action, first, second, schema, within in
                guard let context else { return SQLITE_DENY }
                let guardian = Unmanaged<StatementGuard>.fromOpaque(context).takeUnretainedValue()
                let answer = guardian.answer(action, first, second, within)
                if action == SQLITE_READ {
                    guardian.note(first, second, schema, within, isHidden: answer == SQLITE_IGNORE)
                }
                return answer
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Takes the rules off the connection.
    func leave() {
        sqlite3_set_authorizer(connection, nil, nil)
    }

    /// Begins anew, before another statement.
    public func forget() {
        refusal = nil
        written = []
        changesSchema = false
        columnsRead = []
        columnsHidden = []
    }

    /// A column that a statement reads, and the view through which it does; empty where it is none.
    struct ColumnRead: Hashable {
        let schema: String
        let table: String
        let column: String
        let within: String

        func isOf(_ table: String, in schema: String) -> Bool { self.table == table && self.schema == schema }
    }

    private func note(
        _ table: UnsafePointer<CChar>?, _ column: UnsafePointer<CChar>?, _ schema: UnsafePointer<CChar>?,
        _ within: UnsafePointer<CChar>?, isHidden: Bool
    ) {
        guard rules.notesReading || isHidden else { return }
        func name(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0).lowercased() } ?? "" }
        let read = ColumnRead(schema: name(schema), table: name(table), column: name(column), within: name(within))
        if rules.notesReading { columnsRead.insert(read) }
        if isHidden { columnsHidden.insert(read) }
    }

    /// - Parameter within: the trigger, the view or the `WITH` that does it. None but a trigger writes.
    private func answer(
        _ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?,
        _ within: UnsafePointer<CChar>?
    ) -> Int32 {
        func name(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0).lowercased() } ?? "" }
        switch action {
        case SQLITE_SELECT, SQLITE_RECURSIVE: return SQLITE_OK
        case SQLITE_READ: return reading(name(first), column: name(second), within: name(within))
        // The name of a function is the second text.
        case SQLITE_FUNCTION:
            let function = name(second)
            return function != "load_extension" && rules.functions.contains(function)
                ? SQLITE_OK : refuse(.function(function))
        case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE:
            let table = name(first)
            // Asked when pragma_table_info() is first used as a table, and by every change of the schema, which asks
            // for itself as well. SQLite changes no row of it for anybody.
            if table == "sqlite_master" || table == "sqlite_temp_master" { return SQLITE_OK }
            if within != nil, rules.writable != .none { return SQLITE_OK }
            if let instead = rules.kept[table] { return refuse(.keeping(table, instead)) }
            guard rules.writable.contains(table) else { return refuse(.writing(table)) }
            written.insert(table)
            return SQLITE_OK
        case SQLITE_PRAGMA:
            let pragma = name(first)
            return rules.pragmas.contains(pragma) && (second == nil || StatementRules.schemaPragmas.contains(pragma))
                ? SQLITE_OK : refuse(.pragma(pragma))
        case SQLITE_TRANSACTION, SQLITE_SAVEPOINT: return refuse(.transaction)
        case SQLITE_ATTACH, SQLITE_DETACH: return refuse(.otherFile)
        default:
            guard StatementGuard.schemaActions.contains(action) else { return refuse(.other) }
            changesSchema = true
            guard rules.allowsSchemaChanges else { return refuse(.schema) }
            if rules.trustedTriggers != nil, StatementGuard.makesTrigger.contains(action) { return refuse(.trigger) }
            // Of an ALTER the table is the second text, after the file.
            let object = action == SQLITE_ALTER_TABLE ? name(second) : name(first)
            let isChanged = action == SQLITE_ALTER_TABLE || StatementGuard.drops.contains(action)
            return isChanged && rules.unchangeable.contains(object) ? refuse(.changing(object)) : SQLITE_OK
        }
    }

    private func reading(_ table: String, column: String, within: String) -> Int32 {
        if let trusted = rules.trustedTriggers, trusted.contains(within) || HandWriting.keeps(within) {
            return SQLITE_OK
        }
        if [table, "*"].contains(where: { rules.hidden[$0]?.contains(column) == true }) {
            return rules.trustedTriggers == nil ? SQLITE_IGNORE : refuse(.column("\(table).\(column)"))
        }
        if rules.readable.contains(table) { return SQLITE_OK }
        // Of a relation whose columns are of no interest, as in count(*), SQLite asks by the name in the statement, be
        // it a table or a WITH.
        if case .only = rules.readable, column.isEmpty, !relations.contains(table) { return SQLITE_OK }
        return refuse(.table(table))
    }

    private func refuse(_ what: Refusal) -> Int32 {
        refusal = refusal ?? what
        return SQLITE_DENY
    }

    private static let makesTrigger: Set<Int32> = [SQLITE_CREATE_TRIGGER, SQLITE_CREATE_TEMP_TRIGGER]

    private static let drops: Set<Int32> = [
        SQLITE_DROP_INDEX, SQLITE_DROP_TABLE, SQLITE_DROP_TRIGGER, SQLITE_DROP_VIEW, SQLITE_DROP_VTABLE,
    ]

    private static let schemaActions: Set<Int32> = [
        SQLITE_CREATE_INDEX, SQLITE_CREATE_TABLE, SQLITE_CREATE_TRIGGER, SQLITE_CREATE_VIEW, SQLITE_CREATE_VTABLE,
        SQLITE_CREATE_TEMP_INDEX, SQLITE_CREATE_TEMP_TABLE, SQLITE_CREATE_TEMP_TRIGGER, SQLITE_CREATE_TEMP_VIEW,
        SQLITE_DROP_INDEX, SQLITE_DROP_TABLE, SQLITE_DROP_TRIGGER, SQLITE_DROP_VIEW, SQLITE_DROP_VTABLE,
        SQLITE_DROP_TEMP_INDEX, SQLITE_DROP_TEMP_TABLE, SQLITE_DROP_TEMP_TRIGGER, SQLITE_DROP_TEMP_VIEW,
        SQLITE_ALTER_TABLE, SQLITE_ANALYZE, SQLITE_REINDEX,
    ]

    /// The tables and views of the file and those that SQLite makes up, such as `dbstat`.
    static func relations(_ connection: OpaquePointer) -> Set<String> {
        let sql = """
            SELECT lower(name) FROM sqlite_schema UNION SELECT lower(name) FROM sqlite_temp_schema
            UNION SELECT lower(name) FROM pragma_module_list UNION SELECT 'pragma_' || name FROM pragma_pragma_list
            """
        let own: Set<String> = ["sqlite_schema", "sqlite_master", "sqlite_temp_schema", "sqlite_temp_master"]
        return own.union((try? SQLConnection.names(connection, sql)) ?? [])
    }
}
