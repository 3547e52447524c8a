import Foundation
import TrellisKernel

/// When reps are away: nothing is routed to them, and what they have may go to others.
struct Absences {
    let settings: HandoffSettings
    let tx: Transaction

    /// What was noted.
    struct Noted: Sendable {
        let id: Int64
        /// Leads that other reps have now.
        let handedOver: Int
        /// Leads that nobody had a place for.
        let queued: Int
        let sentence: String
    }

    /// - Parameters:
    ///   - from: a day or a time; without it, now.
    ///   - until: the last day, or a time; without it, until further notice.
    ///   - handsOver: whether the leads the rep has in hand go to others when it begins.
    func note(_ rep: String, from: String?, until: String?, handsOver: Bool) throws -> Noted {
        try Answers(settings: settings, tx: tx).checkRep(rep)
        let place = tx.place(ofZone: settings.rep(rep)?.zone ?? "")
        let start = try from.map { try Absences.moment($0, "from", in: place, isEnd: false) } ?? tx.now
        let end = try until.map { try Absences.moment($0, "until", in: place, isEnd: true) }
        if let end, end <= max(start, tx.now) {
            throw Answers.Refusal(kind: .value, description: "The absence would be over before it begins.")
        }
        try tx.db.execute(
            sql: "INSERT INTO handoff_absences (rep, starts_at, ends_at, hands_over, origin) VALUES (?, ?, ?, ?, ?)",
            arguments: [rep, Timestamp.text(start), end.map { Timestamp.text($0) }, handsOver, tx.origin])
        let id = tx.db.lastInsertedRowID
        let begins = handsOver && start <= tx.now
        let went = begins ? try handOver("h.rep = :rep", ["rep": rep]) : (others: 0, queue: 0)
        let span = Absences.span(from: start, to: end, in: tx.place(ofZone: ""))
        let later = handsOver ? " What is in hand then goes to others." : ""
        let gave = begins ? " " + Absences.told(went) : later
        return Noted(
            id: id, handedOver: went.others, queued: went.queue, sentence: "\(rep) is away \(span).\(gave)")
    }

    /// `1 lead went to another rep, 2 wait in the queue.`
    private static func told(_ went: (others: Int, queue: Int)) -> String {
        let others = went.others == 1 ? "1 lead went to another rep" : "\(went.others) leads went to other reps"
        let (count, verb) = (went.queue, went.queue == 1 ? "waits" : "wait")
        if went == (0, 0) { return "There was no lead in hand." }
        if count == 0 { return others + "." }
        if went.others == 0 { return "\(count) \(count == 1 ? "lead" : "leads") \(verb) in the queue." }
        return "\(others), \(count) \(verb) in the queue."
    }

    /// `from 2026-12-24 00:00 to 2027-01-02 00:00 (Europe/Berlin)`: by the clock of the site.
    private static func span(from start: Date, to end: Date?, in site: LocalTime) -> String {
        func shown(_ moment: Date) -> Substring { site.text(moment).prefix(16) }
        return "from \(shown(start)) " + (end.map { "to \(shown($0))" } ?? "on") + " (\(site.name))"
    }

    /// Absences of the batch that begin.
    func begin() throws {
        _ = try handOver(
            """
            h.rep IN (SELECT a.rep FROM handoff_absences AS a JOIN batch AS b ON b.body ->> 'absence' = a.id
                      WHERE a.hands_over AND a.starts_at <= :now AND (a.ends_at IS NULL OR a.ends_at > :now))
            """, ["now": tx.stamp])
    }

    /// - Parameter whose: over `handoff_handoffs AS h`.
    /// - Returns: how many leads went to other reps, and how many into the queue.
    private func handOver(_ whose: String, _ arguments: StatementArguments) throws -> (others: Int, queue: Int) {
        try Routing(settings: settings, tx: tx).again(
            "h.state IN ('offered', 'escalated', 'accepted') AND \(whose)", arguments: arguments)
        let row = try Row.fetchOne(
            tx.db, sql: "SELECT count(rep), count(*) - count(rep) FROM temp.handoff_candidates")
        return (row?[0] ?? 0, row?[1] ?? 0)
    }

    /// The rep is there: what is under way ends now, and what is to come is cancelled.
    ///
    /// - Returns: what was done, in a sentence.
    func end(_ rep: String) throws -> String {
        try Answers(settings: settings, tx: tx).checkRep(rep)
        try tx.db.execute(
            sql: """
                UPDATE handoff_absences SET ends_at = :now WHERE rep = :rep AND starts_at < :now AND (ends_at IS NULL OR ends_at > :now)
                """, arguments: ["now": tx.stamp, "rep": rep])
        let isBack = tx.db.changesCount > 0
        let site = tx.place(ofZone: "")
        let cancelled = try Row.fetchAll(
            tx.db,
            sql: """
                DELETE FROM handoff_absences WHERE rep = :rep AND starts_at >= :now RETURNING starts_at, ends_at
                """, arguments: ["now": tx.stamp, "rep": rep]
        ).sorted { ($0[0] as String) < ($1[0] as String) }.compactMap { row in
            Timestamp.date(row[0] as String).map { start in
                Absences.span(from: start, to: (row[1] as String?).flatMap { Timestamp.date($0) }, in: site)
            }
        }
        let standing = isBack ? "\(rep) is back." : "\(rep) \(cancelled.isEmpty ? "was" : "is") not away."
        return cancelled.isEmpty ? standing : "\(standing) Cancelled: \(cancelled.joined(separator: ", "))."
    }

    /// - Parameter moment: leaves out what was over by then; nil leaves out nothing.
    static func list(_ rep: String?, since moment: String? = nil, _ db: Database) throws -> [Row] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, rep, starts_at, ends_at FROM handoff_absences
                WHERE (:rep IS NULL OR rep = :rep) AND (:moment IS NULL OR ends_at IS NULL OR ends_at > :moment) ORDER BY starts_at, id
                """, arguments: ["rep": rep, "moment": moment])
    }

    /// A day is one of the rep's place.
    private static func moment(_ text: String, _ name: String, in place: LocalTime, isEnd: Bool) throws -> Date {
        if text.utf8.count == 10, let day = LocalDay(text) {
            return place.instant(on: isEnd ? day.adding(days: 1) : day, minute: 0)
        }
        guard let date = Timestamp.date(text) else {
            throw Answers.Refusal(
                kind: .value,
                description: "\(name) must be a day such as 2026-12-24, or a time (UTC) such as 2026-12-24 14:00.")
        }
        return date
    }
}
