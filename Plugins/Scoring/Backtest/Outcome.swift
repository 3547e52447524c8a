import TrellisKernel

/// What a lead came to, as far as the file knows it: a stage, an opportunity won, or a value of a column.
enum Outcome: Equatable {
    case stage(String)
    case won
    case column(String, value: String)

    /// Reads `stage:customer`, `opportunity:won`, `column:converted=1`. `column:converted` means 1.
    init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count == 2 ? parts[1] : "") {
        case ("stage", let name) where !name.isEmpty: self = .stage(name)
        case ("opportunity", "won"): self = .won
        case ("column", let rest) where !rest.isEmpty && !rest.hasPrefix("="):
            let sides = rest.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            self = .column(sides[0], value: sides.count == 2 ? sides[1] : "1")
        default:
            throw KernelError.usage(
                "--outcome: expected stage:NAME, opportunity:won or column:NAME=VALUE, got '\(text)'.")
        }
    }

    /// As people write it.
    var text: String {
        switch self {
        case .stage(let name): "stage:\(name)"
        case .won: "opportunity:won"
        case .column(let name, let value): "column:\(name)=\(value)"
        }
    }

    /// The column that tells it, which no rule may read.
    var column: String? {
        if case .column(let name, _) = self { name } else { nil }
    }

    /// Whether the file knows when it was reached.
    var isDated: Bool { column == nil }

    /// Refuses a stage or a column that is not there.
    func check(_ db: Database) throws {
        switch self {
        case .stage(let name):
            let stages = try String.fetchAll(db, sql: "SELECT name FROM stages ORDER BY is_side, position")
            guard stages.contains(name) else {
                throw KernelError.usage(
                    "There is no stage '\(name)'.\(NearMiss.hint(name, among: stages)) There are: \(stages.joined(separator: ", "))."
                )
            }
        case .won: break
        case .column(let name, _):
            let columns = try db.columns(in: "leads").map(\.name)
            guard columns.contains(name) else {
                throw KernelError.usage("leads has no column '\(name)'.\(NearMiss.hint(name, among: columns))")
            }
        }
    }

    /// A query with a row per lead whose outcome is known: `lead, met, reached_at, is_at_start`. `reached_at` is NULL
    /// where the outcome was not reached, or nobody knows when; `is_at_start` tells a lead that came with it.
    var sql: String {
        switch self {
        case .stage:
            // A lead that skipped the stage and is beyond it has reached it. The log of a merged lead is its keeper's.
            """
            SELECT leads.id AS lead, goal.lead IS NOT NULL OR leads.stage IN (SELECT name FROM goals) AS met,
                   CASE WHEN goal.was IS NOT NULL THEN goal.at END AS reached_at, goal.lead IS NOT NULL AND goal.was IS NULL AS is_at_start
            FROM leads LEFT JOIN (
                SELECT coalesce(kept_id, h.lead_id) AS lead, min(h.at) AS at, h.from_stage AS was
                FROM stage_history AS h LEFT JOIN lead_merges ON gone_id = h.lead_id
                WHERE h.to_stage IN (SELECT name FROM goals) GROUP BY 1) AS goal ON goal.lead = leads.id
            """
        case .won:
            // Leads in the middle of a deal are neither: they are left out.
            """
            SELECT leads.id AS lead, coalesce(deals.won, 0) AS met, deals.won_at AS reached_at, 0 AS is_at_start
            FROM leads LEFT JOIN (
                SELECT lead, max(stage = 'won') AS won, max(stage NOT IN ('won', 'lost')) AS is_open,
                       min(CASE WHEN stage = 'won' THEN coalesce(closed_at, updated_at) END) AS won_at
                FROM (SELECT lead_id AS lead, stage, closed_at, updated_at FROM opportunities WHERE lead_id IS NOT NULL
                      UNION ALL
                      SELECT l.id, o.stage, o.closed_at, o.updated_at
                      FROM opportunities AS o JOIN leads AS l ON l.contact_id = o.contact_id WHERE o.lead_id IS NOT l.id)
                GROUP BY lead) AS deals ON deals.lead = leads.id
            WHERE coalesce(deals.won, 0) OR NOT coalesce(deals.is_open, 0)
            """
        case .column(let name, _):
            """
            SELECT id AS lead, \(name.sqlIdentifier) = :goal AS met, NULL AS reached_at, 0 AS is_at_start
            FROM leads WHERE \(name.sqlIdentifier) IS NOT NULL
            """
        }
    }

    /// What the query is bound to.
    var goal: String {
        switch self {
        case .stage(let name): name
        case .won: "won"
        case .column(_, let value): value
        }
    }

}

/// The leads that are held against their outcome, and up to when each is looked at.
struct OutcomeScope {
    let outcome: Outcome
    /// Leads as they stood at this time, and what came of them afterwards.
    var asOf: String?
    /// Leads that came after this time are too young to have an outcome.
    var cameBefore: String?

    /// `WITH`, up to the relation `outcomes`: a row per lead with `outcome_lead`, `outcome_met` and `outcome_until`,
    /// the time before which a fact counts; NULL where every fact does. The names are such as no column of a site has.
    var with: String {
        """
        WITH goals (name) AS (
            SELECT s.name FROM stages AS s JOIN stages AS g ON g.name = :goal
            WHERE s.name = g.name OR (NOT s.is_side AND NOT g.is_side AND s.position >= g.position)),
        outcomes (outcome_lead, outcome_met, outcome_until, outcome_undated) AS (
            SELECT lead, met, CASE WHEN :as_of IS NULL THEN reached_at ELSE :as_of END, met AND reached_at IS NULL
            FROM (\(outcome.sql)) CROSS JOIN leads ON leads.id = lead
            WHERE (:as_of IS NULL OR (leads.created_at <= :as_of AND coalesce(reached_at > :as_of, NOT is_at_start)))
              AND (:came_before IS NULL OR leads.created_at < :came_before))
        """
    }

    var arguments: StatementArguments { ["goal": outcome.goal, "as_of": asOf, "came_before": cameBefore] }
}
