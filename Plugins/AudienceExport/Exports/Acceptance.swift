import TrellisKernel

/// A platform has taken the files of an export: whoever was added is on the list, whoever was removed is off it, and
/// the hashes of those are forgotten.
struct Acceptance {
    let export: Int64
    let tx: Transaction

    /// Returns a sentence for whoever said so.
    func note() throws -> String {
        guard
            let row = try Row.fetchOne(
                tx.db,
                sql:
                    "SELECT audience, platform, kind, members, removals, accepted_at FROM audiences_exports WHERE id = ?",
                arguments: [export])
        else {
            throw KernelError.usage(
                "There is no export \(export). 'trellis audiences show NAME' lists those of an audience.")
        }
        let (audience, platform, kind): (String, String, String) = (row["audience"], row["platform"], row["kind"])
        guard kind == "full" || kind == "difference" else {
            throw KernelError.usage(
                "Export \(export) is a file of \(kind), which makes no list. Nothing is to be accepted.")
        }
        if (row["accepted_at"] as String?) != nil { return "Export \(export) was accepted before. Nothing changed." }
        let later = try Int64.fetchOne(
            tx.db,
            sql:
                "SELECT max(id) FROM audiences_exports WHERE audience = ? AND platform = ? AND id > ? AND accepted_at IS NOT NULL",
            arguments: [audience, platform, export])
        if let later {
            throw KernelError.usage(
                "Export \(later) is newer and was accepted already. What was in \(export) counts no more.")
        }
        let list = try ListOnPlatform.id(audience, platform, tx)
        try tx.db.execute(
            sql: """
                UPDATE audiences_uploads SET is_accepted = 1
                WHERE list_id = :list AND first_export_id <= :export AND export_id >= :export AND NOT is_accepted
                  AND lead_id IN (SELECT lead_id FROM audiences_receipts WHERE export_id = :export)
                  AND lead_id NOT IN (SELECT lead_id FROM audiences_left_out WHERE export_id = :export)
                """, arguments: ["list": list, "export": export])
        // Who was added again by a later file stays.
        try tx.db.execute(
            sql: """
                DELETE FROM audiences_uploads WHERE list_id = :list AND export_id < :export AND (lead_id, key) IN (
                    SELECT lead_id, key FROM audiences_removals WHERE export_id = :export)
                """, arguments: ["list": list, "export": export])
        try tx.db.execute(
            sql: """
                UPDATE audiences_removals SET key = NULL WHERE key IS NOT NULL AND export_id IN (
                    SELECT id FROM audiences_exports WHERE audience = ? AND platform = ? AND id <= ?)
                """, arguments: [audience, platform, export])
        try tx.db.execute(
            sql: "UPDATE audiences_exports SET accepted_at = ? WHERE id = ?", arguments: [tx.stamp, export])
        try Lifetime.plan(audience: audience, platform: platform, export: export, tx)
        let (members, removals): (Int, Int) = (row["members"], row["removals"])
        return "\(platform) has taken export \(export) of \(audience): \(members) added, \(removals) taken off."
    }
}
