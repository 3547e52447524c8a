import TrellisKernel

extension Table {
    /// Its rows as objects, numbers as numbers.
    var json: JSONValue {
        .array(
            rows.map { row in
                .object(
                    zip(columns, row).map { column, cell in
                        switch cell {
                        case .integer(let number): (column, .integer(number))
                        case .real(let number): (column, .number(number))
                        case .null: (column, .null)
                        case .text, .blob: (column, .string(cell.text ?? ""))
                        }
                    })
            })
    }
}
