import TrellisKernel

/// Posts a batch of events to the ledger, brings the totals up to date, and moves the stages of leads that reached a
/// threshold.
struct Ledger {
    let rules: ScoringRules
    let tx: Transaction

    private var model: ScoringModel { rules.model }

    /// The leads of the entries that are new, all of the model whose turn it is. By their ids: the index by lead would
    /// read the whole ledger.
    static let posted = "SELECT lead_id FROM scoring_ledger NOT INDEXED WHERE id > :last"

    func post(_ batch: Batch) throws {
        if let leads = batch.histories { return try Histories(ledger: self, leads: leads, last: lastEntry()).post() }
        let replay = Replay(model: model, tx: tx)
        let isReplay = try replay.isUnderWay
        if isReplay { try replay.postpone() }
        try replay.parts(isReplay) { try post(isReplay: isReplay) }
        if !isReplay { try replay.settle() }
    }

    private func post(isReplay: Bool) throws {
        let kinds = try tx.kindsInBatch()
        let last = try lastEntry()
        let summed = try enter(kinds, after: last)
        let reviews = Reviews(model: model, tx: tx)
        let reviewed = try kinds.contains("scoring.review_due") ? reviews.begin() : nil
        let posted = Ledger.posted
        let looked = posted + (reviewed == nil ? "" : " UNION SELECT lead_id FROM temp.scoring_reviewed")
        try Idleness(model: model, tx: tx).takeBack(after: last, among: looked, reviewedAt: reviewed)
        // What is true by now was not true then: after a replay it is asked once.
        if kinds.contains(Rechecks.kind), !isReplay { try Rechecks(model: model, tx: tx).begin() }
        let changed = model.thresholds.contains { $0.value.when != nil } ? Ledger.changed(kinds, isReplay) : ""
        let totals = Totals(model: model, tx: tx)
        let united = kinds.contains("lead.merged") ? try totals.unite(through: summed) : ""
        let touched = looked + united + changed
        try totals.add(after: summed)
        if model.hasDecay {
            let moment = try Moments(model: model, tx: tx, isReplay: isReplay).note(kinds, hasReviewed: reviewed != nil)
            // Whatever may take a lead over a threshold is judged as of then, and not as of its last points.
            try totals.sumAnew(touched, at: Moments.ofLead, moment: moment, after: last)
        }
        let crossings = Crossings(model: model, tx: tx, isReplay: isReplay)
        if kinds.contains("lead.stage_changed") { try crossings.rearm() }
        if kinds.contains("lead.created") { try crossings.welcome() }
        try crossings.settle(after: last, united: united, changed: changed)
        if reviewed != nil { try crossings.settleReviewed() }
        try reviews.plan(after: last, among: touched)
    }

    /// What adds to a SELECT the leads for which a predicate of a threshold may have another answer: they changed, or
    /// their account, or the hour.
    private static func changed(_ kinds: Set<String>, _ isReplay: Bool) -> String {
        let changes = ["lead.created", "lead.updated", "lead.stage_changed", "lead.restored"].filter(kinds.contains)
        var changed =
            changes.isEmpty
            ? ""
            : " UNION SELECT lead_id FROM batch WHERE kind IN (\(changes.map(\.sqlLiteral).joined(separator: ", ")))"
        if kinds.contains("account.updated") {
            changed += """
                 UNION SELECT l.id FROM batch AS b CROSS JOIN leads AS l ON l.account_id = json_extract(b.body, '$.account_id')
                WHERE b.kind = 'account.updated'
                """
        }
        if kinds.contains(Rechecks.kind), !isReplay { changed += " UNION SELECT lead_id FROM temp.scoring_rechecked" }
        return changed
    }

    /// Writes the entries of the batch.
    ///
    /// - Parameter isOfHistories: whether its leads have no entries before.
    /// - Returns: the last entry that is in the totals already.
    func enter(_ kinds: Set<String>, after last: Int64, isOfHistories: Bool = false) throws -> Int64 {
        let summed = try weigh(kinds, after: last, isOfHistories)
        try count(kinds, isOfHistories)
        try Adjustment.post(kinds, model, tx)
        return summed
    }

    func lastEntry() throws -> Int64 {
        try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT coalesce(max(id), 0) FROM scoring_ledger")) ?? 0
    }

    /// What the leads of the batch are. Returns the last entry that is in the totals already: those of new leads are,
    /// but for histories, whose totals are written at their end.
    private func weigh(_ kinds: Set<String>, after last: Int64, _ isOfHistories: Bool) throws -> Int64 {
        guard let fitOfNew = rules.fitOfNew, let fitOfChanged = rules.fitOfChanged else { return last }
        try fitOfNew.begin(tx)
        let isNew = kinds.contains("lead.created")
        let hasKnown = try isNew && fitOfNew.post(tx, sums: !isOfHistories)
        let summed = try isNew ? lastEntry() : last
        if hasKnown || !kinds.isDisjoint(with: ["lead.updated", "lead.restored", "lead.merged", "account.updated"]) {
            try tx.db.cachedStatement(sql: fitOfChanged).execute()
        }
        return summed
    }

    /// What they did.
    private func count(_ kinds: Set<String>, _ isOfHistories: Bool) throws {
        let happened = rules.engagement.filter { kinds.contains($0.kind) }
        let groups = happened.reduce(into: Set()) { $0.formUnion($1.groups) }
        if !groups.isEmpty { try tx.scratchTable("scoring_candidates", columns: Engagement.candidateColumns) }
        for engagement in happened { try engagement.post(tx, isOfHistories: isOfHistories) }
        for group in model.groups where groups.contains(group.name) {
            let sql = Engagement.capped(group.value, isOfHistories: isOfHistories)
            try tx.db.cachedStatement(sql: sql).execute(arguments: ["group": group.name])
        }
    }
}
