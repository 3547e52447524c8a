import Foundation
import TrellisKernel

/// The rows of a file of removals. A hash that somebody who stays on the list has too is not in it: two addresses may
/// be one to the platform, and who changed the address may have kept the number.
struct Removals {
    let export: Int64
    let list: Int64
    var writer: RowWriter
    let tx: Transaction
    /// Removals of which nothing is to go.
    private var withoutRow: [Int64] = []

    /// The reason of a removal that takes nothing off.
    static let nothingLeft = "another has the same address"

    init(export: Int64, list: Int64, writer: RowWriter, tx: Transaction) {
        self.export = export
        self.list = list
        self.writer = writer
        self.tx = tx
    }

    /// Appends a row per removal with a hash that is to go, each hash once, and hands over what was written now and
    /// then.
    ///
    /// - Returns: how many rows there are.
    mutating func write(
        from first: Int64 = .min, through last: Int64 = .max, _ isWritten: (inout [UInt8]) throws -> Void
    ) throws -> Int {
        try collect(first, last)
        var count = 0
        let rows = try Row.fetchCursor(
            tx.db,
            sql: """
                SELECT rowid, key FROM audiences_removals
                WHERE export_id = ? AND key IS NOT NULL AND lead_id BETWEEN ? AND ? ORDER BY lead_id, rowid
                """, arguments: [export, first, last])
        while let row = try rows.next() {
            guard let key = try leaving(Array(row[1] as Data)) else {
                withoutRow.append(row[0])
                continue
            }
            writer.appendRemoval(key)
            try isWritten(&writer.buffer)
            writer.buffer.removeAll(keepingCapacity: true)
            count += 1
        }
        try tx.db.execute(sql: "DELETE FROM audiences_leaving")
        return count
    }

    /// Says of the removals that stand in no file why they do not.
    func noteNothingLeft() throws {
        for row in withoutRow {
            try tx.db.cachedStatement(sql: "UPDATE audiences_removals SET reason = ? WHERE rowid = ?")
                .execute(arguments: [Removals.nothingLeft, row])
        }
    }

    /// The hashes of the removals that nobody else has who stays, or was added later, in `audiences_leaving`.
    private func collect(_ first: Int64, _ last: Int64) throws {
        let places = (0..<max(1, writer.keyBytes / RowWriter.hashBytes)).map { "(\(1 + $0 * RowWriter.hashBytes))" }
        let slots = "(VALUES \(places.joined(separator: ", ")))"
        try tx.db.execute(sql: "DELETE FROM audiences_leaving")
        try tx.db.execute(
            sql: """
                INSERT INTO audiences_leaving (hash)
                SELECT DISTINCT substr(r.key, slot.column1, 32) FROM audiences_removals AS r CROSS JOIN \(slots) AS slot
                WHERE r.export_id = :export AND r.lead_id BETWEEN :first AND :last
                  AND length(substr(r.key, slot.column1, 32)) = 32 AND substr(r.key, slot.column1, 32) <> zeroblob(32)
                """, arguments: ["export": export, "first": first, "last": last])
        guard tx.db.changesCount > 0 else { return }
        try tx.db.execute(
            sql: """
                DELETE FROM audiences_leaving WHERE hash IN (
                    SELECT substr(u.key, slot.column1, 32) FROM audiences_uploads AS u CROSS JOIN \(slots) AS slot
                    WHERE u.list_id = :list AND substr(u.key, slot.column1, 32) IN (SELECT hash FROM audiences_leaving)
                      AND (u.export_id > :export OR NOT EXISTS (
                          SELECT 1 FROM audiences_removals AS r WHERE r.export_id = :export AND r.lead_id = u.lead_id AND r.key = u.key)))
                """, arguments: ["list": list, "export": export])
    }

    /// The key with zeros where a hash stays or was written before; nil where nothing is left of it.
    private func leaving(_ key: [UInt8]) throws -> [UInt8]? {
        var (key, isLeft) = (key, false)
        let take = try tx.db.cachedStatement(sql: "DELETE FROM audiences_leaving WHERE hash = ?")
        for start in stride(from: 0, to: key.count, by: RowWriter.hashBytes) {
            let end = min(start + RowWriter.hashBytes, key.count)
            try take.execute(arguments: [Data(key[start..<end])])
            if tx.db.changesCount == 1 {
                isLeft = true
            } else {
                for index in start..<end { key[index] = 0 }
            }
        }
        return isLeft ? key : nil
    }
}
