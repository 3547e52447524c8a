import Foundation

/// Tells the clicks and opens of persons from those of machines, and states the former as facts.
///
/// The kernel's rules stand in the view `mail_hit_reasons`, those of the site under `mail.machine_hits`. A hit waits a
/// minute before it is judged: a machine is known by what it does next.
struct HitJudge {
    let rules: [Named<LocatedText>]

    /// How long a hit waits, in seconds.
    static let grace = 60.0
    /// Judged in one transaction: each costs a comparison with every known agent.
    static let hitsMax = 1000
    /// How long it is kept from which network and program a hit came, in seconds: 30 days, long enough to look into a
    /// campaign.
    static let memory = 30 * 86_400.0

    /// When what is seen now may be judged: at the end of a minute, so that all of that minute are judged at once.
    static func appointment(for now: Date) -> Date {
        Date(timeIntervalSince1970: ((now.timeIntervalSince1970 + grace) / 60).rounded(.up) * 60)
    }

    func judge(_ tx: Transaction) throws {
        try tx.scratchTable("judged_hits", columns: "id INTEGER PRIMARY KEY, reason TEXT")
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO judged_hits (id, reason)
                SELECT id, \(reason) FROM mail_hit_reasons
                WHERE id IN (SELECT id FROM mail_hits WHERE verdict IS NULL AND at <= :ripe ORDER BY at, id LIMIT \(HitJudge.hitsMax))
                """
        ).execute(arguments: ["ripe": Timestamp.text(tx.now - HitJudge.grace)])
        let count = tx.db.changesCount
        try tx.db.cachedStatement(
            sql: """
                UPDATE mail_hits SET reason = judged.reason, verdict = CASE WHEN judged.reason IS NULL THEN 'person' ELSE 'machine' END
                FROM judged_hits AS judged WHERE judged.id = mail_hits.id
                """
        ).execute()
        try state("mail.clicked", tx)
        try state("mail.opened", tx)
        if count == HitJudge.hitsMax { try tx.emit(MailHitsGathered(), at: tx.now, key: "mail hits, the rest") }
        try HitJudge.forget(tx)
    }

    /// The site's rules follow those of the kernel. What a rule is called is its reason.
    private var reason: String {
        guard !rules.isEmpty else { return "machine_reason" }
        let cases = rules.map { "WHEN (\($0.value.value)\n) THEN \("rule \($0.name)".sqlLiteral)" }
        return "coalesce(machine_reason, CASE \(cases.joined(separator: " ")) END)"
    }

    /// A fact for each message and link that a person pressed, and no second one within an hour. A person began it, so
    /// that it has no cause.
    private func state(_ kind: String, _ tx: Transaction) throws {
        let isClick = kind == "mail.clicked"
        try tx.emit(
            kind,
            forEach: """
                SELECT h.lead_id, NULL AS cause_id,
                       json_object('mail', m.template, 'message_id', h.message_id\(isClick ? ", 'link_id', h.link_id" : "")) AS body
                FROM judged_hits AS judged
                JOIN mail_hits AS h ON h.id = judged.id AND h.link_id IS \(isClick ? "NOT NULL" : "NULL")
                JOIN outbox_messages AS m ON m.id = h.message_id
                JOIN leads AS l ON l.id = h.lead_id
                WHERE judged.reason IS NULL
                  AND NOT EXISTS (
                    SELECT 1 FROM mail_hits AS before
                    WHERE before.message_id = h.message_id AND before.link_id IS h.link_id AND before.verdict = 'person'
                      AND before.at >= strftime('%Y-%m-%d %H:%M:%f', h.at, '-1 hour')
                      AND (before.at < h.at OR (before.at = h.at AND before.id < h.id)))
                ORDER BY h.at, h.id
                """)
    }

    /// Forgets from which networks and programs hits came that are older than ``memory``, so many at once. Also called
    /// once a day, since with tracking switched off no hit is judged any more.
    ///
    /// - Returns: whether there may be more to forget.
    @discardableResult
    static func forget(_ tx: Transaction) throws -> Bool {
        try tx.db.cachedStatement(
            sql: """
                UPDATE mail_hits SET network = NULL, agent = NULL
                WHERE id IN (SELECT id FROM mail_hits WHERE network IS NOT NULL AND at < ? ORDER BY at LIMIT \(HitJudge.hitsMax))
                """
        ).execute(arguments: [Timestamp.text(tx.now - HitJudge.memory)])
        return tx.db.changesCount == HitJudge.hitsMax
    }
}
