import CTrellisSQLite

/// A table as rows of JSON: what identifies a row, and all of its values, written by SQL so exactly that the row can be
/// made again from them.
struct RowImage {
    let table: String
    /// Without generated ones.
    let columns: [String]
    /// The columns that identify a row; empty where the rowid does.
    private let keyColumns: [String]
    /// A name of the rowid that no column has.
    private let rowid: String

    /// - Returns: nil where `table` is no table whose rows can be kept: a view, a virtual table.
    init?(_ table: String, rows: (String, [Cell]) throws -> [[Cell]]) throws {
        let kind = try rows(
            "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND lower(name) = lower(:p1)",
            [.text(table)])
        guard let name = kind.first?[0].text else { return nil }
        self.table = name
        let described = try rows(
            "SELECT name, pk FROM pragma_table_xinfo(:p1) WHERE hidden = 0 ORDER BY cid", [.text(name)])
        columns = described.compactMap { $0[0].text }
        let taken = Set(columns.map { $0.lowercased() })
        guard let rowid = ["rowid", "_rowid_", "oid"].first(where: { !taken.contains($0) }) else { return nil }
        self.rowid = rowid
        let hasRowid = kind.first?[1] == .integer(0)
        let keys = described.filter { $0[1] != .integer(0) }
        keyColumns =
            hasRowid ? [] : keys.sorted { RowImage.place($0[1]) < RowImage.place($1[1]) }.compactMap { $0[0].text }
    }

    init?(_ table: String, _ db: Database) throws {
        try self.init(table) { sql, values in
            try Row.fetchAll(
                db, sql: sql.replacing(":p1", with: "?"), arguments: StatementArguments(values.map(\.text))
            ).map { $0.databaseValues.map(Cell.init) }
        }
    }

    private static func place(_ cell: Cell) -> Int64 {
        guard case .integer(let place) = cell else { return 0 }
        return place
    }

    var hasRowid: Bool { keyColumns.isEmpty }

    /// The name of the rowid in `INSERT`.
    var rowidName: String { rowid }

    /// What identifies a row, as SQL of a JSON array.
    func key(of alias: String) -> String {
        let parts = keyColumns.isEmpty ? ["\(alias).\(rowid)"] : keyColumns.map { "\(alias).\($0.sqlIdentifier)" }
        return "json_array(\(parts.joined(separator: ", ")))"
    }

    /// A condition: that a row is the one a key names.
    func isRow(_ alias: String, key: String) -> String {
        let parts = keyColumns.isEmpty ? ["\(alias).\(rowid)"] : keyColumns.map { "\(alias).\($0.sqlIdentifier)" }
        return parts.enumerated().map { "\($1) = json_extract(\(key), '$[\($0)]')" }.joined(separator: " AND ")
    }

    /// The values of a row, as SQL of a JSON object. Numbers are written with all of their digits, bytes as
    /// `{"blob": "00FF"}`, and what is infinite as `{"infinite": 1}`.
    func image(of alias: String) -> String {
        // A function takes at most 127 arguments.
        let chunks = stride(from: 0, to: columns.count, by: 50).map { start in
            let pairs = columns[start..<min(start + 50, columns.count)].map { column in
                "\(column.sqlLiteral), \(RowImage.value("\(alias).\(column.sqlIdentifier)"))"
            }
            return "json_object(\(pairs.joined(separator: ", ")))"
        }
        return chunks.dropFirst().reduce(chunks.first ?? "'{}'") {
            "substr(\($0), 1, length(\($0)) - 1) || ',' || substr(\($1), 2)"
        }
    }

    private static func value(_ value: String) -> String {
        """
        CASE typeof(\(value)) WHEN 'real' THEN CASE WHEN abs(\(value)) < 1.8e308 THEN json(quote(\(value))) ELSE json_object('infinite', sign(\(value))) END \
        WHEN 'blob' THEN json_object('blob', hex(\(value))) ELSE \(value) END
        """
    }
}
