import Foundation
import TrellisKernel

/// A member stays on a list for as many days as the platform says, counted from the last file they were in. Before it
/// ends the list is to be uploaded again.
enum Lifetime {
    /// So long before the end somebody is reminded, and a difference writes the members once more.
    static let noticeDays = 30

    /// Whoever was in an accepted file since then need not be in the next difference.
    static func freshSince(_ platform: Platform, _ now: Date) -> String {
        guard let days = platform.lifetimeDays else { return "" }
        return Timestamp.text(now - Double(days - noticeDays) * 86_400)
    }

    /// Makes the appointment to remind.
    static func plan(audience: String, platform name: String, export: Int64, _ tx: Transaction) throws {
        guard let days = Platform.named(name)?.lifetimeDays else { return }
        try tx.schedule(
            "audiences.lifetime_due",
            forEach: """
                SELECT 'audiences lifetime ' || :export AS key, :due AS due_at, NULL AS lead_id, NULL AS cause_id,
                       json_object('audience', :audience, 'platform', :platform, 'export', :export) AS body
                """,
            arguments: [
                "export": export, "audience": audience, "platform": name,
                "due": Timestamp.text(tx.now + Double(days - noticeDays) * 86_400),
            ])
    }

    /// Of the lists whose members end soon, says so in the log: `audience.expiring`.
    static func remind(_ tx: Transaction) throws {
        try tx.emit(
            "audience.expiring",
            forEach: """
                SELECT NULL AS lead_id, b.id AS cause_id,
                       json_object('audience', t.audience, 'platform', t.platform, 'members', count(*), 'days', \(noticeDays)) AS body
                FROM batch AS b
                JOIN audiences_lists AS t ON t.audience = json_extract(b.body, '$.audience') AND t.platform = json_extract(b.body, '$.platform')
                JOIN audiences_uploads AS u ON u.list_id = t.id AND u.export_id <= json_extract(b.body, '$.export') AND u.is_accepted
                WHERE b.kind = 'audiences.lifetime_due' GROUP BY b.id
                """)
    }

    /// Lists with members that end within the notice, for the report: `audience, platform, members, end_on`.
    static func endingSoon(_ now: Date, _ db: Database) throws -> [Row] {
        var rows: [Row] = []
        for platform in Platform.all {
            guard let days = platform.lifetimeDays else { continue }
            rows += try Row.fetchAll(
                db,
                sql: """
                    SELECT t.audience, t.platform, count(*) AS members, date(min(x.at), :days) AS end_on
                    FROM audiences_lists AS t
                    JOIN audiences_uploads AS u ON u.list_id = t.id AND u.is_accepted
                    JOIN audiences_exports AS x ON x.id = u.export_id AND x.at <= :fresh
                    WHERE t.platform = :platform GROUP BY t.id ORDER BY t.audience
                    """,
                arguments: ["days": "+\(days) days", "fresh": freshSince(platform, now), "platform": platform.name])
        }
        return rows
    }
}
