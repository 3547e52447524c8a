import Foundation

/// Marketing mail that pauses by itself while too much of what was sent is called spam, or is not taken for good:
/// providers refuse the mail of such a sender altogether, also the one that somebody waits for. Other mail goes on.
///
/// Complaints are measured over the newest 500 mails to leads (`mail_health`), when one comes in. Fewer are measured
/// as 500. Counted are the people who complain and not their mails, and it takes two of them, whatever the share:
/// nobody stops the mail of a site alone. Gmail wants less than 0.1 % and never 0.3 %
/// (https://support.google.com/mail/answer/81126); Yahoo says 0.3 % too.
///
/// Hard bounces, and refusals by policy with them, are measured in the same way over the newest 500 marketing mails
/// (`mail_rejections`), when the relay says so or a report comes in. The first tell of a list that was bought or is
/// stale, the second of a sender that is not wanted. It takes five people, for some addresses of every list die.
///
/// It ends when a person says so, also where the config says `never` by then. What waited goes then, unless it is not
/// worth sending any more or its plugin decides otherwise (``Plugin/marketingResumes(since:_:)``): a sequence by what
/// it says of what comes late.
public enum MarketingPause {
    /// What `held_by` says of the mail that waits for the end of it.
    public static let holder = "kernel"
    /// Which of `outbox_messages` wait for the end of it, in SQL. The first condition is that of the index over what is
    /// stopped: SQLite uses a partial index only where the statement has its words.
    public static let waiting =
        "state IN ('unknown', 'failed', 'held') AND state = 'held' AND held_by = \(holder.sqlLiteral)"
    /// The reason of what goes later for having waited.
    public static let pastReason = "marketing mail was paused"
    /// So many people have to complain, or to be out of reach, however small the share that the site lets pass.
    static let (complainingMin, unreachedMin) = (2, 5)

    /// Why it paused, as `mail_pauses.cause` says it.
    public enum Cause: String, Sendable {
        case complaints, bounces

        /// What became of too much of it: `bounced or was refused`.
        public var words: String {
            switch self {
            case .complaints: "was called spam"
            case .bounces: "bounced or was refused"
            }
        }

        /// The reason of what waits for the end of it.
        var reason: String { "marketing mail is paused: too much of it \(words)" }
    }

    /// Why marketing mail is paused now; nil where it is not.
    public static func cause(_ db: Database) throws -> Cause? {
        try String.fetchOne(db.cachedStatement(sql: "SELECT cause FROM mail_pauses WHERE settled_at IS NULL"))
            .flatMap(Cause.init)
    }

    /// Begins a pause where more is called spam than the site lets pass.
    ///
    /// - Parameter percentMax: of ``SiteSettings/Mail/complaintPercentMax``.
    static func beginIfDue(above percentMax: Double, _ tx: Transaction) throws {
        guard percentMax.isFinite else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO mail_pauses (noticed_at, complaints, sent, percent_max)
                SELECT :now, complaints, sent, :most FROM mail_health
                WHERE people_complained >= \(complainingMin) AND people_complained * 100.0 > :most * 500
                  AND NOT EXISTS (SELECT 1 FROM mail_pauses WHERE settled_at IS NULL)
                """
        ).execute(arguments: ["now": tx.stamp, "most": percentMax])
    }

    /// Begins a pause where more is not taken for good than the site lets pass.
    ///
    /// - Parameters:
    ///   - percentMax: of ``SiteSettings/Mail/bouncePercentMax``.
    ///   - message: the row of the outbox that was not taken just now. Nothing is measured for one of other mail.
    static func beginIfBouncing(above percentMax: Double, after message: Int64, _ tx: Transaction) throws {
        guard percentMax.isFinite, try isMarketing(message, tx.db), try cause(tx.db) == nil else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO mail_pauses (noticed_at, cause, complaints, sent, percent_max, people_bounced, people_blocked)
                SELECT :now, '\(Cause.bounces.rawValue)', 0, mails, :most, people_bounced, people_blocked FROM mail_rejections
                WHERE people_bounced + people_blocked >= \(unreachedMin)
                  AND (people_bounced + people_blocked) * 100.0 > :most * 500
                """
        ).execute(arguments: ["now": tx.stamp, "most": percentMax])
    }

    private static func isMarketing(_ message: Int64, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT purpose = 'marketing' FROM outbox_messages WHERE id = ?"),
            arguments: [message]) ?? false
    }
}

extension Claim {
    /// Holds the marketing mail of a list while it is paused.
    func holdPaused(_ list: String) throws {
        guard transport == "mail", let cause = try MarketingPause.cause(tx.db) else { return }
        try tx.db.cachedStatement(
            sql: """
                UPDATE outbox_messages SET state = 'held', held_by = :holder, reason = :reason
                WHERE id IN (SELECT value FROM json_each(:list)) AND state = 'waiting' AND purpose = 'marketing'
                """
        ).execute(arguments: ["holder": MarketingPause.holder, "reason": cause.reason, "list": list])
    }
}

extension Transaction {
    /// Lets marketing mail go on that paused by itself. What was sent before is not measured again.
    ///
    /// - Returns: how many messages that waited go, now or later; nil where nothing was paused.
    public func resumeMarketing(by: String) throws -> Int? {
        let since = try String.fetchOne(db, sql: "SELECT noticed_at FROM mail_pauses WHERE settled_at IS NULL")
        try db.execute(
            sql: """
                UPDATE mail_pauses SET settled_at = ?, settled_by = ?, settled_event = (SELECT coalesce(max(id), 0) FROM events)
                WHERE settled_at IS NULL
                """, arguments: [stamp, by])
        guard db.changesCount > 0 else { return nil }
        let began = since.flatMap { Timestamp.date($0) } ?? now
        for plugin in kernel.plugins {
            try plugin.marketingResumes(since: began, acting(as: "plugin:\(type(of: plugin).name)"))
        }
        try KernelContext(origin: origin).enter(db, stamp: stamp)
        try db.execute(
            sql: """
                UPDATE outbox_messages SET state = 'waiting', held_by = NULL, reason = iif(ready_at > :now, :past, NULL)
                WHERE \(MarketingPause.waiting)
                """, arguments: ["now": stamp, "past": MarketingPause.pastReason])
        return db.changesCount
    }
}
