import TrellisKernel

extension Split {
    /// The name of a lead's arm as an expression of SQL, NULL for the holdout: what ``arm(of:)`` says, for every row of
    /// a statement.
    ///
    /// - Parameter lead: a column or an expression of SQL that is the id of the lead.
    func armSQL(lead: String) -> String {
        guard !ends.isEmpty else { return "NULL" }
        let holdout = holdoutBuckets > 0 ? "WHEN bucket < \(holdoutBuckets) THEN NULL " : ""
        let arms = ends.map { "WHEN bucket < \($0.end) THEN \($0.name.sqlLiteral)" }.joined(separator: " ")
        return "(SELECT CASE \(holdout)\(arms) END FROM (SELECT \(bucket.sql(lead: lead)) AS bucket))"
    }
}
