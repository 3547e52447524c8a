import TrellisKernel

/// Posts a batch of events to the ledger, brings the totals up to date, and moves the stages of leads that reached a
/// threshold.
struct Ledger {
    let rules: ScoringRules
    let tx: Transaction

    private var settings: ScoringSettings { rules.settings }

    /// The leads of the entries that are new. By their ids: the index by lead would read the whole ledger.
    static let posted = "SELECT lead_id FROM scoring_entries NOT INDEXED WHERE id > :last"

    func post() throws {
        let kinds = try tx.kindsInBatch()
        let last = try lastEntry()
        let summed = try weigh(kinds, after: last)
        try count(kinds)
        try Adjustment.post(kinds, tx)
        let reviews = Reviews(settings: settings, tx: tx)
        let hasReviewed = try kinds.contains("scoring.review_due") && reviews.begin()
        let posted = Ledger.posted
        let touched = posted + (hasReviewed ? " UNION SELECT lead_id FROM temp.scoring_reviewed" : "")
        try Idleness(settings: settings, tx: tx).takeBack(after: last, among: touched, hasReviewed: hasReviewed)
        let totals = Totals(rules: rules, tx: tx)
        let united = kinds.contains("lead.merged") ? try totals.unite(through: summed) : ""
        try totals.add(after: summed, among: posted + united, since: last)
        if hasReviewed { try totals.sumAnew("SELECT lead_id FROM temp.scoring_reviewed", at: ":now") }
        let crossings = Crossings(settings: settings, tx: tx)
        if kinds.contains("lead.stage_changed") { try crossings.rearm() }
        try crossings.settle(after: last, united: united, kinds)
        if hasReviewed { try crossings.settleReviewed() }
        try reviews.plan(after: last, among: touched + united)
    }

    private func lastEntry() throws -> Int64 {
        try Int64.fetchOne(tx.db.cachedStatement(sql: "SELECT coalesce(max(id), 0) FROM scoring_entries")) ?? 0
    }

    /// What the leads of the batch are. Returns the last entry that is in the totals already: those of new leads are.
    private func weigh(_ kinds: Set<String>, after last: Int64) throws -> Int64 {
        guard let fitOfNew = rules.fitOfNew, let fitOfChanged = rules.fitOfChanged else { return last }
        try fitOfNew.begin(tx)
        let isNew = kinds.contains("lead.created")
        let hasKnown = try isNew && fitOfNew.post(tx)
        let summed = try isNew ? lastEntry() : last
        if hasKnown || !kinds.isDisjoint(with: ["lead.updated", "lead.restored", "lead.merged", "account.updated"]) {
            try tx.db.cachedStatement(sql: fitOfChanged).execute()
        }
        return summed
    }

    /// What they did.
    private func count(_ kinds: Set<String>) throws {
        let happened = settings.engagement.enumerated().filter { kinds.contains($0.element.value.on.value) }
        let groups = Set(happened.compactMap { $0.element.value.group?.value })
        if !groups.isEmpty { try tx.scratchTable("scoring_candidates", columns: ScoringRules.candidateColumns) }
        for (number, rule) in happened {
            let relation = tx.relation(of: rule.value.on.value)
            let sql = ScoringRules.engagement(rule.value, number: number, from: relation)
            try tx.db.cachedStatement(sql: sql).execute(arguments: [
                "rule": rule.name, "points": rule.value.points, "half_life": rule.value.halfLife?.seconds,
                "fade": rule.value.fades?.seconds, "lifetime": rule.value.lasts?.seconds,
                "group": rule.value.group?.value,
            ])
        }
        for group in settings.groups where groups.contains(group.name) {
            try tx.db.cachedStatement(sql: ScoringRules.capped(group.value)).execute(arguments: ["group": group.name])
        }
    }
}
