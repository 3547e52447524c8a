extension Table {
    /// A table from rows of the database.
    public init(columns: [String], _ rows: [Row]) {
        self.init(columns: columns, rows: rows.map { row in row.databaseValues.map(Cell.init) })
    }
}

extension Cell {
    public init(_ value: DatabaseValue) {
        self =
            switch value.storage {
            case .null: .null
            case .int64(let number): .integer(number)
            case .double(let number): .real(number)
            case .string(let text): .text(text)
            case .blob(let data): .blob(Array(data))
            }
    }
}
