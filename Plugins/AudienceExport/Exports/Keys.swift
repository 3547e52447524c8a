import Foundation
import TrellisKernel

/// The key of everybody who may be on a list now, in `audiences_keys`: what a difference is taken from.
struct Keys {
    let export: Export
    let tx: Transaction

    private static let rowsMax = 4096

    /// - Returns: how many rows a file of all of them would have.
    func collect() throws -> Int {
        try tx.db.execute(sql: "DELETE FROM audiences_keys")
        var (writer, people) = (export.writer, 0)
        var (first, last, count) = (Int64(0), Int64(0), 0)
        let rows = try Row.fetchCursor(
            tx.db,
            sql: writer.select(
                from: "audiences_next AS n CROSS JOIN leads AS l ON l.id = n.lead_id",
                phones: export.audience.value.phones) + " ORDER BY n.lead_id")
        while let row = try rows.next() {
            if writer.append(row) == .written { people += 1 }
            writer.buffer.removeAll(keepingCapacity: true)
            last = row[0]
            if count == 0 { first = last }
            count += 1
            if count == Keys.rowsMax {
                try write(&writer, from: first, through: last, count)
                count = 0
            }
        }
        if count > 0 { try write(&writer, from: first, through: last, count) }
        // Whom the platform would not take cannot be on the list.
        try tx.db.execute(sql: "DELETE FROM audiences_keys WHERE key = zeroblob(length(key))")
        return people
    }

    private func write(_ writer: inout RowWriter, from first: Int64, through last: Int64, _ count: Int) throws {
        let place = UploadChunk.place(first: first, last: last, count: count)
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO audiences_keys (lead_id, key)
                SELECT lead_id, substr(:keys, 1 + :bytes * \(place), :bytes)
                FROM audiences_next WHERE lead_id BETWEEN :first AND :last
                """
        ).execute(arguments: [
            "keys": Data(writer.keys), "bytes": writer.keyBytes, "first": first, "last": last,
        ])
        writer.keys.removeAll(keepingCapacity: true)
    }
}
