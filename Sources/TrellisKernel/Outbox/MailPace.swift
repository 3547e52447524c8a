import Foundation

/// How much mail goes where, and how fast: the pace of a domain, and the warm-up of a new sender. Decided in the
/// transaction that claims; what is too much now waits for its own moment and loses no attempt.
struct MailPace {
    let settings: SiteSettings.Mail
    /// The wall clock of the site, by which the days of a warm-up are counted.
    let place: LocalTime
    let tx: Transaction

    func apply(to list: String) throws {
        if try isAnyDomainPaced { try spread(list) }
        if let warmUp = settings.warmUp { try warm(warmUp, list) }
    }

    // MARK: - Pace

    /// Seconds between two mails to a domain that has no pace in the config, at its full share, while its servers say
    /// that too much comes: a mail a second, which begins as one every two. Without their word it has no pace at all.
    static let unpacedSeconds = 1.0

    /// Whether the config sets a pace, or a domain goes slower for a while.
    var isAnyDomainPaced: Bool {
        get throws {
            if !settings.pace.isEmpty { return true }
            return try Bool.fetchOne(
                tx.db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM mail_domains WHERE share < 1)")) ?? false
        }
    }

    /// Gives each mail the next free moment of its domain: the generic cell rate algorithm (ITU-T I.371, annex A)
    /// with a burst of one. A mail has its turn once; when it comes, the mail goes.
    private func spread(_ list: String) throws {
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET domain = lower(substr(address, instr(address, '@') + 1))
                FROM (SELECT m.id AS mail, coalesce(m.recipient, l.email) AS address
                      FROM outbox_messages AS m LEFT JOIN leads AS l ON l.id = m.lead_id
                      WHERE m.id IN (SELECT value FROM json_each(?)) AND m.transport = 'mail' AND m.purpose <> 'internal')
                WHERE id = mail AND state = 'waiting' AND domain IS NULL
                """
        ).execute(arguments: [list])
        try tx.scratchTable("mail_slots", columns: "id INTEGER PRIMARY KEY, domain TEXT, slot_at TEXT, next_at TEXT")
        let moment = "strftime('%Y-%m-%d %H:%M:%f', first_at, '+' || round(place * seconds, 3) || ' seconds')"
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.mail_slots
                SELECT id, domain, \(moment), strftime('%Y-%m-%d %H:%M:%f', first_at, '+' || round((place + 1) * seconds, 3) || ' seconds')
                FROM (
                    SELECT m.id, m.domain, row_number() OVER (PARTITION BY m.domain ORDER BY m.ready_at, m.id) - 1 AS place,
                           coalesce(pace.value, :unpaced) / coalesce(d.share, 1) AS seconds, max(coalesce(d.next_at, :now), :now) AS first_at
                    FROM outbox_messages AS m
                    LEFT JOIN json_each(:paces) AS pace
                      ON pace.key = coalesce((SELECT key FROM json_each(:paces) WHERE key = m.domain), 'default')
                    LEFT JOIN mail_domains AS d ON d.domain = m.domain
                    WHERE m.id IN (SELECT value FROM json_each(:list)) AND m.state = 'waiting' AND m.slot_at IS NULL
                      AND m.domain IS NOT NULL AND (pace.value IS NOT NULL OR d.share < 1))
                """
        ).execute(arguments: [
            "now": tx.stamp, "list": list, "paces": paces, "unpaced": MailPace.unpacedSeconds,
        ])
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET slot_at = s.slot_at, ready_at = max(ready_at, s.slot_at) FROM temp.mail_slots AS s
                WHERE outbox_messages.id = s.id
                """
        ).execute()
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO mail_domains (domain, next_at) SELECT domain, max(next_at) FROM temp.mail_slots GROUP BY domain
                ON CONFLICT (domain) DO UPDATE SET next_at = excluded.next_at
                """
        ).execute()
    }

    /// `{"gmail.com": 2.5, "default": 0.1}`: seconds from one mail to the next.
    private var paces: String {
        JSONValue.object(
            settings.pace.map { ($0.name.lowercased(), .number($0.value.intervalSeconds)) }
        ).text()
    }

    // MARK: - Warm-up

    /// Mails that are put off in one transaction once the day's measure is reached: many, since none of them goes, and
    /// few enough that others who write do not wait for them.
    static let putOffMax = 1_000

    /// Marketing mail beyond the day's measure waits a day, so that it comes at the hour it was meant for.
    private func warm(_ warmUp: SiteSettings.WarmUp, _ list: String) throws {
        let today = place.day(of: tx.now)
        let row = try Row.fetchOne(
            tx.db.cachedStatement(
                sql: """
                    SELECT count(*) FILTER (WHERE day < :day) AS days, coalesce(sum(mails) FILTER (WHERE day = :day), 0) AS mails FROM mail_days
                    """), arguments: ["day": today.description])
        guard let most = warmUp.most(onDay: row?["days"] ?? 0) else { return }
        let room = max(0, most - (row?["mails"] ?? 0))
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET reason = 'the sender warms up', ready_at =
                    strftime('%Y-%m-%d %H:%M:%f', ready_at, '+' || (1 + CAST(julianday(:now) - julianday(ready_at) AS INTEGER)) || ' days')
                WHERE id IN (
                      SELECT id FROM outbox_messages
                      WHERE transport = 'mail' AND state = 'waiting' AND ready_at <= :now AND purpose = 'marketing' AND attempts = 0
                        AND (:room = 0 OR id IN (SELECT value FROM json_each(:list)))
                      ORDER BY ready_at, id LIMIT :most)
                  AND id NOT IN (
                      SELECT id FROM outbox_messages
                      WHERE id IN (SELECT value FROM json_each(:list)) AND state = 'waiting' AND ready_at <= :now AND purpose = 'marketing'
                      ORDER BY ready_at, id LIMIT :room)
                """
        ).execute(arguments: [
            "now": tx.stamp, "list": list, "room": room, "most": MailPace.putOffMax,
        ])
    }

    /// Counts what really goes out now, once a mail.
    func note(_ list: String) throws {
        guard settings.warmUp != nil else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO mail_days (day, mails)
                SELECT :day, count(*) FROM outbox_messages
                WHERE id IN (SELECT value FROM json_each(:list)) AND state = 'sending' AND attempts = 1 AND purpose = 'marketing'
                  AND leased_at = :now
                HAVING count(*) > 0
                ON CONFLICT (day) DO UPDATE SET mails = mails + excluded.mails
                """
        ).execute(arguments: ["day": place.day(of: tx.now).description, "list": list, "now": tx.stamp])
    }
}

extension Transaction {
    /// The servers of this message's domain say that too much comes: half the pace from here on. Of mails that were
    /// under way together without a turn each, as where there is no pace yet, the first says it for all.
    func slowDown(domainOf message: Int64) throws {
        try db.execute(
            sql: """
                INSERT INTO mail_domains (domain, next_at, share)
                SELECT domain, :now, 0.5 FROM (
                    SELECT coalesce(m.domain, lower(substr(address, instr(address, '@') + 1))) AS domain
                    FROM (SELECT m.id, m.domain, coalesce(m.recipient, l.email) AS address
                          FROM outbox_messages AS m LEFT JOIN leads AS l ON l.id = m.lead_id
                          WHERE m.id = :message AND m.transport = 'mail' AND m.purpose <> 'internal') AS m)
                WHERE domain IS NOT NULL
                ON CONFLICT (domain) DO UPDATE SET share =
                    CASE WHEN (SELECT slot_at FROM outbox_messages WHERE id = :message) IS NULL THEN min(share, 0.5) ELSE max(share / 2, 0.01) END
                """, arguments: ["now": stamp, "message": message])
    }

    /// A little more for every mail a slowed domain takes: twice as much after some 350.
    func speedUp(domainOf message: Int64) throws {
        try db.cachedStatement(
            sql: """
                UPDATE mail_domains SET share = min(share * 1.002, 1)
                WHERE share < 1 AND domain = (SELECT domain FROM outbox_messages WHERE id = ?)
                """
        ).execute(arguments: [message])
        if db.changesCount > 0 { try endTurns(ofDomainOf: message) }
    }

    /// A domain without a pace in the config that takes all again has no turns any more: what was given one goes now.
    private func endTurns(ofDomainOf message: Int64) throws {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql:
                    "SELECT domain FROM mail_domains WHERE share >= 1 AND domain = (SELECT domain FROM outbox_messages WHERE id = ?)"
            ), arguments: [message])
        guard let domain: String = row?[0] else { return }
        let paces = kernel.config.site.mail.pace.map(\.name)
        guard !paces.contains(domain), !paces.contains("default") else { return }
        try db.execute(
            sql: "UPDATE mail_domains SET next_at = ? WHERE domain = ?", arguments: [stamp, domain])
        try db.execute(
            sql: """
                UPDATE outbox_messages SET ready_at = :now, slot_at = NULL
                WHERE state = 'waiting' AND domain = :domain AND slot_at > :now
                """, arguments: ["now": stamp, "domain": domain])
    }
}
