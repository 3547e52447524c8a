import TrellisKernel

/// Who of an audience may be in a file for a platform, as SQL: with an address, with the consent given, not suppressed,
/// not in an excluded audience.
struct Eligibility: Sendable {
    let audience: Audiences.Audience
    let audiences: Audiences
    let platform: Platform?

    private var settings: AudienceSettings.Audience { audience.value }

    /// Whether the lead has what the file identifies people by. `l` is a row of `lead_mailboxes`.
    private var hasAddress: String {
        if platform?.isOfCompanies == true {
            return "EXISTS (SELECT 1 FROM leads WHERE id = l.lead_id AND coalesce(account_id, company) IS NOT NULL)"
        }
        let takesPhones = platform.map { $0.phonesMax > 0 } ?? true
        guard takesPhones, settings.matches.contains(.phone) else { return "l.email IS NOT NULL" }
        let phones = settings.phones.map { "\"\($0.value)\" IS NOT NULL" }.joined(separator: " OR ")
        return "(l.email IS NOT NULL OR EXISTS (SELECT 1 FROM leads WHERE id = l.lead_id AND (\(phones))))"
    }

    private let isSuppressed = """
        (EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.email)
         OR EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.mailbox))
        """

    /// Conditions that leave somebody out, with what is said of them.
    private var exclusions: [(reason: String, condition: String)] {
        let others = settings.exclude.compactMap { audiences.named($0.value) }.map { other in
            (
                reason: "excluded by \(other.name)",
                condition: "l.lead_id IN (SELECT lead_id FROM (\(audiences.select(other))) WHERE lead_id IS NOT NULL)"
            )
        }
        guard settings.leavesOutOpenOpportunities else { return others }
        return others + [
            (
                reason: "excluded by an open opportunity",
                condition:
                    "EXISTS (SELECT 1 FROM opportunities AS o WHERE o.lead_id = l.lead_id AND o.stage NOT IN ('won', 'lost'))"
            )
        ]
    }

    /// What may be said of a member, by its number in ``judged(among:)``.
    var verdicts: [String] {
        [Eligibility.exportable, "no address", "without consent", "suppressed"] + exclusions.map(\.reason)
    }

    /// What ``verdicts`` says of those who may be in a file.
    static let exportable = "exportable"

    /// A SELECT of `lead_id, consent_id, verdict` with each member once: the first reason that leaves it out, 0 for
    /// none. In the order of the leads as far as the audience is, so that leads, consents and receipts are each read or
    /// written from one end to the other. `LIMIT -1` keeps the verdict from being worked out once per mention
    /// (https://www.sqlite.org/optoverview.html#subquery_flattening).
    ///
    /// - Parameter condition: over `lead_id`, as SQL.
    func judged(among condition: String = "true") -> String {
        let cases = exclusions.enumerated().map { " WHEN \($1.condition) THEN \($0 + 4)" }.joined()
        return """
            SELECT member.lead_id AS lead_id, c.id AS consent_id,
                   CASE WHEN NOT \(hasAddress) THEN 1 WHEN c.state IS NOT 'granted' THEN 2 WHEN \(isSuppressed) THEN 3\(cases) ELSE 0 END AS verdict
            FROM (SELECT DISTINCT lead_id FROM (\(audiences.select(audience))
                 ) WHERE \(condition) ORDER BY lead_id) AS member
            CROSS JOIN lead_mailboxes AS l ON l.lead_id = member.lead_id
            LEFT JOIN consents AS c ON c.id = (SELECT max(id) FROM consents WHERE lead_id = member.lead_id AND purpose = :consent)
            LIMIT -1
            """
    }

    /// A SELECT of `lead_id, consent_id`: those who may be in a file.
    var select: String { select(among: "true") }

    /// Those of ``select`` who are among some.
    ///
    /// - Parameter condition: over `lead_id`, as SQL.
    func select(among condition: String) -> String {
        "SELECT lead_id, consent_id FROM (\(judged(among: condition))) WHERE verdict = 0"
    }

    /// The values that ``select`` and ``reasons`` want.
    func arguments(at stamp: String, _ further: StatementArguments = [:]) -> StatementArguments {
        audiences.arguments(select, at: stamp, further &+ ["consent": settings.consent])
    }

    /// A SELECT of `reason, leads`: each member once, under the first reason that leaves it out. Counted by verdict: a
    /// GROUP BY of so many rows would sort them in memory.
    var reasons: String {
        let counts = verdicts.indices.map { "count(*) FILTER (WHERE verdict = \($0)) AS n\($0)" }
        let rows = verdicts.enumerated().map { "SELECT \($1.sqlLiteral) AS reason, n\($0) AS leads FROM counted" }
        return """
            WITH counted AS MATERIALIZED (SELECT \(counts.joined(separator: ", ")) FROM (\(judged())))
            SELECT reason, leads FROM (\(rows.joined(separator: " UNION ALL "))) WHERE leads > 0
            """
    }

    /// How many members there are, by the first reason that leaves them out.
    func membersByReason(at stamp: String, _ db: Database) throws -> [String: Int] {
        try Row.fetchAll(db, sql: reasons, arguments: arguments(at: stamp)).reduce(into: [:]) {
            $0[$1["reason"]] = $1["leads"]
        }
    }

    /// Writes those who may be in a file into a table, in one pass with the count of the others.
    ///
    /// - Parameters:
    ///   - insert: an INSERT up to its SELECT, for the columns that `values` names.
    ///   - values: over `lead_id` and `consent_id`, as SQL.
    /// - Returns: how many members there are, by the first reason that leaves them out.
    func choose(
        _ insert: String, _ values: String, _ tx: Transaction, _ further: StatementArguments = [:]
    ) throws -> [String: Int] {
        let verdicts = self.verdicts
        let counts = try tx.tally(verdicts.count) {
            try tx.db.execute(
                sql: "\(insert) SELECT \(values) FROM (\(judged())) WHERE tally(verdict) = 0",
                arguments: arguments(at: tx.stamp, further))
        }
        return zip(verdicts, counts).reduce(into: [:]) { if $1.1 > 0 { $0[$1.0, default: 0] += $1.1 } }
    }

    /// Why somebody who was in a file must be taken off the list, as SQL over `u.lead_id`.
    ///
    /// - Parameter current: a SELECT of those who may be on it now.
    func removalReason(current: String) -> String {
        let excluded = exclusions.map(\.condition).joined(separator: " OR ")
        return """
            coalesce((
                SELECT CASE WHEN u.lead_id IN (\(current)) THEN 'address changed'
                            WHEN (SELECT state FROM consents WHERE id = (
                                SELECT max(id) FROM consents WHERE lead_id = u.lead_id AND purpose = :consent)) IS NOT 'granted' THEN 'consent withdrawn'
                            WHEN \(isSuppressed) THEN 'suppressed'
                            WHEN u.lead_id NOT IN (SELECT lead_id FROM (\(audiences.select(audience))) WHERE lead_id IS NOT NULL) THEN 'left the audience'
                            WHEN \(excluded.isEmpty ? "false" : excluded) THEN 'excluded'
                            ELSE 'withheld' END
                FROM lead_mailboxes AS l WHERE l.lead_id = u.lead_id),
                CASE WHEN EXISTS (SELECT 1 FROM events WHERE lead_id = u.lead_id AND kind = 'lead.erased') THEN 'erased' ELSE 'deleted' END)
            """
    }
}

extension AudienceSettings.Audience {
    /// What identifies people in its files.
    var matches: Set<Platform.Match> { Set(match.compactMap { Platform.Match(rawValue: $0.value) }) }
}
