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

    /// A SELECT of `lead_id, consent_id`, in the order of the leads, so that leads, consents and receipts are each read
    /// or written from one end to the other.
    var select: String { select(among: "true") }

    /// Those of ``select`` who are among some.
    ///
    /// - Parameter condition: over `lead_id`, as SQL.
    func select(among condition: String) -> String {
        """
        SELECT l.lead_id AS lead_id, c.id AS consent_id
        FROM (SELECT DISTINCT lead_id FROM (\(audiences.select(audience))
             ) WHERE \(condition) ORDER BY lead_id) AS member
        CROSS JOIN consents AS c ON c.id = (SELECT max(id) FROM consents WHERE lead_id = member.lead_id AND purpose = :consent)
        CROSS JOIN lead_mailboxes AS l ON l.lead_id = member.lead_id
        WHERE \(hasAddress) AND c.state = 'granted'
          AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.email)
          AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.mailbox = l.mailbox)
          \(exclusions.map { "AND NOT \($0.condition)" }.joined(separator: "\n  "))
        """
    }

    /// The values that ``select`` and ``reasons`` want.
    func arguments(at stamp: String, _ further: StatementArguments = [:]) -> StatementArguments {
        audiences.arguments(select, at: stamp, further &+ ["consent": settings.consent])
    }

    /// A SELECT of `reason, leads`: each member once, under the first reason that leaves it out.
    var reasons: String {
        let cases = exclusions.map { "WHEN \($0.condition) THEN \($0.reason.sqlLiteral)" }.joined(separator: " ")
        let order = ["exportable", "no address", "without consent", "suppressed"] + exclusions.map(\.reason)
        let positions = order.enumerated().map { "WHEN \($1.sqlLiteral) THEN \($0)" }.joined(separator: " ")
        return """
            SELECT reason, count(*) AS leads FROM (
                SELECT CASE WHEN NOT \(hasAddress) THEN 'no address' WHEN c.state IS NOT 'granted' THEN 'without consent'
                            WHEN \(isSuppressed) THEN 'suppressed' \(cases) ELSE 'exportable' END AS reason
                FROM (\(audiences.members(audience))) AS member
                CROSS JOIN lead_mailboxes AS l ON l.lead_id = member.lead_id
                LEFT JOIN consents AS c ON c.id = (SELECT max(id) FROM consents WHERE lead_id = member.lead_id AND purpose = :consent))
            GROUP BY reason ORDER BY CASE reason \(positions) END
            """
    }

    /// What ``reasons`` says of those who may be in a file.
    static let exportable = "exportable"

    /// How many members there are, by the first reason that leaves them out.
    func membersByReason(at stamp: String, _ db: Database) throws -> [String: Int] {
        try Row.fetchAll(db, sql: reasons, arguments: arguments(at: stamp)).reduce(into: [:]) {
            $0[$1["reason"]] = $1["leads"]
        }
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
