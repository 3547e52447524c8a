import TrellisKernel

/// What a change does to who is in which audience.
enum MembershipPlan {
    static func changes(_ plan: Plan, _ db: Database) throws -> [PlannedChange] {
        let (now, then) = (plan.before("audiences_members"), "main.audiences_members")
        func only(_ table: String, not other: String, _ change: String) -> String {
            """
            SELECT m.audience, '\(change)', count(*) FROM \(table) AS m WHERE m.until IS NULL AND NOT EXISTS (
                SELECT 1 FROM \(other) AS o WHERE o.audience = m.audience AND o.lead_id = m.lead_id AND o.until IS NULL) GROUP BY 1
            """
        }
        return try PlannedChange.rows(
            of: AudienceExport.name, db,
            "\(only(then, not: now, "enter")) UNION ALL \(only(now, not: then, "leave")) ORDER BY 1, 2")
    }
}
