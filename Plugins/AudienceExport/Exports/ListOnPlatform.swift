import TrellisKernel

/// A list on a platform: what an audience's files make there.
enum ListOnPlatform {
    /// Its number, made at the first file.
    static func id(_ audience: String, _ platform: String, _ tx: Transaction) throws -> Int64 {
        try tx.db.execute(
            sql: "INSERT INTO audiences_lists (audience, platform) VALUES (?, ?) ON CONFLICT DO NOTHING",
            arguments: [audience, platform])
        return try Int64.fetchOne(
            tx.db, sql: "SELECT id FROM audiences_lists WHERE audience = ? AND platform = ?",
            arguments: [audience, platform]) ?? 0
    }
}
