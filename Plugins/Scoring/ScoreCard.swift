import Foundation
import TrellisKernel

/// What people see of a score: its total, and the rows that make it.
struct ScoreCard {
    let leadID: Int64
    let model: ScoringModel

    /// What is to be reached: a score just below one is not written as if it were there.
    private var thresholds: [Named<ScoringModel.Threshold>] { model.thresholds }

    /// `65: demo +50, downloaded +15`, the largest first.
    func lines(_ db: Database) throws -> [CardLine] {
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT score, fit, engagement FROM scoring_models WHERE lead_id = ? AND model = ?",
                arguments: [leadID, model.name])
        else { return [] }
        func reasons(_ rule: String) throws -> String? {
            try String.fetchOne(
                db, sql: ScoreCard.reasons(of: "?", model.literal, calling: rule), arguments: [leadID])
        }
        let score = ScoreCard.number(row[0], beside: thresholds.compactMap(\.value.score))
        let engagement = ScoreCard.number(row[2], beside: thresholds.compactMap(\.value.engagement))
        let listed = try reasons("rule") ?? "no points"
        // `head-of-sales` is "head of sales" to who has not written the config.
        let inWords = try reasons("replace(replace(rule, '-', ' '), '_', ' ')").map { reasons in
            "\(score) \(score == "1" ? "point" : "points")\(model.isMain ? "" : " of \(model.name)"): \(reasons)"
        }
        return [
            CardLine(
                model.isMain ? "score" : "score \(model.name)",
                "\(score) (fit \(ScoreCard.number(row[1])), engagement \(engagement)): \(listed)",
                reason: inWords)
        ]
    }

    func entries(_ db: Database, at now: Date) throws -> Table {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT e.at, e.rule, e.axis, e.points, round(\(Weight.points("e", at: ":now")), 1), e.half_life, e.fade, e.lifetime,
                       v.kind, e.event_id, (SELECT nullif(author || ': ' || reason, author || ': ') FROM scoring_adjustments
                                            WHERE v.kind = 'score.adjusted' AND id = json_extract(v.body, '$.adjustment'))
                FROM scoring_ledger AS e LEFT JOIN events AS v ON v.id = e.event_id
                WHERE e.lead_id = :lead AND e.model = :model ORDER BY e.id
                """, arguments: ["lead": leadID, "model": model.name, "now": Timestamp.text(now)])
        let cells = rows.map { row in
            let values = Array(row.databaseValues.map { Cell($0) })
            return Array(values[0..<5]) + [ScoreCard.decay(row)] + Array(values[8..<11])
        }
        return Table(
            columns: ["at", "rule", "axis", "points", "now", "decay", "event", "event_id", "note"],
            rows: cells)
    }

    /// `halves every 4 weeks`, in words; empty where the points stay.
    private static func decay(_ row: Row) -> Cell {
        let words = [("halves every", 5), ("gone evenly in", 6), ("gone after", 7)]
        for (word, column) in words {
            if let seconds: Int = row[column] { return .text("\(word) \(Span(seconds: seconds))") }
        }
        return .null
    }

    static func rules(_ db: Database) throws -> Table {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT axis, rule, count(DISTINCT lead_id) AS leads, count(*) AS entries, sum(points) AS points, model
                FROM scoring_ledger GROUP BY model, axis, rule ORDER BY model <> 'main', model, axis DESC, leads DESC
                """)
        return Table(columns: ["axis", "rule", "leads", "entries", "points", "model"], rows)
    }

    /// The leads with the most points by now.
    static func top(
        _ count: Int, _ thresholds: [Named<ScoringModel.Threshold>], _ db: Database
    ) throws -> Table {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT l.id, coalesce(nullif(trim(coalesce(l.first_name, '') || ' ' || coalesce(l.last_name, '')), ''), l.email, l.external_id, l.phone) AS lead,
                       l.company, l.stage, s.score,
                       (\(reasons(of: "s.lead_id", ScoringModel.main.sqlLiteral))) AS reasons
                FROM scoring_current AS s JOIN leads AS l ON l.id = s.lead_id ORDER BY s.score DESC, l.id LIMIT ?
                """, arguments: [count])
        let cells = rows.map { row in
            var cells = Array(row.databaseValues.map { Cell($0) })
            cells[4] = .real(ScoreCard.rounded(row["score"], beside: thresholds.compactMap(\.value.score)))
            return cells
        }
        return Table(columns: ["id", "lead", "company", "stage", "score", "reasons"], rows: cells)
    }

    /// By rule, what its entries are worth by now, so that the reasons make the total.
    private static func reasons(of lead: String, _ model: String, calling rule: String = "rule") -> String {
        """
        SELECT group_concat(\(rule) || ' ' || printf(CASE WHEN points = CAST(points AS INTEGER) THEN '%+.0f' ELSE '%+.1f' END, points), ', ')
        FROM (SELECT rule, round(sum(now), 1) AS points FROM scoring_worth WHERE lead_id = \(lead) AND model = \(model) GROUP BY rule
              HAVING round(sum(now), 1) <> 0 ORDER BY abs(sum(now)) DESC, rule)
        """
    }

    /// `65`, `49.9`, or with as many digits as tell it from a threshold: `49.99996`.
    private static func number(_ value: DatabaseValue, beside thresholds: [Int] = []) -> String {
        let number = rounded(Double.fromDatabaseValue(value) ?? 0, beside: thresholds)
        return Int64(exactly: number).map { String($0) } ?? String(number)
    }

    /// To a tenth; where that is on the other side of a threshold, to more.
    static func rounded(_ number: Double, beside thresholds: [Int]) -> Double {
        let bounded = min(max(number, -1e12), 1e12)
        for scale in [10.0, 1e2, 1e3, 1e4, 1e5, 1e6] {
            let rounded = (bounded * scale).rounded() / scale
            if thresholds.allSatisfy({ (rounded >= Double($0)) == (bounded >= Double($0)) }) { return rounded }
        }
        // Nearer than a millionth: a millionth less.
        return (bounded * 1e6).rounded(.down) / 1e6
    }
}
