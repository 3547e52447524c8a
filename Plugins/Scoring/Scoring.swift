import TrellisKernel

/// Scores leads by rules, in a ledger: every total is the sum of rows that name their rule and their event.
public struct Scoring: Plugin {
    public static let name = "scoring"
    public static let summary = "Points by rules over what a lead is and does; thresholds move the stage."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static let rebuilds: [String]? = ["scoring_entries", "scoring_scores"]
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "score": "SELECT round(score, 1) FROM scoring_scores WHERE lead_id = leads.id",
            "fit": "SELECT fit FROM scoring_scores WHERE lead_id = leads.id",
            "engagement": "SELECT round(engagement, 1) FROM scoring_scores WHERE lead_id = leads.id",
        ]
    }
    public static let invariants = [
        Invariant(
            "the score of a lead is the sum of its entries",
            violations: """
                SELECT lead_id, score, total FROM scoring_scores
                JOIN (SELECT lead_id AS id, sum(points) AS total FROM scoring_entries GROUP BY lead_id) ON id = lead_id
                WHERE NOT decays AND score <> total
                """),
        Invariant(
            "a fit rule counts once",
            violations: """
                SELECT lead_id, rule, total FROM (
                    SELECT lead_id, rule, sum(points) AS total, max(abs(points)) AS most FROM scoring_entries WHERE axis = 'fit' GROUP BY lead_id, rule)
                WHERE abs(total) > most
                """),
        Invariant(
            "an event counts once per rule",
            violations: """
                SELECT rule, event_id FROM scoring_entries WHERE axis = 'engagement' GROUP BY rule, event_id, lead_id HAVING count(*) > 1
                """),
    ]

    let rules: ScoringRules

    public init(settings: ScoringSettings) {
        rules = ScoringRules(settings)
    }

    public func check(_ check: ConfigCheck) {
        for rule in rules.settings.fit { check.leadPredicate(rule.value.when) }
        for rule in rules.settings.engagement {
            check.kind(rule.value.on)
            if let condition = rule.value.condition { check.eventPredicate(condition, kind: rule.value.on.value) }
        }
        for threshold in rules.settings.thresholds { check.stage(Located(threshold.name, at: threshold.place)) }
    }

    @HookBuilder public var hooks: [any Hook] {
        Subscribe("score", to: rules.kinds, from: .firstEvent) { _, tx in
            try Ledger(rules: rules, tx: tx).post()
        }
        Answer("card-line", LeadCard.self) { card, db in try ScoreCard(leadID: card.leadID).lines(db) }
        Answer("top-leads", Report.self) { _, db in [ReportSection("Top ten by score", try ScoreCard.top(10, db))] }
    }

    public var commands: [Command] {
        [
            Command("scoring", "The rules, how many leads each fits, and the points it gave.") { call in
                .table(try call.kernel.read { try ScoreCard.rules($0) })
            },
            Command(
                "scoring explain", "Why a lead has its score: every entry with its rule and event.", arguments: ["LEAD"]
            ) { call in
                try call.kernel.read { db in
                    let lead = try LeadReference(call.arguments[0]).find(db)
                    return .tableWithNote(
                        try ScoreCard(leadID: lead).entries(db),
                        try ScoreCard(leadID: lead).lines(db).first?.text ?? "No points yet.")
                }
            },
        ] + BacktestCommands(settings: rules.settings).all
    }
}
