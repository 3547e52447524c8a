import CTrellisSQLite
import Foundation

/// Statements that somebody types and that write. Each is one transaction, logged under the name of its writer
/// (`sql:anna`), noted in `sql_writes`, and kept with its rows before and after, so that ``Undo`` can take it back.
///
/// The rows are kept by TEMP triggers on the tables that the statement itself writes, and on those that foreign keys
/// change with them. What other triggers make of it is theirs: taking it back fires them again.
public final class HandWriting {
    /// What came of a statement.
    public struct Outcome: Sendable, Hashable {
        /// Rows changed by the statement itself.
        public let changed: Int
        /// The row of `sql_writes`; nil where nothing was written.
        public let id: Int64?
        public let canBeUndone: Bool
        /// Why it cannot be undone, where it changed something all the same.
        var lasting: Lasting?

        enum Lasting: String, Sendable {
            case schema
            case tooManyRows = "too_many_rows"
        }

        /// What whoever wrote is told: what changed, and whether it can be taken back.
        ///
        /// - Parameter way: how it can, such as `Undo with: trellis undo 7`.
        public func receipt(_ way: String) -> String {
            let rows = "\(changed) row\(changed == 1 ? "" : "s") changed"
            let undo = "'trellis undo' does not take that back: what was there is in a backup alone."
            return switch lasting {
            case .schema: "The schema is changed. \(undo)"
            case .tooManyRows: "\(rows), and more than \(HandWriting.rowsMax) are not kept. \(undo)"
            case nil: rows + (canBeUndone ? ". \(way)" : ".")
            }
        }
    }

    let connection: SQLConnection
    private let origin: String
    private let now: @Sendable () -> Date

    /// A statement that changes more rows is not kept, and cannot be undone.
    static let rowsMax = 100_000
    /// After so many a statement is stopped: as long as it runs nobody else writes.
    public static let secondsDefault = 300.0
    /// Tables whose rows are not kept: the log, and what nobody writes by hand.
    private static let unkept = Set(ownTables.keys).union(["events"])
    /// - Parameters:
    ///   - user: who writes, as the machine calls them.
    ///   - hidden: tables and columns that a statement may not read, as ``Kernel/secrets`` has them; none for whoever
    ///     holds the file.
    ///   - seconds: after them a statement is stopped, and nothing of it is written.
    ///   - advice: what is said then beside that.
    /// - Throws: ``KernelError/usage(_:)`` where an older program opened the file last.
    public init(
        path: String, user: String, hiding hidden: [String] = [], seconds: Double = secondsDefault,
        advice: String = "Do it in parts.", now: @escaping @Sendable () -> Date
    ) throws {
        let spelled = seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
        let sentence =
            "The statement took longer than \(spelled) s and was stopped. Nothing of it was written. \(advice)"
        connection = try SQLConnection(path: path, rules: .writing, budget: .seconds(seconds), tookLonger: sentence) {
            handle, rules in
            // With recursive triggers REPLACE fires the triggers of the rows that it removes.
            for pragma in [
                "synchronous = FULL", "foreign_keys = ON", "wal_autocheckpoint = 0", "recursive_triggers = ON",
            ] {
                sqlite3_exec(handle, "PRAGMA \(pragma)", nil, nil, nil)
            }
            guard
                try SQLConnection.names(handle, "SELECT name FROM sqlite_schema WHERE name = 'sql_objects'").count == 1
            else {
                throw KernelError.usage(
                    "This file was last opened by an older trellis. Run 'trellis status' once, which brings it up to date."
                )
            }
            rules.unchangeable = .only(
                try SQLConnection.names(
                    handle,
                    "SELECT lower(name) FROM sqlite_schema WHERE lower(name) NOT IN (SELECT name FROM sql_objects)"))
            rules.kept = HandWriting.ownTables
            if !hidden.isEmpty { try HandWriting.hide(hidden, handle, &rules) }
        }
        let name = user.unicodeScalars.filter {
            $0.properties.isAlphabetic || $0.properties.numericType != nil || "._-".unicodeScalars.contains($0)
        }
        origin = "sql:" + (name.isEmpty ? "somebody" : String(String.UnicodeScalarView(name.prefix(60))))
        self.now = now
    }

    /// Whether the file has what this needs: false for one that an older program opened last, until a kernel opens it.
    public static func isReady(_ path: String) throws -> Bool {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'sql_objects'"
        return try SQLConnection(path: path, access: .read).table(sql).rows == [[1]]
    }

    /// Runs one statement, as ``SQLConnection/run(_:parameters:columns:row:)`` does.
    public func run(
        _ sql: String, parameters: [String: Cell] = [:], columns: ([String]) throws -> Void = { _ in },
        row: ([Cell]) throws -> Bool
    ) throws -> Outcome {
        try refuseNames(sql)
        guard try connection.writes(sql) else {
            try connection.run(sql, parameters: parameters, columns: columns, row: row)
            return Outcome(changed: 0, id: nil, canBeUndone: false)
        }
        let (tables, changesSchema) = (connection.guardian.written, connection.guardian.changesSchema)
        let id = try begin(sql)
        do {
            let images = changesSchema ? [] : try keep(tables, id)
            let count = try connection.run(sql, parameters: parameters, columns: columns, row: row)
            let changed = changesSchema ? 0 : count
            let undo = try end(id, changed, images, changesSchema)
            return Outcome(
                changed: changed, id: id, canBeUndone: undo == "possible", lasting: Outcome.Lasting(rawValue: undo))
        } catch {
            _ = try? unguarded("ROLLBACK")
            throw error
        }
    }

    /// Runs `body` while Ctrl-C stops the statement that it runs, of which nothing is kept then.
    public func whileStoppable<T>(_ body: () throws -> T) rethrows -> T { try connection.whileStoppable(body) }

    /// Reads, as the same connection sees it.
    public func table(_ sql: String, parameters: [String: Cell] = [:], limit: Int = .max) throws -> Table {
        try connection.table(sql, parameters: parameters, limit: limit)
    }

    // MARK: - Around a statement

    private func begin(_ sql: String) throws -> Int64 {
        let stamp = Timestamp.text(now())
        try unguarded("BEGIN IMMEDIATE")
        do {
            try unguarded(
                "UPDATE kernel_context SET origin = :p1, now = :p2, cause_id = NULL, depth = 0, mode = NULL, logs_itself = 0",
                [.text(origin), .text(stamp)])
            try unguarded(
                "INSERT INTO sql_writes (at, origin, statement, rows_changed, undo) VALUES (:p1, :p2, :p3, 0, 'nothing')",
                [.text(stamp), .text(origin), .text(sql.trimmingCharacters(in: .whitespacesAndNewlines))])
        } catch {
            _ = try? unguarded("ROLLBACK")
            throw error
        }
        return sqlite3_last_insert_rowid(connection.handle)
    }

    /// Puts the triggers that keep rows on what the statement writes.
    private func keep(_ tables: Set<String>, _ id: Int64) throws -> [RowImage] {
        let images = try withForeignKeys(tables.subtracting(HandWriting.unkept)).sorted().compactMap { table in
            try RowImage(table) { try self.unguarded($0, $1) }
        }
        // SQLite copies a table into one of the same columns that has no trigger without asking for what it reads
        // (https://www.sqlite.org/src/doc/trunk/src/insert.c, xferOptimization).
        let kept = Set(images.map { $0.table.lowercased() }).union(["events"])
        if connection.rules.trustedTriggers != nil, let table = tables.subtracting(kept).min() {
            throw KernelError.usage(
                "The table \(table) may not be written here: its rows could not be kept for 'trellis undo'.")
        }
        for (number, image) in images.enumerated() {
            for trigger in KeepingTriggers(image: image, number: number, writeID: id).sql { try unguarded(trigger) }
        }
        return images
    }

    /// The tables whose rows change with those of others, by their foreign keys.
    private func withForeignKeys(_ tables: Set<String>) throws -> Set<String> {
        let list = "[" + tables.map { JSONValue.string($0).text() }.joined(separator: ",") + "]"
        let rows = try unguarded(
            """
            WITH RECURSIVE links (child, parent) AS (
                SELECT lower(m.name), lower(f."table") FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS f
                WHERE m.type = 'table' AND (f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR f.on_update IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
            ), touched (name) AS (
                SELECT value FROM json_each(:p1) UNION SELECT child FROM links JOIN touched ON parent = name
            )
            SELECT name FROM touched
            """, [.text(list)])
        return Set(rows.compactMap { $0.first?.text }).subtracting(HandWriting.unkept)
    }

    /// What was made by hand may be dropped by hand.
    private func noteObjects() throws {
        try unguarded("DELETE FROM sql_objects WHERE name NOT IN (SELECT lower(name) FROM sqlite_schema)")
        guard case .only(let others) = connection.rules.unchangeable else { return }
        let list = JSONValue.array(others.sorted().map(JSONValue.string)).text()
        try unguarded(
            """
            INSERT OR IGNORE INTO sql_objects (name, origin, made_at)
            SELECT lower(name), :p1, :p2 FROM sqlite_schema WHERE lower(name) NOT IN (SELECT value FROM json_each(:p3))
            """, [.text(origin), .text(Timestamp.text(now())), .text(list)])
    }

    private func end(_ id: Int64, _ changed: Int, _ images: [RowImage], _ changesSchema: Bool) throws -> String {
        if changesSchema { try noteObjects() }
        for (number, image) in images.enumerated() {
            for name in KeepingTriggers(image: image, number: number, writeID: id).names {
                try unguarded("DROP TRIGGER temp.\(name)")
            }
            let row =
                "SELECT \(image.image(of: "t")) FROM main.\(image.table.sqlIdentifier) AS t WHERE \(image.isRow("t", key: "row_key"))"
            try unguarded(
                "UPDATE sql_undo_rows SET after = (\(row)) WHERE write_id = :p1 AND table_name = :p2",
                [.integer(id), .text(image.table)])
        }
        try unguarded("DELETE FROM sql_undo_rows WHERE write_id = :p1 AND before IS after", [.integer(id)])
        let kept = try unguarded("SELECT count(*) FROM sql_undo_rows WHERE write_id = :p1", [.integer(id)]).first?.first
        var undo = changesSchema ? "schema" : kept == .integer(0) ? "nothing" : "possible"
        if case .integer(let count) = kept, count > HandWriting.rowsMax {
            undo = "too_many_rows"
            try unguarded("DELETE FROM sql_undo_rows WHERE write_id = :p1", [.integer(id)])
        }
        try unguarded(
            "UPDATE sql_writes SET rows_changed = :p1, undo = :p2 WHERE id = :p3",
            [.integer(Int64(changed)), .text(undo), .integer(id)])
        try unguarded("UPDATE kernel_context SET origin = NULL, now = NULL")
        try unguarded("COMMIT")
        return undo
    }

    /// Runs a statement of this type's own, which asks no rules.
    @discardableResult
    private func unguarded(_ sql: String, _ values: [Cell] = []) throws -> [[Cell]] {
        connection.guardian.leave()
        defer { connection.guardian.enter() }
        var parameters: [String: Cell] = [:]
        for (index, value) in values.enumerated() { parameters["p\(index + 1)"] = value }
        return try connection.table(sql, parameters: parameters).rows
    }
}

/// The triggers that keep the rows of a table while one statement changes them: as they were before its first change.
///
/// No `INSERT OR IGNORE` here: inside a trigger the conflict clause of the statement that fired it counts.
private struct KeepingTriggers {
    let image: RowImage
    let number: Int
    let writeID: Int64

    private static let moments = ["before_update", "after_update", "before_delete", "after_insert"]

    var names: [String] { KeepingTriggers.moments.map { "\(HandWriting.keepingPrefix)\(number)_\($0)" } }

    var sql: [String] {
        let table = "main.\(image.table.sqlIdentifier)"
        let moved = "\(image.key(of: "NEW")) IS NOT \(image.key(of: "OLD"))"
        return [
            "CREATE TEMP TRIGGER \(names[0]) BEFORE UPDATE ON \(table) BEGIN \(keep("OLD")) END",
            "CREATE TEMP TRIGGER \(names[1]) AFTER UPDATE ON \(table) WHEN \(moved) BEGIN \(goes) \(comes) END",
            "CREATE TEMP TRIGGER \(names[2]) BEFORE DELETE ON \(table) BEGIN \(keep("OLD")) \(goes) END",
            "CREATE TEMP TRIGGER \(names[3]) AFTER INSERT ON \(table) BEGIN \(comes) END",
        ]
    }

    private func kept(_ alias: String) -> String {
        "write_id = \(writeID) AND table_name = \(image.table.sqlLiteral) AND row_key = \(image.key(of: alias))"
    }

    private func keep(_ alias: String) -> String {
        """
        INSERT INTO sql_undo_rows (write_id, table_name, row_key, before)
        SELECT \(writeID), \(image.table.sqlLiteral), \(image.key(of: alias)), \(image.image(of: alias))
        WHERE NOT EXISTS (SELECT 1 FROM sql_undo_rows WHERE \(kept(alias)));
        """
    }

    private var goes: String { "UPDATE sql_undo_rows SET is_gone = 1 WHERE \(kept("OLD"));" }

    /// A row that is kept and is not gone was kept by another trigger's change of this very row, made before this
    /// trigger's turn: there was none before. One that is gone comes back.
    private var comes: String {
        """
        UPDATE sql_undo_rows SET before = NULL WHERE \(kept("NEW")) AND NOT is_gone;
        UPDATE sql_undo_rows SET is_gone = 0 WHERE \(kept("NEW"));
        INSERT INTO sql_undo_rows (write_id, table_name, row_key)
        SELECT \(writeID), \(image.table.sqlLiteral), \(image.key(of: "NEW"))
        WHERE NOT EXISTS (SELECT 1 FROM sql_undo_rows WHERE \(kept("NEW")));
        """
    }
}
