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
            "score.adjusted", ["adjustment": .integer, "axis": .text, "points": .integer, "model": .text],
            says: "was given {points} points of {axis} by hand"),
        EventDeclaration(
            "score.reached", ["threshold": .text, "model": .text], says: "reached the threshold {threshold} of {model}"),
        EventDeclaration(
            "score.fell", ["threshold": .text, "model": .text], says: "fell below the threshold {threshold} of {model}"),
        EventDeclaration("scoring.review_due", says: "the scores were due to be looked at"),
        EventDeclaration(Rechecks.kind, says: "the thresholds that ask the clock were due to be looked at"),
    ]
    public static let personal = ["scoring_adjustments.reason"]
    /// A total stays until the lead's turn comes: so whoever watches totals hears of those alone that change.
    public static let rebuilds: [String]? = [
        "scoring_ledger", "scoring_standings", "scoring_clocks",
    ]
    public static var cardColumns: KeyValuePairs<String, String> {
        [
            "score": "SELECT round(s.fit + \(engagement), 1) FROM scoring_scores AS s WHERE s.lead_id = leads.id",
            "fit": "SELECT fit FROM scoring_scores WHERE lead_id = leads.id",
            "engagement": "SELECT round(\(engagement), 1) FROM scoring_scores AS s WHERE s.lead_id = leads.id",
            "grade": """
            SELECT g.grade FROM scoring_grades AS g JOIN scoring_scores AS s ON s.lead_id = leads.id AND g.least_fit <= s.fit
            WHERE g.model = 'main' ORDER BY g.least_fit DESC LIMIT 1
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
                SELECT s.lead_id, s.model, s.score, total FROM scoring_totals AS s
                JOIN (SELECT lead_id, model, sum(points) AS total FROM scoring_ledger GROUP BY lead_id, model) AS e
                    ON e.lead_id = s.lead_id AND e.model = s.model
                WHERE NOT s.decays AND s.score <> total
                """),
        Invariant(
            "where points decay too, as of the moment the score names",
            violations: """
                SELECT lead_id, model, score, total FROM (
                    SELECT s.lead_id, s.model, s.score, (
                        SELECT sum(CASE e.axis WHEN 'fit' THEN e.points
                                                       ELSE \(Weight.points("e", at: "s.as_of")) END)
                        FROM scoring_ledger AS e WHERE e.lead_id = s.lead_id AND e.model = s.model) AS total
                    FROM scoring_totals AS s WHERE s.decays)
                WHERE abs(score - total) > 0.001
                """),
        Invariant(
            "a fit rule counts once, for every lead that is not in the trash",
            violations: """
                SELECT lead_id, model, rule, total FROM (
                    SELECT lead_id, model, rule, sum(points) AS total, max(abs(points)) AS most FROM scoring_ledger
                    WHERE axis = 'fit' AND rule <> '\(Adjustment.rule)' AND lead_id IN (SELECT id FROM leads) GROUP BY lead_id, model, rule)
                WHERE abs(total) > most
                """),
        Invariant(
            "an event counts once per rule",
            violations: """
                SELECT model, rule, event_id FROM scoring_ledger WHERE axis = 'engagement' AND rule <> '\(Idleness.rule)'
                GROUP BY rule, event_id, lead_id, model HAVING count(*) > 1
                """),
    ]

    let settings: ScoringSettings
    /// Of each model.
    let rules: [ScoringRules]

    public init(settings: ScoringSettings) {
        self.settings = settings
        rules = settings.all.map(ScoringRules.init)
    }

    public func check(_ check: ConfigCheck) {
        for model in settings.all {
            ModelCheck.check(model, check)
            for rule in model.fit { FitCheck.check(rule.value.when, check) }
            for rule in model.engagement {
                check.kind(rule.value.on)
                if let condition = rule.value.condition { check.eventPredicate(condition, kind: rule.value.on.value) }
            }
            for threshold in model.thresholds {
                if model.isMain { check.stage(Located(threshold.name, at: threshold.place)) }
                if let stage = threshold.value.stage { check.stage(stage) }
                if let when = threshold.value.when { check.leadPredicate(when) }
            }
        }
    }

    @HookBuilder public var hooks: [any Hook] {
        Answer("plan", Plan.self) { plan, db in try ScorePlan(settings: settings, plan: plan, db: db).changes() }
        // One of each model: each follows the log on its own, so that a model added today reads it from the start.
        for rules in rules {
            Subscribe(
                rules.model.subscriberName, to: rules.kinds, from: .firstEvent,
                rereading: rules.model.followsFromEvents ? .byLead : .inOrder
            ) { batch, tx in try Ledger(rules: rules, tx: tx).post(batch) }
        }
        Answer("card-line", LeadCard.self) { card, db in
            try settings.all.flatMap { try ScoreCard(leadID: card.leadID, model: $0).lines(db) }
        }
        Answer("top-leads", Report.self) { _, db in
            [ReportSection("Top ten by score", try ScoreCard.top(10, settings.main.thresholds, db))]
        }
    }

    /// Puts the grades of the config where SQL finds them, and appoints the next look at what time alone changes.
    public func begin(since _: Date?, _ tx: Transaction) throws {
        try forgetModels(tx)
        try tx.db.execute(sql: "DELETE FROM scoring_grades")
        for model in settings.all {
            for grade in model.grades {
                try tx.db.execute(
                    sql: "INSERT INTO scoring_grades (model, grade, least_fit) VALUES (?, ?, ?)",
                    arguments: [model.name, grade.name, grade.value])
            }
        }
        try Rechecks.appoint(settings.all, tx)
    }

    /// A model that left the config goes with all it made of the log; what was given by hand stays to be read again.
    private func forgetModels(_ tx: Transaction) throws {
        let known = settings.all.map(\.literal).joined(separator: ", ")
        let gone = try String.fetchAll(
            tx.db,
            sql: """
                SELECT model FROM (
                    SELECT substr(id, length('scoring/score-') + 1) AS model FROM subscribers WHERE id GLOB 'scoring/score-*'
                    UNION SELECT model FROM scoring_totals)
                WHERE model NOT IN (\(known))
                """)
        for name in gone {
            for table in ["scoring_ledger", "scoring_totals", "scoring_standings", "scoring_clocks"] {
                try tx.db.execute(sql: "DELETE FROM \(table) WHERE model = ?", arguments: [name])
            }
            var model = ScoringModel()
            model.name = name
            try tx.forgetSubscriber(model.subscriberName)
        }
    }

    public var commands: [Command] {
        ScoringCommands(settings: settings).all + BacktestCommands(settings: settings).all
    }
}
