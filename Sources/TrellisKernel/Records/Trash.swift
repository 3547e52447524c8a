import Foundation

/// Rows that were deleted, whoever deleted them, for 30 days.
public enum Trash {
    public static let days = 30

    /// Puts rows back as they were, with their ids.
    ///
    /// - Parameter ids: rows of `trash`; nil means all that were deleted since `since`.
    /// - Returns: how many were restored.
    public static func restore(_ kernel: Kernel, ids: [Int64]? = nil, since: String? = nil) throws -> Int {
        try kernel.write(KernelContext(origin: "restore", mode: "restoring")) { tx in
            let list = ids.map { "[" + $0.map(String.init).joined(separator: ",") + "]" }
            var restored = 0
            // Accounts first: contacts and leads point at them.
            for table in [LoggedTable.accounts, .contacts, .leads, .opportunities] {
                let columns = try table.columns(tx.db).map(\.name)
                let chosen = """
                    FROM trash WHERE table_name = '\(table.rawValue)' AND (:list IS NULL OR id IN (SELECT value FROM json_each(:list)))
                    AND (:since IS NULL OR deleted_at >= :since)
                    """
                try tx.db.execute(
                    sql: """
                        INSERT OR IGNORE INTO \(table.rawValue) (\(columns.map { "\"\($0)\"" }.joined(separator: ", ")))
                        SELECT \(columns.map(kept).joined(separator: ", ")) \(chosen)
                        """, arguments: ["list": list, "since": since])
                restored += tx.db.changesCount
                try tx.db.execute(
                    sql: """
                        DELETE FROM trash WHERE id IN (SELECT id \(chosen)) AND EXISTS (SELECT 1 FROM \(table.rawValue) AS t WHERE t.id = trash.row_id)
                        """, arguments: ["list": list, "since": since])
            }
            // Who is back is a lead of its own again, also where another one had taken it in.
            try tx.db.execute(sql: "DELETE FROM lead_merges WHERE gone_id IN (SELECT id FROM leads)")
            return restored
        }
    }

    /// A value of the row; of a reference only where what it points at is there still.
    private static func kept(_ column: String) -> String {
        let value = "json_extract(row, '$.\"\(column)\"')"
        let targets = ["account_id": "accounts", "contact_id": "contacts", "lead_id": "leads"]
        return targets[column].map { "(SELECT id FROM \($0) WHERE id = \(value))" } ?? value
    }

    /// Forgets what has lain here longer than 30 days.
    static func empty(_ kernel: Kernel) throws {
        let limit = Timestamp.text(kernel.clock.now().addingTimeInterval(-Double(days) * 86_400))
        let isOld = try kernel.read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM trash WHERE deleted_at < ?)", arguments: [limit])
        }
        guard isOld == true else { return }
        try kernel.write(origin: "kernel") {
            try $0.db.execute(sql: "DELETE FROM trash WHERE deleted_at < ?", arguments: [limit])
        }
    }
}
