import Foundation
import TrellisKernel

/// What people see of a score: its total, and the rows that make it.
struct ScoreCard {
    let leadID: Int64

    /// `65: demo +50, downloaded +15`, the largest first.
    func lines(_ db: Database) throws -> [CardLine] {
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT round(score, 1), fit, round(engagement, 1) FROM scoring_current WHERE lead_id = ?",
                arguments: [leadID])
        else { return [] }
        let reasons = try ScoreCard.reasons("?", db, arguments: [leadID])
        return [
            CardLine(
                "score",
                "\(ScoreCard.number(row[0])) (fit \(ScoreCard.number(row[1])), engagement \(ScoreCard.number(row[2]))): \(reasons)"
            )
        ]
    }

    func entries(_ db: Database, at now: Date) throws -> Table {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT e.at, e.rule, e.axis, e.points, round(\(Weight.points("e", at: ":now")), 1), e.half_life, e.fade, e.lifetime,
                       v.kind, e.event_id, (SELECT nullif(author || ': ' || reason, author || ': ') FROM scoring_adjustments
                                            WHERE v.kind = 'score.adjusted' AND id = json_extract(v.body, '$.adjustment'))
                FROM scoring_entries AS e LEFT JOIN events AS v ON v.id = e.event_id
                WHERE e.lead_id = :lead ORDER BY e.id
                """, arguments: ["lead": leadID, "now": Timestamp.text(now)])
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
                SELECT axis, rule, count(DISTINCT lead_id) AS leads, count(*) AS entries, sum(points) AS points
                FROM scoring_entries GROUP BY axis, rule ORDER BY axis DESC, leads DESC
                """)
        return Table(columns: ["axis", "rule", "leads", "entries", "points"], rows)
    }

    static func top(_ count: Int, _ db: Database) throws -> Table {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT l.id, coalesce(nullif(trim(coalesce(l.first_name, '') || ' ' || coalesce(l.last_name, '')), ''), l.email, l.external_id, l.phone) AS lead,
                       l.company, l.stage, round(s.score, 1) AS score,
                       (\(reasonsQuery("s.lead_id"))) AS reasons
                FROM scoring_scores AS s JOIN leads AS l ON l.id = s.lead_id ORDER BY s.score DESC, l.id LIMIT ?
                """, arguments: [count])
        return Table(columns: ["id", "lead", "company", "stage", "score", "reasons"], rows)
    }

    private static func reasons(_ lead: String, _ db: Database, arguments: StatementArguments) throws -> String {
        try String.fetchOne(db, sql: reasonsQuery(lead), arguments: arguments) ?? "no points"
    }

    private static func reasonsQuery(_ lead: String) -> String {
        """
        SELECT group_concat(rule || ' ' || printf('%+d', points), ', ')
        FROM (SELECT rule, sum(points) AS points FROM scoring_entries WHERE lead_id = \(lead) GROUP BY rule HAVING sum(points) <> 0 ORDER BY abs(sum(points)) DESC, rule)
        """
    }

    private static func number(_ value: DatabaseValue) -> String {
        let number = Double.fromDatabaseValue(value) ?? 0
        return number == number.rounded() ? String(Int64(number)) : String(number)
    }
}
