/// How people name a lead: an id, an e-mail address, or `external:ID`.
public struct LeadReference: Sendable {
    private let text: String

    public init(_ text: String) {
        self.text = text.trimmed
    }

    /// - Throws: ``KernelError/noLead(_:)``.
    public func find(_ db: Database) throws -> Int64 {
        let found: Int64? =
            if text.hasPrefix("external:") {
                try Int64.fetchOne(
                    db, sql: "SELECT id FROM leads WHERE external_id = ?", arguments: [String(text.dropFirst(9))])
            } else if text.contains("@") {
                try Int64.fetchOne(
                    db, sql: "SELECT id FROM leads WHERE email = ?",
                    arguments: [(try? EmailAddress(text).address) ?? text])
            } else if let id = Int64(text) {
                try Int64.fetchOne(
                    db,
                    sql:
                        "SELECT coalesce((SELECT kept_id FROM lead_merges WHERE gone_id = ?1), (SELECT id FROM leads WHERE id = ?1))",
                    arguments: [id])
            } else {
                nil
            }
        guard let found else { throw KernelError.noLead(text) }
        return found
    }
}
