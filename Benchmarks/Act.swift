/// A rule over what a lead does, as the config writes it and as the limit asks it of the log.
struct Act: Sendable {
    enum Limit {
        case always, once
        /// So often in a day, a week or a month; with nil, in all.
        case atMost(Int, String?)
    }

    let name: String
    private let kind: String
    private let condition: (field: String, test: String)?
    private let points: Int
    private let limit: Limit

    init(
        _ name: String, on kind: String, where condition: (field: String, test: String)? = nil, points: Int,
        _ limit: Limit
    ) {
        self.name = name
        self.kind = kind
        self.condition = condition
        self.points = points
        self.limit = limit
    }

    var yaml: String {
        var parts = ["on: \(kind)", "points: \(points)"]
        if let condition { parts.append("where: \"\(condition.field) \(condition.test)\"") }
        switch limit {
        case .always: break
        case .once: parts.append("once: true")
        case .atMost(let times, let period): parts.append("at_most: \(times)" + (period.map { " per \($0)" } ?? ""))
        }
        return parts.joined(separator: ", ")
    }

    /// A SELECT of its entries. Where it counts once in a period, the first event of each group is enough; only more
    /// than one must be numbered.
    var entries: String {
        let test = condition.map { " AND body ->> '\($0.field)' \($0.test)" } ?? ""
        let source = "FROM events INDEXED BY events_by_kind WHERE kind = '\(kind)'\(test)"
        let columns = "lead_id, '\(name)' AS rule, 'engagement' AS axis, \(points) AS points"
        let (times, period) =
            switch limit {
            case .always: (0, "")
            case .once: (1, "")
            case .atMost(let times, let period): (times, Act.group(period))
            }
        switch times {
        case 0: return "SELECT \(columns), id, at \(source)"
        case 1: return "SELECT \(columns), min(id), at \(source) GROUP BY lead_id\(period)"
        default:
            return """
                SELECT \(columns), id, at FROM (
                    SELECT lead_id, id, at, row_number() OVER (PARTITION BY lead_id\(period) ORDER BY id) AS nth \(source))
                WHERE nth <= \(times)
                """
        }
    }

    private static func group(_ period: String?) -> String {
        switch period {
        case "day": ", date(at)"
        case "week": ", date(at, '-6 days', 'weekday 1')"
        case "month": ", strftime('%Y-%m', at)"
        default: ""
        }
    }

    /// What leads did within the day, up to three acts each, the same for the same leads: a statement for both sides.
    static let day = """
        INSERT INTO events (kind, lead_id, origin, at, body)
        SELECT CASE WHEN dice < 60 THEN 'page.viewed' WHEN dice < 80 THEN 'guide.read' WHEN dice < 95 THEN 'demo.watched' ELSE 'demo.asked' END,
               lead_id, 'import:2', at,
               CASE WHEN dice < 15 THEN '{"page":"pricing"}' WHEN dice < 20 THEN '{"page":"careers"}' WHEN dice < 60 THEN '{"page":"home"}'
                    WHEN dice BETWEEN 80 AND 94 THEN '{"minutes":' || (2 * (dice - 75)) || '}' ELSE '{}' END
        FROM (SELECT id AS lead_id, acts.at, (id * 7919 + acts.n * 104729) % 1009 % 100 AS dice
              FROM (SELECT 1 AS n, '2026-03-02 12:00:00.000' AS at UNION ALL SELECT 2, '2026-03-02 17:00:00.000'
                    UNION ALL SELECT 3, '2026-03-03 08:00:00.000') AS acts
              CROSS JOIN leads WHERE acts.n <= leads.id % 4)
        """
}
