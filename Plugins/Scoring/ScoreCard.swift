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

    func entries(_ db: Database) throws -> Table {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT e.at, e.rule, e.axis, e.points,
                       round(e.points * CASE WHEN e.half_life IS NULL THEN 1
                             ELSE pow(0.5, (julianday('now') - julianday(e.at)) * 86400 / e.half_life) END, 1) AS now, v.kind AS event, e.event_id
                FROM scoring_entries AS e LEFT JOIN events AS v ON v.id = e.event_id
                WHERE e.lead_id = ? ORDER BY e.id
                """, arguments: [leadID])
        return Table(columns: ["at", "rule", "axis", "points", "now", "event", "event_id"], rows)
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
