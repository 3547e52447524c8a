import TrellisKernel

/// What a replay of the log does to stages: nothing until it is through. While it runs, half of the ledger is
/// missing, and a lead that was above a threshold a year ago is not therefore one to hand over today. Afterwards
/// whoever is above one by then is moved, some leads at a time.
struct Replay {
    let model: ScoringModel
    let tx: Transaction

    /// Leads in one transaction.
    static let most = 2000

    /// Whether the batch is of events that were handled before the tables were emptied.
    var isUnderWay: Bool {
        get throws {
            try Bool.fetchOne(
                tx.db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM subscribers WHERE id = '\(Scoring.name)/\(model.subscriberName)' AND anew_through >= (SELECT min(id) FROM batch))
                        """)) ?? false
        }
    }

    /// Whether the batch also holds events that nobody has handled yet: the last one of a replay may.
    private var isLast: Bool {
        get throws {
            try Bool.fetchOne(
                tx.db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM subscribers WHERE id = '\(Scoring.name)/\(model.subscriberName)' AND anew_through < (SELECT max(id) FROM batch))
                        """)) ?? false
        }
    }

    /// Does the work for the batch: at once, or where the log is replayed part by part, each up to the next event at
    /// which time or a person may have taken a lead under a threshold. In one go, who was above it then would never
    /// have been.
    func parts(_ isUnderWay: Bool, _ work: () throws -> Void) throws {
        let ends =
            isUnderWay
            ? try Int64.fetchAll(
                tx.db.cachedStatement(
                    sql: """
                        SELECT b.id FROM batch AS b WHERE b.kind = 'scoring.review_due' OR (b.kind = 'lead.stage_changed' AND EXISTS (
                            SELECT 1 FROM stages AS was CROSS JOIN stages AS here ON here.name = json_extract(b.body, '$.to')
                            WHERE was.name = json_extract(b.body, '$.from') AND (was.is_side OR here.position < was.position)))
                        ORDER BY b.id
                        """)) : []
        try tx.inParts(endingAt: ends, work)
    }

    /// Remembers that stages are to be looked at when the replay is through. It begins without totals.
    func postpone() throws {
        try tx.db.cachedStatement(
            sql: """
                INSERT INTO scoring_clocks (model, at, settled_through) VALUES (?, '', 0)
                ON CONFLICT (model) DO UPDATE SET settled_through = 0 WHERE settled_through IS NULL
                """
        ).execute(arguments: [model.name])
        let begins = tx.db.changesCount > 0
        if begins {
            try tx.db.cachedStatement(
                sql: "DELETE FROM scoring_totals WHERE model = \(model.literal) OR \(Totals.isForgotten)"
            ).execute()
        }
        // What was to begin the looking may itself be in the last batch.
        if try begins || isLast { try goOn() }
    }

    /// Moves the next leads of those who stand above a threshold, where they still do.
    func settle() throws {
        guard
            let through = try Int64.fetchOne(
                tx.db.cachedStatement(
                    sql: "SELECT settled_through FROM scoring_clocks WHERE model = ? AND settled_through IS NOT NULL"),
                arguments: [model.name])
        else { return }
        let count = try settle(
            """
            SELECT DISTINCT lead_id FROM scoring_standings WHERE lead_id > :through AND model = \(model.literal) ORDER BY lead_id
            LIMIT \(Replay.most)
            """, ["through": through])
        let next = count == Replay.most ? "(SELECT max(lead_id) FROM temp.scoring_settled)" : "NULL"
        try tx.db.cachedStatement(sql: "UPDATE scoring_clocks SET settled_through = \(next) WHERE model = ?").execute(
            arguments: [model.name])
        if count == Replay.most { try goOn() }
    }

    /// Moves some leads where they stand above a threshold and are above it now. Returns how many were looked at.
    ///
    /// - Parameter leads: a SELECT of their ids, each once.
    @discardableResult
    func settle(_ leads: String, _ arguments: StatementArguments) throws -> Int {
        try tx.scratchTable("scoring_settled", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(sql: "INSERT INTO temp.scoring_settled \(leads)").execute(arguments: arguments)
        let count = tx.db.changesCount
        if count > 0 {
            for threshold in model.thresholds where !threshold.value.onCreate { try settle(threshold) }
        }
        return count
    }

    private func settle(_ threshold: Named<ScoringModel.Threshold>) throws {
        let name = threshold.name.sqlLiteral
        let standing = """
            SELECT lead_id FROM scoring_standings
            WHERE model = \(model.literal) AND threshold = \(name) AND NOT is_rearmed AND lead_id IN (SELECT lead_id FROM temp.scoring_settled)
            """
        let above = Crossings.above(threshold.value, model, among: standing, isNow: true)
        try tx.scratchTable("scoring_crossing", columns: "lead_id INTEGER PRIMARY KEY")
        try tx.db.cachedStatement(sql: "INSERT INTO temp.scoring_crossing \(above)").execute(
            arguments: Totals.arguments(["now": tx.stamp], in: above))
        try Crossings(model: model, tx: tx, isReplay: false).reach(
            threshold, "SELECT lead_id FROM temp.scoring_crossing", isReplayed: true)
        // Who stood above it once, never moved there and is below it now may cross it with the next points.
        try tx.db.cachedStatement(
            sql: """
                DELETE FROM scoring_standings WHERE model = \(model.literal) AND threshold = \(name) AND lead_id IN (\(standing))
                  AND lead_id NOT IN (SELECT lead_id FROM temp.scoring_crossing)\(model.stage(of: threshold).map(Replay.isBefore) ?? "")
                """
        ).execute()
    }

    /// What adds to a condition over `scoring_standings` that the lead is at a stage before another one.
    static func isBefore(_ stage: String) -> String {
        """

          AND EXISTS (SELECT 1 FROM leads AS l JOIN stages AS s ON s.name = l.stage
                      WHERE l.id = scoring_standings.lead_id AND NOT s.is_side
                        AND s.position < (SELECT position FROM stages WHERE name = \(stage.sqlLiteral)))
        """
    }

    private func goOn() throws {
        try tx.schedule(
            "scoring.review_due",
            forEach: "SELECT NULL AS key, :now AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
            arguments: ["now": tx.stamp])
    }
}
