import CTrellisSQLite
import Foundation

/// The file as it was at a moment, for reading: a connection on which temporary views stand in the place of the tables
/// whose history is kept. The views of the file are made anew over them, and `'now'` in them is the moment.
public struct PastReader {
    public let moment: PastMoment
    public let connection: SQLConnection
    private let views: [PastView]
    /// The tables of the file, in lower case.
    private let tables: Set<String>

    /// - Parameters:
    ///   - plugins: all that the program has: what a plugin keeps stays readable while it is off.
    ///   - limits: how much a statement may take.
    /// - Throws: ``KernelError`` as ``SQLConnection`` does.
    public init(path: String, moment: PastMoment, plugins: [any Plugin.Type], limits: ReadingLimits? = nil) throws {
        self.moment = moment
        let declared = KernelPast.views + plugins.flatMap { $0.pastViews }
        var (views, tables) = ([PastView](), Set<String>())
        var rules = StatementRules.reading
        rules.notesReading = true
        connection = try SQLConnection(path: path, rules: rules, limits: limits) { handle, _ in
            let past = PastSchema(handle: handle, moment: moment)
            tables = Set(try past.tables().map { $0.lowercased() })
            views = try past.install(declared)
        }
        self.views = views
        self.tables = tables
    }

    /// What whoever ran a statement should know of its answer, in sentences: which of the columns it read are as they
    /// are now, because their past is not kept. Of the statement that was run last.
    public func doubts() throws -> [String] {
        let read = connection.guardian.columnsRead
        return try changedColumns(read) + unkeptColumns(read) + presentTables(read) + mergedSince(read)
    }

    /// Whether the log begins after the moment, in a sentence; nil otherwise.
    public func beginning() throws -> String? {
        let first = try connection.table("SELECT min(at) FROM main.events").rows.first?.first?.text
        guard let first else { return "The log is empty: nothing is known of what was." }
        guard first > moment.stamp else { return nil }
        return
            "The log begins at \(first.prefix(19)) UTC. Of what was before, only the dates that rows carry are known."
    }

    /// What each command says before its answer.
    public func heading(in place: LocalTime) -> String {
        let utc = "\(moment.stamp.prefix(19)) UTC"
        return place.name == "UTC"
            ? "As of \(utc)." : "As of \(place.text(moment.date)), which is \(utc)."
    }

    // MARK: - Doubts

    /// Of a change of a lead the log names the column, and not what stood in it.
    private func changedColumns(_ read: Set<StatementGuard.ColumnRead>) throws -> [String] {
        let columns = try Set(
            read.filter { try $0.isOf("leads", in: "temp") && isAskedFor($0, in: read) }.map(\.column))
        guard !columns.isEmpty else { return [] }
        let rows = try connection.table(PastSchema.doubtfulColumns).rows
        let doubtful = rows.compactMap { row -> String? in
            guard row.count == 2, let column = row[0].text, columns.contains(column), let leads = row[1].text else {
                return nil
            }
            return "\(column) of \(leads)"
        }
        guard !doubtful.isEmpty else { return [] }
        let isOne = doubtful.count == 1 && doubtful[0].hasSuffix(" of 1")
        return [
            """
            Of leads these columns are as they are now, for they were changed since and only their names are logged: \
            \(doubtful.joined(separator: ", ")) lead\(isOne ? "" : "s"). Which: SELECT * FROM changed_since
            """
        ]
    }

    /// A view that gives out all columns of a table is asked for some of them.
    private func isAskedFor(
        _ column: StatementGuard.ColumnRead, in read: Set<StatementGuard.ColumnRead>
    ) throws -> Bool {
        guard !column.within.isEmpty,
            !read.contains(where: { $0.table == column.within && $0.column == column.column })
        else { return true }
        let names = try connection.table(
            "SELECT lower(name) FROM pragma_table_info(:view)", parameters: ["view": .text(column.within)])
        return !names.rows.contains { $0.first?.text == column.column }
    }

    private func unkeptColumns(_ read: Set<StatementGuard.ColumnRead>) -> [String] {
        let names = views.flatMap { view in
            view.asNow.filter { column in
                read.contains { $0.isOf(view.table, in: "temp") && $0.column == column }
            }.map { "\(view.table).\($0)" }
        }
        return names.isEmpty ? [] : ["As now, for their past is not kept: \(names.joined(separator: ", "))."]
    }

    private func presentTables(_ read: Set<StatementGuard.ColumnRead>) -> [String] {
        let past = Set(views.map(\.table))
        let names = Set(
            read.filter { read in
                // Of a table without a column, as in count(*), SQLite tells the name in the statement alone.
                let isPresent =
                    read.column.isEmpty ? read.schema.isEmpty && !past.contains(read.table) : read.schema == "main"
                return isPresent && tables.contains(read.table) && !past.contains(read.within)
                    && !KernelPast.timeless.contains(read.table)
            }.map(\.table)
        ).sorted()
        return names.isEmpty
            ? [] : ["Read as \(names.count == 1 ? "it is" : "they are") now: \(names.joined(separator: ", "))."]
    }

    private func mergedSince(_ read: Set<StatementGuard.ColumnRead>) throws -> [String] {
        let united = Set(
            read.filter { read in
                read.column == "lead_id" && read.schema == "temp"
                    && views.contains { $0.table == read.table && !$0.separatesMerged }
            }.map(\.table)
        ).sorted()
        guard !united.isEmpty,
            case .integer(let count) = try connection.table("SELECT count(DISTINCT gone_id) FROM temp.past_merges").rows
                .first?.first,
            count > 0
        else { return [] }
        return [
            "\(count) lead\(count == 1 ? " was" : "s were") merged since: in \(united.joined(separator: ", ")) what was theirs stands under the lead that stayed."
        ]
    }
}

/// Makes the temporary tables and views of a ``PastReader``.
struct PastSchema {
    let handle: OpaquePointer
    let moment: PastMoment

    /// - Returns: the views that were made: a table that is not there has no past.
    func install(_ declared: [PastView]) throws -> [PastView] {
        for statement in scratchTables { try execute(statement) }
        let present = try tables()
        let views = declared.filter { present.contains($0.table) }
        for view in views {
            try execute(view.sql(columns: try columns(of: view.table), at: moment))
        }
        for sql in try SQLConnection.names(handle, "SELECT sql FROM main.sqlite_schema WHERE type = 'view'") {
            guard sql.hasPrefix("CREATE VIEW ") else { continue }
            try execute(moment.spelled("CREATE TEMP VIEW " + sql.dropFirst(12)))
        }
        try execute("CREATE TEMP VIEW changed_since AS \(PastSchema.changes(moment))")
        return views
    }

    func tables() throws -> Set<String> {
        try SQLConnection.names(handle, "SELECT name FROM main.sqlite_schema WHERE type = 'table'")
    }

    private var scratchTables: [String] {
        let at = moment.stamp.sqlLiteral
        return [
            """
            CREATE TEMP TABLE past_absences AS
            SELECT e.lead_id FROM main.events AS e WHERE e.kind = 'lead.deleted' AND e.at <= \(at) AND NOT EXISTS (
                SELECT 1 FROM main.events AS b WHERE b.lead_id = e.lead_id AND b.id > e.id AND b.at <= \(at)
                AND b.kind IN ('lead.created', 'lead.restored'))
            """,
            """
            CREATE TEMP TABLE past_merges AS
            WITH RECURSIVE merged (lead_id, into_id, event_id, at) AS (
                SELECT lead_id, json_extract(body, '$.into'), id, at FROM main.events WHERE kind = 'lead.merged'
            ), chain (gone_id, now_id, event_id) AS (
                SELECT lead_id, into_id, event_id FROM merged WHERE at > \(at)
                UNION
                SELECT c.gone_id, m.into_id, m.event_id FROM chain AS c JOIN merged AS m ON m.lead_id = c.now_id AND m.event_id > c.event_id)
            SELECT DISTINCT gone_id, now_id FROM chain
            """,
            """
            CREATE TEMP TABLE past_owners AS
            WITH RECURSIVE merged (lead_id, into_id, event_id) AS (
                SELECT lead_id, json_extract(body, '$.into'), max(id) FROM main.events
                WHERE kind = 'lead.merged' AND at <= \(at) GROUP BY lead_id
            ), chain (lead_id, then_id, event_id) AS (
                SELECT lead_id, into_id, event_id FROM merged
                UNION ALL
                SELECT c.lead_id, m.into_id, m.event_id FROM chain AS c JOIN merged AS m ON m.lead_id = c.then_id AND m.event_id > c.event_id)
            SELECT lead_id, then_id, max(event_id) AS event_id FROM chain GROUP BY lead_id
            """,
        ]
    }

    /// Which column of which lead is not what it was.
    static func changes(_ moment: PastMoment) -> String {
        """
        SELECT e.lead_id, c.value AS "column", count(*) AS changes, min(e.at) AS first_at
        FROM main.events AS e, json_each(e.body, '$.columns') AS c
        WHERE e.kind = 'lead.updated' AND e.at > \(moment.stamp.sqlLiteral) GROUP BY e.lead_id, c.value
        """
    }

    /// Of the leads there were, how many are not what they were in each column.
    static let doubtfulColumns = """
        SELECT "column", count(*) FROM temp.changed_since WHERE lead_id IN (SELECT id FROM temp.leads) GROUP BY 1 ORDER BY 1
        """

    private func columns(of table: String) throws -> [String] {
        // In the sequence in which they stand: a set would forget it.
        var statement: OpaquePointer?
        let sql = "SELECT name FROM pragma_table_xinfo(\(table.sqlLiteral), 'main') WHERE hidden <> 1 ORDER BY cid"
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { throw failure() }
        defer { sqlite3_finalize(statement) }
        var names: [String] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            if let text = sqlite3_column_text(statement, 0) { names.append(String(cString: text)) }
        }
        return names
    }

    private func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
    }

    private func failure() -> KernelError {
        .data("The past could not be laid out: \(String(cString: sqlite3_errmsg(handle))).")
    }
}
