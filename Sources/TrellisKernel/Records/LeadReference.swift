extension Kernel {
    /// The lead a link was made for: where it was merged, the one that was kept. Without an address where it is gone.
    public func lead(ofLink id: Int64) throws -> (id: Int64, email: String?) {
        try read { db in
            let kept = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT kept_id FROM lead_merges WHERE gone_id = ?"), arguments: [id])
            let email = try String.fetchOne(
                db.cachedStatement(sql: "SELECT email FROM leads WHERE id = ?"), arguments: [kept ?? id])
            return (kept ?? id, email)
        }
    }
}

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
