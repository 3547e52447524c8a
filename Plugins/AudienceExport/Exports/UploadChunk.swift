import Foundation
import TrellisKernel

/// Keys on their way into `audiences_uploads`: many with one statement, cut out of one value, because a statement for
/// each would cost more than the hash.
struct UploadChunk {
    let list: Int64
    let export: Int64
    let keyBytes: Int
    /// Whether keys are kept at all.
    let isKept: Bool
    private var leads: [Int64] = []

    /// So many rows in one statement.
    private static let rowsMax = 4096

    init(list: Int64, export: Int64, keyBytes: Int, isKept: Bool) {
        self.list = list
        self.export = export
        self.keyBytes = keyBytes
        self.isKept = isKept
    }

    /// Says whose key was appended last. Leads come in their order.
    mutating func note(_ lead: Int64, _ keys: inout [UInt8], _ tx: Transaction) throws {
        guard isKept else {
            keys.removeAll(keepingCapacity: true)
            return
        }
        leads.append(lead)
        if leads.count == UploadChunk.rowsMax { try write(&keys, tx) }
    }

    mutating func write(_ keys: inout [UInt8], _ tx: Transaction) throws {
        guard let first = leads.first, let last = leads.last else { return }
        let place = UploadChunk.place(first: first, last: last, count: leads.count)
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO audiences_uploads (list_id, lead_id, key, first_export_id, export_id)
                SELECT :list, lead_id, substr(:keys, 1 + :bytes * \(place), :bytes), :export, :export
                FROM audiences_receipts WHERE export_id = :export AND lead_id BETWEEN :first AND :last
                ON CONFLICT (list_id, lead_id, key) DO UPDATE SET export_id = excluded.export_id
                """
        ).execute(arguments: [
            "list": list, "keys": Data(keys), "bytes": keyBytes, "export": export, "first": first, "last": last,
        ])
        leads.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
    }

    /// The place of a lead among those of a chunk, from 0, as SQL over `lead_id`: where no number is missing it need
    /// not be counted.
    static func place(first: Int64, last: Int64, count: Int) -> String {
        last - first + 1 == Int64(count) ? "(lead_id - :first)" : "(row_number() OVER (ORDER BY lead_id) - 1)"
    }
}
