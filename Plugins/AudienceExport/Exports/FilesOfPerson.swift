import Foundation
import TrellisKernel

/// Files on this disk that hold somebody: the receipts know in which they were written.
enum FilesOfPerson {
    /// The files that are there. What a later export replaced under the same name holds whom that one wrote.
    static func paths(_ leads: [Int64], _ db: Database) throws -> [String] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT x.file, EXISTS (SELECT 1 FROM audiences_receipts AS r WHERE r.export_id = x.id AND r.lead_id IN lead) AS is_member,
                       EXISTS (SELECT 1 FROM audiences_removals AS r WHERE r.lead_id IN lead AND r.export_id = (
                           SELECT max(id) FROM audiences_exports WHERE file = x.file AND removals > 0)) AS is_removed
                FROM audiences_exports AS x
                WHERE x.id IN (SELECT max(id) FROM audiences_exports GROUP BY file) AND x.file LIKE '/%' ORDER BY x.file
                """.replacing("IN lead", with: "IN (\(leads.map(String.init).joined(separator: ", ")))"))
        return rows.flatMap { row -> [String] in
            let (file, removals) = (row["file"] as String, Export.removalPath(row["file"]))
            return (row["is_member"] ? parts(file) : []) + (row["is_removed"] ? parts(removals) : [])
        }
    }

    /// The file, or those it was split into.
    private static func parts(_ path: String) -> [String] {
        let parts = (1...).lazy.map { FileSet.numbered(path, $0) }.prefix { FileManager.default.fileExists(atPath: $0) }
        return (FileManager.default.fileExists(atPath: path) ? [path] : []) + parts
    }
}
