import TrellisKernel

/// The stages behind the work of reps: a lead that has a deal, or is a customer, is nobody's to qualify. It is not
/// offered, however it came there, and no answer of a rep takes it back.
enum PastSales {
    /// What a conversion leads to, as the kernel names it.
    private static let opportunity = "opportunity"
    /// What a won deal leads to.
    private static let customer = "customer"

    /// Whether a stage is one of these, or comes after one. A site that hands leads off at `opportunity` says that this
    /// one is not past sales.
    ///
    /// - Parameters:
    ///   - stage: SQL that gives the stage of a lead.
    ///   - at: the stage at which leads are handed off.
    static func holds(for stage: String, at: String) -> String {
        """
        EXISTS (SELECT 1 FROM stages AS past CROSS JOIN stages AS wanted ON wanted.name = \(at.sqlLiteral)
                CROSS JOIN stages AS here ON here.name = \(stage)
                WHERE past.name IN ('\(opportunity)', '\(customer)') AND past.position > wanted.position
                  AND NOT here.is_side AND here.position >= past.position)
        """
    }

    /// Whether a stage is that of customers, or comes after it.
    static func isCustomer(_ stage: String) -> String {
        """
        EXISTS (SELECT 1 FROM stages AS past CROSS JOIN stages AS here ON here.name = \(stage)
                WHERE past.name = '\(customer)' AND NOT here.is_side AND here.position >= past.position)
        """
    }
}
