import Foundation
import TrellisKernel

/// Scores leads by rules, in a ledger: every total is the sum of rows that name their rule and their event.
public struct Scoring: Plugin {
    public static let name = "scoring"
    public static let summary = "Points by rules over what a lead is and does; thresholds move the stage."
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static var views: [ViewFile] { EmbeddedViews.files }
    public static let events = [
        EventDeclaration(
            "score.adjusted", ["adjustment": .integer, "axis": .text, "points": .integer],
            says: "was given {points} points of {axis} by hand"),
        EventDeclaration("score.fell", ["threshold": .text], says: "fell below the threshold {threshold}"),
        EventDeclaration("scoring.review_due", says: "the scores were due to be looked at"),
        EventDeclaration(Rechecks.kind, says: "the thresholds that ask the clock were due to be looked at"),
    ]
    public static let rebuilds: [String]? = [
        "scoring_entries", "scoring_scores", "scoring_standings", "scoring_clock",
    ]
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "score": "SELECT round(s.fit + \(engagement), 1) FROM scoring_scores AS s WHERE s.lead_id = leads.id",
            "fit": "SELECT fit FROM scoring_scores WHERE lead_id = leads.id",
            "engagement": "SELECT round(\(engagement), 1) FROM scoring_scores AS s WHERE s.lead_id = leads.id",
            "grade": """
            SELECT g.grade FROM scoring_grades AS g JOIN scoring_scores AS s ON s.lead_id = leads.id AND g.least_fit <= s.fit
            ORDER BY g.least_fit DESC LIMIT 1
            """,
        ]
    }
    /// What the engagement of `scoring_scores AS s` is worth at this moment.
    private static let engagement = """
        CASE WHEN s.decays THEN coalesce((SELECT sum(w.now) FROM scoring_weighed AS w WHERE w.lead_id = s.lead_id AND w.axis = 'engagement'), 0)
             ELSE s.engagement END
        """
    public static let invariants = [
        Invariant(
            "the score of a lead is the sum of its entries",
            violations: """
                SELECT lead_id, score, total FROM scoring_scores
                JOIN (SELECT lead_id AS id, sum(points) AS total FROM scoring_entries GROUP BY lead_id) ON id = lead_id
                WHERE NOT decays AND score <> total
                """),
        Invariant(
            "where points decay too, as of the moment the score names",
            violations: """
                SELECT lead_id, score, total FROM (
                    SELECT s.lead_id, s.score, (
                        SELECT sum(CASE e.axis WHEN 'fit' THEN e.points
                                                       ELSE \(Weight.points("e", at: "s.as_of")) END)
                        FROM scoring_entries AS e WHERE e.lead_id = s.lead_id) AS total
                    FROM scoring_scores AS s WHERE s.decays)
                WHERE abs(score - total) > 0.001
                """),
        Invariant(
            "a fit rule counts once, for every lead that is not in the trash",
            violations: """
                SELECT lead_id, rule, total FROM (
                    SELECT lead_id, rule, sum(points) AS total, max(abs(points)) AS most FROM scoring_entries
                    WHERE axis = 'fit' AND rule <> '\(Adjustment.rule)' AND lead_id IN (SELECT id FROM leads) GROUP BY lead_id, rule)
                WHERE abs(total) > most
                """),
        Invariant(
            "an event counts once per rule",
            violations: """
                SELECT rule, event_id FROM scoring_entries WHERE axis = 'engagement' AND rule <> '\(Idleness.rule)' GROUP BY rule, event_id, lead_id HAVING count(*) > 1
                """),
    ]

    let rules: ScoringRules
    /// The id of the subscriber that keeps the ledger.
    static let subscriber = "scoring/score"

    public init(settings: ScoringSettings) {
        rules = ScoringRules(settings)
    }

    public func check(_ check: ConfigCheck) {
        for rule in rules.settings.fit { check.leadPredicate(rule.value.when) }
        for rule in rules.settings.engagement {
            check.kind(rule.value.on)
            if let condition = rule.value.condition { check.eventPredicate(condition, kind: rule.value.on.value) }
        }
        for threshold in rules.settings.thresholds {
            check.stage(Located(threshold.name, at: threshold.place))
            if let when = threshold.value.when { check.leadPredicate(when) }
        }
    }

    @HookBuilder public var hooks: [any Hook] {
        Answer("plan", Plan.self, ScorePlan.changes)
        Subscribe("score", to: rules.kinds, from: .firstEvent) { _, tx in
            try Ledger(rules: rules, tx: tx).post()
        }
        Answer("card-line", LeadCard.self) { card, db in
            try ScoreCard(leadID: card.leadID, thresholds: rules.settings.thresholds).lines(db)
        }
        Answer("top-leads", Report.self) { _, db in
            [ReportSection("Top ten by score", try ScoreCard.top(10, rules.settings.thresholds, db))]
        }
    }

    /// Puts the grades of the config where SQL finds them, and appoints the next look at what time alone changes.
    public func begin(since _: Date?, _ tx: Transaction) throws {
        try tx.db.execute(sql: "DELETE FROM scoring_grades")
        for grade in rules.settings.grades {
            try tx.db.execute(sql: "INSERT INTO scoring_grades VALUES (?, ?)", arguments: [grade.name, grade.value])
        }
        try Rechecks(settings: rules.settings, tx: tx).appoint()
    }

    public var commands: [Command] {
        ScoringCommands(settings: rules.settings).all + BacktestCommands(settings: rules.settings).all
    }
}
