import TrellisKernel

/// Asks the filters about everybody who would be in a file; nobody is asked about where there is no filter.
struct MemberFilter {
    /// The name of the audience, or ``conversions``.
    let audience: String
    let platform: String
    let tx: Transaction

    /// What a filter is told as the audience of a file of conversions, which has none.
    static let conversions = "(conversions)"

    /// Deletes the rows of those whom a filter leaves out.
    ///
    /// - Parameters:
    ///   - table: one with a column `lead_id`.
    ///   - condition: which of its rows are meant, as SQL.
    /// - Returns: how many leads were left out, by reason.
    func ask(about table: String, where condition: String) throws -> [String: Int] {
        guard tx.hasFilters(AudienceMemberDraft.self) else { return [:] }
        var withheld: [String: Int] = [:]
        let leads = try Int64.fetchAll(
            tx.db, sql: "SELECT DISTINCT lead_id FROM \(table) WHERE \(condition) ORDER BY lead_id")
        let delete = try tx.db.makeStatement(sql: "DELETE FROM \(table) WHERE \(condition) AND lead_id = ?")
        for lead in leads {
            var draft = AudienceMemberDraft(leadID: lead, audience: audience, platform: platform)
            do {
                try tx.filter(&draft)
            } catch let veto as Veto {
                withheld[veto.reason, default: 0] += 1
                try delete.execute(arguments: [lead])
            }
        }
        return withheld
    }
}
