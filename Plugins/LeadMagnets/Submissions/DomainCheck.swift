import TrellisKernel

/// Asks the name servers whether the domains of new addresses take mail. No form waits for the answer; it stands in
/// `magnets_domains`, and flags leads in `magnets_address_flags`.
enum DomainCheck {
    /// Asked at a time.
    static let domainsMax = 20
    /// What nobody could say is asked again after a day, what was said after ninety.
    static let days = (unknown: 1, known: 90)

    static let chore = Chore("check-domains", every: .seconds(10)) { kernel in
        try await check(kernel, asking: MailDomain.takesMail)
    }

    /// Asks about the domains that were never asked about or whose answer is old, the oldest first.
    ///
    /// - Parameter takesMail: nil where nobody could say.
    static func check(_ kernel: Kernel, asking takesMail: @Sendable (String) async -> Bool?) async throws {
        let domains = try kernel.read { db in
            try String.fetchAll(db, sql: due, arguments: ["now": Timestamp.text(kernel.clock.now())])
        }
        for domain in domains {
            let answer = await takesMail(domain)
            try await kernel.writeTogether(origin: "plugin:lead_magnets") { tx in
                try tx.db.cachedStatement(
                    sql: "UPDATE magnets_domains SET takes_mail = ?, checked_at = ? WHERE domain = ?"
                )
                .execute(arguments: [answer, tx.stamp, domain])
            }
        }
    }

    /// A part for each reason to ask, for each has an index: most of the time nothing is due, and the table is asked
    /// every few seconds.
    static let due = """
        SELECT domain FROM (
            SELECT * FROM (SELECT domain, checked_at FROM magnets_domains WHERE takes_mail IS NULL AND checked_at IS NULL LIMIT \(domainsMax))
            UNION ALL
            SELECT * FROM (SELECT domain, checked_at FROM magnets_domains
                           WHERE takes_mail IS NULL AND checked_at < datetime(:now, '-\(days.unknown) days') ORDER BY checked_at LIMIT \(domainsMax))
            UNION ALL
            SELECT * FROM (SELECT domain, checked_at FROM magnets_domains
                           WHERE takes_mail IS NOT NULL AND checked_at < datetime(:now, '-\(days.known) days') ORDER BY checked_at LIMIT \(domainsMax)))
        ORDER BY checked_at LIMIT \(domainsMax)
        """

    /// Notes the domains of the forms in the batch.
    static func note(_ tx: Transaction) throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO magnets_domains (domain)
                SELECT DISTINCT substr(l.email, instr(l.email, '@') + 1) FROM (SELECT DISTINCT lead_id FROM batch) AS b CROSS JOIN leads AS l
                WHERE l.id = b.lead_id AND l.email IS NOT NULL
                ON CONFLICT DO NOTHING
                """
        ).execute()
    }
}
