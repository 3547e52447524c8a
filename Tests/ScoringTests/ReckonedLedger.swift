import Foundation
import TrellisKernel
import TrellisTesting

/// What the log is worth by the rules of one model, reckoned in plain Swift, event by event and lead by lead: no
/// batches, no totals, no reviews.
///
/// This is what a replay must come to, whatever was merged or erased:
/// - what a merged lead did, the lead did that was kept, from the first event on: one history, one cap, one idle time;
/// - of who is no lead any more, only what was given by hand counts.
struct ReckonedLedger {
    struct Rule {
        let on: String
        let points: Int
        /// The time of its decay in days; 0 without one.
        var decay = 0
        var most: Cap?
        var isInGroup = false
    }

    /// So many, in each span of time that bears the same name.
    struct Cap {
        let times: Int
        let period: @Sendable (String) -> String

        static let once = Cap(times: 1) { _ in "ever" }
        static func perDay(_ times: Int) -> Cap { Cap(times: times) { String($0.prefix(10)) } }
        /// Weeks begin on Mondays, and 1970-01-01 was a Thursday: the Monday before is three days earlier.
        static func perWeek(_ times: Int) -> Cap {
            Cap(times: times) { "\(Int((ReckonedLedger.seconds($0) / 86_400).rounded(.down) + 3) / 7)" }
        }
    }

    let model: String
    /// Points by what a column says.
    let fit: [(column: String, value: String, points: Int)]
    let rules: [Rule]
    var group: Cap?
    var idleDays: Int?

    /// A line per lead and time: what was earned then, by its decay, and not taken back.
    func lines(_ crm: TestKernel) throws -> Set<String> {
        let here = Set(try crm.rows("SELECT id FROM leads"))
        var past = Past(idle: idleDays.map { Double($0) * 86_400 })
        var counts: [String: Int] = [:]
        for row in try crm.rows(Self.acts) {
            let act = row.split(separator: "|").map(String.init)
            let (kind, lead, at) = (act[0], act[1], act[2])
            if kind == "score.adjusted" {
                if act[4] == model { past.note(lead, at, decay: 0, Int(act[3]) ?? 0) }
                continue
            }
            guard here.contains(lead) else { continue }
            for (number, rule) in rules.enumerated() where rule.on == kind {
                if let most = rule.most {
                    let key = "\(lead) rule \(number) \(most.period(at))"
                    if counts[key, default: 0] >= most.times { continue }
                    counts[key, default: 0] += 1
                }
                var points = rule.points
                if rule.isInGroup, let group {
                    let key = "\(lead) group \(group.period(at))"
                    points = min(points, group.times - counts[key, default: 0])
                    counts[key, default: 0] += points
                    // What counts its events also counts those that gave nothing any more.
                    if points == 0, rule.most == nil { continue }
                }
                past.note(lead, at, decay: rule.decay, points)
            }
        }
        past.end(crm.clock.clock.now().timeIntervalSince1970)
        return Set(past.lines.map { "\(model)|\($0)" } + (try fitLines(crm)))
    }

    private func fitLines(_ crm: TestKernel) throws -> [String] {
        let sum = fit.map { "(\($0.column) IS '\($0.value)') * \($0.points)" }.joined(separator: " + ")
        return try crm.rows(
            "SELECT '\(model)', id, 'fit', 0, points FROM (SELECT id, \(sum) AS points FROM leads) WHERE points <> 0")
    }

    /// What was done, by whom it counts for now, and what was given by hand.
    private static let acts = """
        SELECT e.kind, coalesce(a.lead_id, m.kept_id, e.lead_id), e.at, coalesce(a.points, 0), coalesce(a.model, '')
        FROM events AS e LEFT JOIN lead_merges AS m ON m.gone_id = e.lead_id
        LEFT JOIN scoring_adjustments AS a ON e.kind = 'score.adjusted' AND a.id = json_extract(e.body, '$.adjustment')
        WHERE e.kind IN ('demo.booked', 'page.viewed', 'mail.hated', 'score.adjusted') ORDER BY e.id
        """

    /// The same lines of the ledger as it is.
    static let kept = """
        SELECT model, lead_id, iif(axis = 'fit', 'fit', at) AS earned, coalesce(half_life, fade, lifetime, 0) / 86400 AS decay, sum(points)
        FROM scoring_ledger GROUP BY 1, 2, 3, 4 HAVING sum(points) <> 0
        """

    static func seconds(_ at: String) -> Double { Timestamp.date(at)?.timeIntervalSince1970 ?? 0 }

    /// What each lead has earned since it was idle last.
    private struct Past {
        let idle: Double?
        private var last: [String: Double] = [:]
        private var earned: [String: [String: Int]] = [:]

        init(idle: Double?) {
            self.idle = idle
        }

        mutating func note(_ lead: String, _ at: String, decay: Int, _ points: Int) {
            let now = ReckonedLedger.seconds(at)
            forget(lead, by: now)
            last[lead] = now
            earned[lead, default: [:]]["\(at)|\(decay)", default: 0] += points
        }

        mutating func end(_ now: Double) {
            for lead in last.keys { forget(lead, by: now) }
        }

        private mutating func forget(_ lead: String, by now: Double) {
            if let idle, let before = last[lead], now - before >= idle { earned[lead] = [:] }
        }

        var lines: [String] {
            earned.flatMap { lead, times in times.filter { $0.value != 0 }.map { "\(lead)|\($0.key)|\($0.value)" } }
        }
    }
}
