import Foundation

/// Takes back what ``HandWriting`` wrote: rows become what they were, in one transaction that the log shows like any
/// other. A row that was changed since by somebody else stays as it is, and then so does everything.
public struct Undo {
    /// How long a statement can be undone.
    public static let days = 30
    /// Rows that a refusal names.
    private static let namedMax = 10

    private let kernel: Kernel
    private let user: String

    public init(_ kernel: Kernel, user: String) {
        self.kernel = kernel
        self.user = user
    }

    /// The statements that were written, the newest first, and whether they can be undone.
    public static func list(_ kernel: Kernel) throws -> Table {
        try kernel.read { db in
            Table(
                columns: ["id", "at", "by", "rows", "undo", "statement"],
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT id, at, origin, rows_changed, CASE undo WHEN 'done' THEN 'done by ' || undone_by ELSE replace(undo, '_', ' ') END,
                               statement FROM sql_writes ORDER BY id DESC LIMIT 200
                        """))
        }
    }

    /// Undoes one statement.
    ///
    /// - Parameter id: a row of `sql_writes`; nil means the newest that can be undone.
    /// - Returns: which it was, how many rows were put back, and which newer ones were passed over, with the reason.
    /// - Throws: ``KernelError/data(_:)`` that says why nothing was undone, with the rows that were changed since.
    public func undo(_ id: Int64? = nil) throws -> (id: Int64, rows: Int, passed: [String]) {
        try kernel.write(KernelContext(origin: "undo:\(user)", mode: "restoring")) { tx in
            let chosen: (id: Int64, passed: [String]) =
                if let id { (id: try find(id, tx), passed: []) } else { try newest(tx) }
            let write = chosen.id
            let tables = try String.fetchAll(
                tx.db, sql: "SELECT DISTINCT table_name FROM sql_undo_rows WHERE write_id = ? ORDER BY 1",
                arguments: [write])
            try tx.db.execute(sql: "PRAGMA defer_foreign_keys = ON")
            let images = try tables.map { try image($0, tx.db) }
            var rows = try images.flatMap { try KeptRow.all(of: $0, in: write, tx.db) }
            try refuseChanged(rows)
            // Whoever takes a name must find it free.
            rows.sort { $0.turn < $1.turn }
            try restore(rows, tx.db)
            try forgetTrash(rows, write, tx)
            try verify(images, write, tx.db)
            try tx.db.execute(
                sql: "UPDATE sql_writes SET undo = 'done', undone_at = ?, undone_by = ? WHERE id = ?",
                arguments: [tx.stamp, tx.origin, write])
            return (write, rows.count, chosen.passed)
        }
    }

    /// A value that another row still has, and that must be unique, waits until that row has its own again.
    private func restore(_ rows: [KeptRow], _ db: Database) throws {
        var waiting = rows
        while !waiting.isEmpty {
            var (again, refusal) = ([KeptRow](), DatabaseError?.none)
            for row in waiting {
                do {
                    try row.restore(db)
                } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                    again.append(row)
                    refusal = error
                }
            }
            if again.count == waiting.count, let refusal {
                throw KernelError.data(
                    "The database refused it: \(refusal.message ?? "a constraint"). Nothing was undone.")
            }
            waiting = again
        }
    }

    /// The moment before which nothing can be undone any more.
    private func limit(_ tx: Transaction) -> String {
        Timestamp.text(tx.now.addingTimeInterval(-Double(Undo.days) * 86_400))
    }

    /// The newest that can be undone, and those after it that cannot: `statement 7 (it changed the schema)`.
    private func newest(_ tx: Transaction) throws -> (id: Int64, passed: [String]) {
        let rows = try Row.fetchCursor(
            tx.db,
            sql: """
                SELECT w.id, w.undo, (
                    SELECT min(k.table_name) FROM sql_undo_rows AS k WHERE k.write_id = w.id
                      AND NOT EXISTS (SELECT 1 FROM sqlite_schema AS s WHERE s.type = 'table' AND lower(s.name) = lower(k.table_name))
                )
                FROM sql_writes AS w WHERE w.at >= ? AND w.undo IN ('possible', 'schema', 'too_many_rows') ORDER BY w.id DESC
                """, arguments: [limit(tx)])
        var passed: [String] = []
        while let row = try rows.next() {
            let (id, undo, gone) = (row[0] as Int64, row[1] as String, row[2] as String?)
            switch undo {
            case "schema": passed.append("statement \(id) (it changed the schema)")
            case "too_many_rows": passed.append("statement \(id) (more than \(HandWriting.rowsMax) rows)")
            default:
                guard let gone else { return (id, passed) }
                passed.append("statement \(id) (the table \(gone) is gone)")
            }
        }
        throw KernelError.data("There is nothing to undo. See: trellis undo list")
    }

    private func find(_ id: Int64, _ tx: Transaction) throws -> Int64 {
        let limit = limit(tx)
        let row = try Row.fetchOne(
            tx.db, sql: "SELECT at, undo, undone_at FROM sql_writes WHERE id = ?", arguments: [id])
        guard let row else { throw KernelError.data("There is no statement \(id). See: trellis undo list") }
        let state: String = row["undo"]
        switch state {
        case "possible":
            guard (row["at"] as String) >= limit else {
                throw KernelError.data("Statement \(id) is older than \(Undo.days) days and can no longer be undone.")
            }
            return id
        case "done": throw KernelError.data("Statement \(id) was undone already, at \(row["undone_at"] as String).")
        case "too_many_rows":
            throw KernelError.data(
                "Statement \(id) changed more than \(HandWriting.rowsMax) rows, which are not kept. Restore a backup beside this file and copy them from there."
            )
        case "schema":
            throw KernelError.data("Statement \(id) changed the schema, which cannot be undone. Restore a backup.")
        case "erased": throw KernelError.data("Statement \(id) was about somebody who is erased, and cannot be undone.")
        default: throw KernelError.data("Statement \(id) changed no row that is kept: there is nothing to undo.")
        }
    }

    private func image(_ table: String, _ db: Database) throws -> RowImage {
        guard let image = try RowImage(table, db) else {
            throw KernelError.data("The table \(table) is no longer there. Nothing was undone.")
        }
        return image
    }

    private func refuseChanged(_ rows: [KeptRow]) throws {
        let changed = rows.compactMap { row in row.changedSince.map { "\(row.name) (\($0))" } }
        guard !changed.isEmpty else { return }
        let more = changed.count > Undo.namedMax ? " and \(changed.count - Undo.namedMax) more" : ""
        throw KernelError.data(
            "Changed since, so that nothing was undone: \(changed.prefix(Undo.namedMax).joined(separator: ", "))\(more)."
        )
    }

    /// What is back in its table is no longer in the trash.
    private func forgetTrash(_ rows: [KeptRow], _ write: Int64, _ tx: Transaction) throws {
        for row in rows where row.wasThere {
            try tx.db.cachedStatement(
                sql: """
                    DELETE FROM trash WHERE table_name = ? AND row_id = json_extract(?, '$[0]')
                        AND deleted_at = (SELECT at FROM sql_writes WHERE id = ?)
                    """
            ).execute(arguments: [row.image.table, row.key, write])
        }
    }

    /// Every row must be what it was, apart from when it was last touched.
    private func verify(_ images: [RowImage], _ write: Int64, _ db: Database) throws {
        for row in try images.flatMap({ try KeptRow.all(of: $0, in: write, db) }) where !row.isRestored {
            throw KernelError.data("\(row.name) could not be put back as it was. Nothing was undone.")
        }
    }

    /// Forgets what can no longer be undone.
    static func empty(_ kernel: Kernel) throws {
        let limit = Timestamp.text(kernel.clock.now().addingTimeInterval(-Double(days) * 86_400))
        let isOld = try kernel.read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM sql_writes WHERE at < ?)", arguments: [limit])
        }
        guard isOld == true else { return }
        try kernel.write(origin: "kernel") {
            try $0.db.execute(sql: "DELETE FROM sql_writes WHERE at < ?", arguments: [limit])
        }
    }

    /// Forgets what was written by hand about a person, with the statement that may name them.
    static func erase(naming email: String, leads: [Int64], _ tx: Transaction) throws {
        try tx.db.execute(
            sql: """
                CREATE TEMP TABLE IF NOT EXISTS erased_writes (id INTEGER PRIMARY KEY);
                DELETE FROM temp.erased_writes;
                """)
        let list = "[" + leads.map(String.init).joined(separator: ",") + "]"
        try tx.db.execute(
            sql: """
                INSERT OR IGNORE INTO temp.erased_writes
                SELECT write_id FROM sql_undo_rows
                WHERE (table_name = 'leads' AND json_extract(row_key, '$[0]') IN (SELECT value FROM json_each(:leads)))
                   OR json_extract(before, '$.lead_id') IN (SELECT value FROM json_each(:leads))
                   OR json_extract(after, '$.lead_id') IN (SELECT value FROM json_each(:leads))
                   OR instr(lower(coalesce(before, '') || coalesce(after, '')), lower(:email))
                UNION SELECT id FROM sql_writes WHERE instr(lower(statement), lower(:email))
                """, arguments: ["leads": list, "email": email])
        try tx.db.execute(sql: "DELETE FROM sql_undo_rows WHERE write_id IN (SELECT id FROM temp.erased_writes)")
        try tx.db.execute(
            sql: """
                UPDATE sql_writes SET statement = NULL, undo = CASE undo WHEN 'possible' THEN 'erased' ELSE undo END
                WHERE id IN (SELECT id FROM temp.erased_writes)
                """)
    }
}

/// A row that a statement changed: before it, after it, and now.
private struct KeptRow {
    let image: RowImage
    let key: String
    /// By column; nil where there is no such row.
    private let before: [String: Value]?
    private let after: [String: Value]?
    private let now: [String: Value]?

    /// A value as SQLite reads it from an image.
    private struct Value: Hashable {
        let type: String
        let value: DatabaseValue
    }

    /// When a row was last touched is no part of what it says.
    private static let silent = "updated_at"

    static func all(of image: RowImage, in write: Int64, _ db: Database) throws -> [KeptRow] {
        let table = image.table.sqlIdentifier
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT row_key, before, after, (SELECT \(image.image(of: "t")) FROM \(table) AS t WHERE \(image.isRow("t", key: "row_key"))) AS now
                FROM sql_undo_rows WHERE write_id = ? AND table_name = ?
                """, arguments: [write, image.table])
        return try rows.map { row in
            KeptRow(
                image: image, key: row["row_key"], before: try values(row["before"], db),
                after: try values(row["after"], db),
                now: try values(row["now"], db))
        }
    }

    private static func values(_ json: String?, _ db: Database) throws -> [String: Value]? {
        guard let json else { return nil }
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT key, type,
                           CASE type WHEN 'object' THEN coalesce(json_extract(value, '$.blob'), json_extract(value, '$.infinite') * 9e999) ELSE value END AS value
                    FROM json_each(?)
                    """
            ),
            arguments: [json])
        return Dictionary(rows.map { ($0["key"] as String, Value(type: $0["type"], value: $0["value"])) }) { first, _ in
            first
        }
    }

    var name: String { "\(image.table) \(key.dropFirst().dropLast())" }
    var wasThere: Bool { before != nil }
    var isInsertion: Bool { before != nil && after == nil }
    /// What must happen first: rows go, then change, then come.
    var turn: Int { before == nil ? 0 : after == nil ? 2 : 1 }

    /// The columns that the statement changed in a row that was there before and is there after.
    private var changed: [String] {
        guard let before, let after else { return [] }
        return image.columns.filter { $0 != KeptRow.silent && before[$0] != after[$0] }
    }

    /// What is not as the statement left it, in words; nil where all is.
    var changedSince: String? {
        guard let after else { return now == nil ? nil : "there again" }
        guard let now else { return "deleted" }
        let looked = before == nil ? image.columns.filter { $0 != KeptRow.silent } : changed
        let other = looked.filter { now[$0] != after[$0] }
        return other.isEmpty ? nil : other.joined(separator: ", ")
    }

    var isRestored: Bool {
        guard let before else { return now == nil }
        guard let now else { return false }
        let looked = after == nil ? image.columns.filter { $0 != KeptRow.silent } : changed
        return looked.allSatisfy { now[$0] == before[$0] }
    }

    func restore(_ db: Database) throws {
        let table = image.table.sqlIdentifier
        let isRow = image.isRow(table, key: "?")
        let keys = [DatabaseValue](repeating: key.databaseValue, count: isRow.count { $0 == "?" })
        guard let before else {
            try db.cachedStatement(sql: "DELETE FROM \(table) WHERE \(isRow)").execute(
                arguments: StatementArguments(keys))
            return
        }
        let columns = isInsertion ? image.columns : changed
        guard !columns.isEmpty else { return }
        let values = try columns.map { try stored(before[$0]) }
        let names = columns.map(\.sqlIdentifier)
        guard isInsertion else {
            try db.cachedStatement(
                sql: "UPDATE \(table) SET \(names.map { "\($0) = ?" }.joined(separator: ", ")) WHERE \(isRow)"
            ).execute(arguments: StatementArguments(values + keys))
            return
        }
        let rowid = image.hasRowid ? [image.rowidName] : []
        let marks = rowid.map { _ in "json_extract(?, '$[0]')" } + names.map { _ in "?" }
        try db.cachedStatement(
            sql:
                "INSERT INTO \(table) (\((rowid + names).joined(separator: ", "))) VALUES (\(marks.joined(separator: ", ")))"
        ).execute(arguments: StatementArguments((image.hasRowid ? [key.databaseValue] : []) + values))
    }

    private func stored(_ value: Value?) throws -> DatabaseValue {
        guard let value else {
            throw KernelError.data("The columns of \(image.table) are others by now. Nothing was undone.")
        }
        guard value.type == "object", case .string = value.value.storage else { return value.value }
        return Data(KeptRow.bytes(String.fromDatabaseValue(value.value) ?? "")).databaseValue
    }

    /// Bytes from their digits.
    private static func bytes(_ digits: String) -> [UInt8] {
        let numbers = digits.compactMap(\.hexDigitValue)
        return stride(from: 0, to: numbers.count - 1, by: 2).map { UInt8(numbers[$0] << 4 | numbers[$0 + 1]) }
    }
}
