/// Turns rows of a file into rows of the CRM, a chunk at a time, inside the transaction of the chunk.
protocol RowLoader {
    var ignoredColumns: [String] { get }
    /// What can be done without the database, ahead of the transaction and beside the one before.
    func prepare(_ row: CSVRow) -> PreparedRow
    func load(_ rows: ArraySlice<PreparedRow>, _ tx: Transaction) throws -> LoadOutcome
}

extension RowLoader {
    func prepare(_ row: CSVRow) -> PreparedRow { PreparedRow(row: row) }
}

/// A row of the file and, of an import of leads, what it says of one.
struct PreparedRow {
    let row: CSVRow
    var draft: Result<LeadDraft, any Error>?
}

struct LoadOutcome {
    var created = 0
    var changed = 0
    var same = 0
    /// Rows that are no data: totals, and what stands below them.
    var skipped = 0
    var rejected: [(CSVRow, String)] = []

    mutating func count(_ outcome: CaptureResult.Outcome) {
        switch outcome {
        case .created: created += 1
        case .changed: changed += 1
        case .same: same += 1
        }
    }
}
