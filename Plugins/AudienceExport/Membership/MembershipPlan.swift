import TrellisKernel

/// What a change does to who is in which audience.
enum MembershipPlan {
    static func changes(_ plan: Plan, _ db: Database) throws -> [PlannedChange] {
        let (now, then) = (plan.before("audiences_members"), "main.audiences_members")
        func only(_ table: String, not other: String, _ change: String) -> String {
            """
            SELECT m.audience, '\(change)', m.lead_id FROM \(table) AS m WHERE m.until IS NULL AND NOT EXISTS (
                SELECT 1 FROM \(other) AS o WHERE o.audience = m.audience AND o.lead_id = m.lead_id AND o.until IS NULL)
            """
        }
        return try PlannedChange.leads(
            of: AudienceExport.name, plan, db,
            "\(only(then, not: now, "enter")) UNION ALL \(only(now, not: then, "leave"))")
    }
}
