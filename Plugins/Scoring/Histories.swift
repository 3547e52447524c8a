import TrellisKernel

/// A replay lead by lead, for a model whose points neither decay nor go, and whose thresholds ask for nothing but
/// points: all that such a model makes of a lead follows from the lead's own events, wherever in the log those of
/// others lie. So each lead is done at once: its entries, its total, where it stands, and the stage it belongs to.
struct Histories {
    let ledger: Ledger
    let leads: ClosedRange<Int64>
    /// The last entry before the batch: all entries of its leads come after.
    let last: Int64

    private var model: ScoringModel { ledger.rules.model }
    private var tx: Transaction { ledger.tx }
    private var span: StatementArguments { ["first": leads.lowerBound, "latest": leads.upperBound] }

    func post() throws {
        let kinds = try tx.kindsInBatch()
        _ = try ledger.enter(kinds, after: last, isOfHistories: true)
        try sum()
        if kinds.contains("lead.created") { try Crossings(model: model, tx: tx, isReplay: true).welcome() }
        try noteTurns(kinds)
        for threshold in model.thresholds where !threshold.value.onCreate { try stand(threshold) }
        try Replay(model: model, tx: tx).settle(
            "SELECT DISTINCT lead_id FROM scoring_standings WHERE lead_id BETWEEN :first AND :latest AND model = \(model.literal)",
            span)
    }

    /// Each total is written once, where it is another than before.
    private func sum() throws {
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM scoring_totals
                WHERE lead_id BETWEEN :first AND :latest AND iif(model = \(model.literal), NOT EXISTS (
                    SELECT 1 FROM scoring_ledger AS e INDEXED BY scoring_entries_by_lead
                    WHERE e.lead_id = scoring_totals.lead_id AND e.id > :last), \(Totals.isForgotten))
                """
        ).execute(arguments: span &+ ["last": last])
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO scoring_totals (lead_id, model, fit, engagement, score, decays, as_of)
                SELECT lead_id, \(model.literal), fit, score - fit, score, 0, min(at, :now)
                FROM (SELECT lead_id, coalesce(sum(points) FILTER (WHERE axis = 'fit'), 0) AS fit, sum(points) AS score, max(at) AS at
                      FROM scoring_ledger INDEXED BY scoring_entries_by_lead
                      WHERE lead_id BETWEEN :first AND :latest AND id > :last GROUP BY lead_id)
                WHERE true ON CONFLICT (lead_id, model) DO UPDATE SET
                    fit = excluded.fit, engagement = excluded.engagement, score = excluded.score, decays = 0, as_of = excluded.as_of,
                    review_at = NULL
                WHERE (fit, engagement, decays, as_of) IS NOT (excluded.fit, excluded.engagement, 0, excluded.as_of) OR review_at IS NOT NULL
                """
        ).execute(arguments: span &+ ["last": last, "now": tx.stamp])
    }

    /// Fills `temp.scoring_turns` with the events by which a lead was given back, where it is at an early stage still.
    private func noteTurns(_ kinds: Set<String>) throws {
        try tx.scratchTable(
            "scoring_turns",
            columns: "lead_id INTEGER, event_id INTEGER, position INTEGER, PRIMARY KEY (lead_id, event_id)"
        )
        guard kinds.contains("lead.stage_changed") else { return }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO temp.scoring_turns
                SELECT l.id, b.id, s.position FROM batch AS b CROSS JOIN leads AS l ON l.id = b.lead_id JOIN stages AS s ON s.name = l.stage
                WHERE b.kind = 'lead.stage_changed' AND b.origin <> 'plugin:scoring' AND NOT s.is_side
                """
        ).execute()
    }

    /// Who came over a threshold and did not fall under it again stands above it: since the first of its events that
    /// took it there, after it was given back the last time where it came over once more.
    ///
    /// Whoever fell had points taken, and nobody falls who is above it at the end: so only those are looked at.
    private func stand(_ threshold: Named<ScoringModel.Threshold>) throws {
        let (value, name) = (threshold.value, threshold.name.sqlLiteral)
        let candidates = Crossings.axes(value, model, of: "s", slack: value.hysteresis)
        let isAbove = Crossings.axes(value, model, of: "course")
        let isNear = Crossings.axes(value, model, of: "course", slack: value.hysteresis)
        let stage = model.stage(of: threshold).map(\.sqlLiteral) ?? "NULL"
        func turns(of lead: String) -> String {
            """
            temp.scoring_turns AS t
            WHERE t.lead_id = \(lead) AND t.position < (SELECT position FROM stages WHERE name = \(stage))
            """
        }
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO scoring_standings (lead_id, model, threshold, since, is_rearmed)
                WITH course AS (
                    SELECT e.lead_id, e.event_id, e.points < 0 AS is_lower, max(e.at) OVER so_far AS at,
                           sum(e.points * (e.axis = 'fit')) OVER so_far AS fit,
                           sum(e.points * (e.axis <> 'fit')) OVER so_far AS engagement, sum(e.points) OVER so_far AS score
                    FROM scoring_totals AS s CROSS JOIN scoring_ledger AS e ON e.lead_id = s.lead_id AND e.id > :last
                    WHERE s.lead_id BETWEEN :first AND :latest AND s.model = \(model.literal) AND \(candidates)
                    WINDOW so_far AS (PARTITION BY e.lead_id ORDER BY e.event_id)),
                steps AS (
                    SELECT lead_id, event_id, at, \(isAbove) AS is_above,
                           max(iif(is_lower AND NOT (\(isNear)), event_id, 0)) OVER (PARTITION BY lead_id) AS fell
                    FROM course),
                risen AS (
                    SELECT lead_id, event_id, at, coalesce((
                               SELECT max(t.event_id) FROM \(turns(of: "steps.lead_id")) AND t.event_id < steps.event_id), 0) AS turn
                    FROM steps WHERE is_above AND event_id > fell),
                newest AS (SELECT *, max(turn) OVER (PARTITION BY lead_id) AS last_turn FROM risen),
                standing AS (
                    SELECT lead_id, min(event_id) AS event_id, min(at) AS since FROM newest WHERE turn = last_turn GROUP BY lead_id)
                SELECT lead_id, \(model.literal), \(name), min(since, :now),
                       EXISTS (SELECT 1 FROM \(turns(of: "standing.lead_id")) AND t.event_id > standing.event_id)
                FROM standing
                """
        ).execute(arguments: span &+ ["last": last, "now": tx.stamp])
    }
}
