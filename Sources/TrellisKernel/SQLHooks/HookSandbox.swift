import CTrellisSQLite
import Foundation

/// A database in memory with the schema of a file and nothing in it, on which the SQL of hooks is prepared under rules
/// before the file's own connection is given it.
///
/// The file's connection cannot hold rules: its authorizer is the library's. What a statement does follows from its
/// text and the schema, so that what may be prepared here may run there.
final class HookSandbox {
    private let handle: OpaquePointer
    private let names: SchemaNames

    /// A statement of a hook as SQLite reads it.
    struct Statement {
        let columns: [String]
        let parameters: [String]
        let isReadOnly: Bool
        /// The tables it writes, in lower case.
        let writes: Set<String>
        /// The columns it reads, such as `leads.email`, in lower case; empty where the rules do not note them.
        let reads: Set<String>
        /// Whether a constraint it breaks would roll back the transaction it runs in: `INSERT OR ROLLBACK`.
        let mayRollBack: Bool
    }

    /// What is wrong with a statement.
    struct Fault: Error {
        let message: String
        /// The byte of the text at which it is; nil where SQLite does not say.
        var offset: Int?
    }

    /// The triggers of the schema are left out: what they do is the kernel's, and rules could not tell it from what a
    /// statement does.
    ///
    /// - Parameter kinds: kinds whose relations hooks may name: `batch_asset_downloaded`.
    init(schemaOf db: Database, kinds: [EventDeclaration]) throws {
        var handle: OpaquePointer?
        guard sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK,
            let handle
        else {
            sqlite3_close_v2(handle)
            throw KernelError.diskError("SQLite could not open a database in memory")
        }
        self.handle = handle
        _ = trellis_harden(handle)
        sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
        let schema = try String.fetchAll(
            db,
            sql: """
                SELECT sql FROM sqlite_schema WHERE type IN ('table', 'view', 'index') AND sql IS NOT NULL AND name NOT GLOB 'sqlite_*'
                ORDER BY type = 'view', rowid
                """)
        let relations = kinds.map { BatchRelation($0).definition }
        for sql in schema + [BatchWindow.schema] + relations {
            guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
                throw KernelError.data("SQL: \(String(cString: sqlite3_errmsg(handle))), in: \(sql.prefix(80))")
            }
        }
        names = SchemaNames(handle, temporary: true)
    }

    deinit { sqlite3_close_v2(handle) }

    /// Reads each statement of a text under rules.
    ///
    /// - Returns: each statement, or a ``Fault`` where it is no SQL or asks for more than the rules allow.
    /// - Throws: ``Fault`` where there is none.
    func statements(_ sql: LocatedText, _ rules: StatementRules) throws -> [Result<Statement, Fault>] {
        let texts = SQLText(sql.value).statements
        guard !texts.isEmpty else { throw Fault(message: "there is no SQL here.") }
        return try rules.holding(on: handle) { guardian in
            var end = sql.value.startIndex
            return try texts.map { text -> Result<Statement, Fault> in
                let range = sql.value.range(of: text, range: end..<sql.value.endIndex)
                let start = sql.value.utf8.distance(from: sql.value.startIndex, to: range?.lowerBound ?? end)
                end = range?.upperBound ?? end
                do {
                    return .success(try statement(text, guardian))
                } catch var fault as Fault {
                    fault.offset = start + (fault.offset ?? SQLText.firstWord(of: text))
                    return .failure(fault)
                }
            }
        }
    }

    private func statement(_ text: String, _ guardian: StatementGuard) throws -> Statement {
        guardian.forget()
        let statement = try prepare(text, guardian)
        defer { sqlite3_finalize(statement) }
        let columns = (0..<sqlite3_column_count(statement)).map {
            sqlite3_column_name(statement, $0).map { String(cString: $0) } ?? ""
        }
        return Statement(
            columns: columns, parameters: SQLText.parameters(of: statement),
            isReadOnly: sqlite3_stmt_readonly(statement) != 0, writes: guardian.written,
            reads: Set(guardian.columnsRead.map { "\($0.table).\($0.column)" }),
            mayRollBack: try mayRollBack(text, guardian))
    }

    private func prepare(_ text: String, _ guardian: StatementGuard) throws -> OpaquePointer {
        var statement: OpaquePointer?
        var rest: String?
        let code = text.withCString { start in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v2(handle, start, -1, &statement, &tail)
            rest = tail.map { String(cString: $0) }
            return code
        }
        if let refusal = guardian.refusal {
            sqlite3_finalize(statement)
            throw Fault(message: refusal.sentence)
        }
        guard code == SQLITE_OK, let statement else {
            sqlite3_finalize(statement)
            throw fault(in: text)
        }
        guard SQLText(rest ?? "").statements.isEmpty else {
            sqlite3_finalize(statement)
            throw Fault(message: "SQL: it goes on after the end of a statement. End each with a semicolon.")
        }
        return statement
    }

    /// What SQLite found, the name that was probably meant, and where.
    private func fault(in text: String) -> Fault {
        let message = String(cString: sqlite3_errmsg(handle))
        let offset = Int(sqlite3_error_offset(handle))
        return Fault(message: "SQL: \(message).\(names.hint(message))", offset: offset >= 0 ? offset : nil)
    }

    /// `OR ROLLBACK` shows in the program of a statement alone: it halts with the first way to resolve a conflict
    /// (https://www.sqlite.org/opcode.html#Halt). So does VACUUM, which no rule is asked about.
    private func mayRollBack(_ text: String, _ guardian: StatementGuard) throws -> Bool {
        let program = try prepare("EXPLAIN \(text)", guardian)
        defer { sqlite3_finalize(program) }
        while sqlite3_step(program) == SQLITE_ROW {
            let code = sqlite3_column_text(program, 1).map { String(cString: $0) } ?? ""
            if code == "Vacuum" { throw Fault(message: StatementGuard.Refusal.other.sentence) }
            if ["Halt", "HaltIfNull"].contains(code), sqlite3_column_int(program, 2) != 0,
                sqlite3_column_int(program, 3) == HookSandbox.rollback
            {
                return true
            }
        }
        return false
    }

    /// SQLite's own number for it: OE_Rollback.
    private static let rollback: Int32 = 1
}

/// The events of one kind in a batch, their fields as columns: `batch_asset_downloaded`, for SQL that hooks are written
/// in. Columns: `event_id, lead_id, event_at`, and the fields that are called by no other name.
struct BatchRelation {
    private let declaration: EventDeclaration

    init(_ declaration: EventDeclaration) {
        self.declaration = declaration
    }

    static func name(of kind: String) -> String {
        "batch_" + String(kind.map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    var definition: String {
        let fields = declaration.fields.map(\.name).filter { !["event_id", "lead_id", "event_at"].contains($0) }
        let columns = fields.map { ", json_extract(body, '$.\"\($0)\"') AS \"\($0)\"" }.joined()
        return """
            CREATE TEMP VIEW IF NOT EXISTS \(BatchRelation.name(of: declaration.kind)) AS
            SELECT id AS event_id, lead_id, at AS event_at\(columns) FROM batch WHERE kind = \(declaration.kind.sqlLiteral)
            """
    }
}
