import TrellisKernel

/// Looks at thresholds whose `when` may change its answer by time alone: `trial_ends_on < date('now')`. Nothing in the
/// log says when that is, so they are asked once an hour.
struct Rechecks {
    let model: ScoringModel
    let tx: Transaction

    static let kind = "scoring.clock_due"
    /// Leads of a threshold in one transaction.
    static let most = 2000

    /// The next full hour, if there is anything to ask then.
    static func appoint(_ models: [ScoringModel], _ tx: Transaction) throws {
        guard models.contains(where: { $0.thresholds.contains(where: \.value.asksClock) }) else { return }
        try tx.schedule(
            Rechecks.kind,
            forEach: """
                SELECT '\(Rechecks.kind) ' || due AS key, due AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body
                FROM (SELECT strftime('%Y-%m-%d %H:%M:%f', (CAST(strftime('%s', :now) AS INTEGER) / 3600 + 1) * 3600, 'unixepoch') AS due)
                """, arguments: ["now": tx.stamp])
    }

    /// Fills `temp.scoring_rechecked` with the leads for which a threshold has another answer than it had.
    func begin() throws {
        try tx.scratchTable("scoring_rechecked", columns: "lead_id INTEGER PRIMARY KEY")
        var isMore = false
        for threshold in model.thresholds where threshold.value.asksClock {
            let standing =
                "SELECT lead_id FROM scoring_standings WHERE model = \(model.literal) AND threshold = \(threshold.name.sqlLiteral)"
            let above = Crossings.above(threshold.value, model, among: nil)
            let stillAbove = Crossings.above(
                threshold.value, model, among: standing, slack: threshold.value.hysteresis)
            for leads in ["\(above) EXCEPT \(standing)", "\(standing) EXCEPT \(stillAbove)"] {
                try tx.db.cachedStatement(
                    sql:
                        "INSERT OR IGNORE INTO temp.scoring_rechecked SELECT lead_id FROM (\(leads)) LIMIT \(Rechecks.most)"
                ).execute()
                if tx.db.changesCount == Rechecks.most { isMore = true }
            }
        }
        guard isMore else { return try Rechecks.appoint([model], tx) }
        try tx.schedule(
            Rechecks.kind,
            forEach: "SELECT NULL AS key, :now AS due_at, NULL AS lead_id, NULL AS cause_id, '{}' AS body",
            arguments: ["now": tx.stamp])
    }
}

extension ScoringModel.Threshold {
    /// Whether its `when` reads the clock: it says `'now'` or CURRENT_DATE, or calls a function of time with nothing.
    var asksClock: Bool {
        when?.value.contains(
            /(?i)\bnow\b|\bcurrent_(date|time|timestamp)\b|\b(date|time|datetime|julianday|unixepoch)\s*\(\s*\)/)
            == true
    }
}
