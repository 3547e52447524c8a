/// A table of numbers that are mostly 0, row by row: which rules hold for which lead.
struct SparseRows: Sendable {
    private(set) var columnCount: Int
    /// Where each row begins; one more than there are rows.
    private(set) var starts = [0]
    private(set) var columns: [Int32] = []
    private(set) var values: [Double] = []

    init(columnCount: Int) {
        self.columnCount = columnCount
    }

    var count: Int { starts.count - 1 }

    mutating func append(_ row: some Sequence<(column: Int, value: Double)>) {
        for (column, value) in row where value != 0 {
            columns.append(Int32(truncatingIfNeeded: column))
            values.append(value)
        }
        starts.append(columns.count)
    }

    /// The sum of the weights of what stands in a row.
    func product(_ row: Int, _ weights: [Double]) -> Double {
        var sum = 0.0
        for place in starts[row]..<starts[row + 1] { sum += values[place] * weights[Int(columns[place])] }
        return sum
    }

    /// Some columns of the same rows, numbered anew in the order given.
    func selecting(_ kept: [Int]) -> SparseRows {
        var renamed = [Int32](repeating: -1, count: columnCount)
        for (new, old) in kept.enumerated() { renamed[old] = Int32(truncatingIfNeeded: new) }
        var selected = SparseRows(columnCount: kept.count)
        selected.starts.reserveCapacity(starts.count)
        for row in 0..<count {
            for place in starts[row]..<starts[row + 1] {
                let column = renamed[Int(columns[place])]
                guard column >= 0 else { continue }
                selected.columns.append(column)
                selected.values.append(values[place])
            }
            selected.starts.append(selected.columns.count)
        }
        return selected
    }

    /// Some rows, in the order given.
    func rows(_ chosen: [Int]) -> SparseRows {
        var picked = SparseRows(columnCount: columnCount)
        picked.starts.reserveCapacity(chosen.count + 1)
        for row in chosen {
            picked.columns += columns[starts[row]..<starts[row + 1]]
            picked.values += values[starts[row]..<starts[row + 1]]
            picked.starts.append(picked.columns.count)
        }
        return picked
    }
}
