import Foundation
import TrellisKernel

/// The figures a team steers by: small tables kept from the log, and views over them with their denominators stated.
///
/// It is on without a section in the config, because its views are how an analyst reads the CRM. It knows no other
/// plugin: what they did it reads from the log, and two of their tables it borrows where they are there.
public struct Figures: Plugin {
    public static let name = "figures"
    public static let summary = "Spend, outcomes, KPIs and the four ladders, kept from the log."
    public static let isOnByDefault = true
    public static var migrations: MigrationFolder { MigrationFolder(owner: name, files: EmbeddedMigrations.files) }
    public static var views: [ViewFile] { EmbeddedViews.files }
    /// An erased lead keeps its row, which names nobody: nothing else tells how it had come.
    public static let rebuilds: [String]? = [
        "figures_days", "figures_cohorts", "figures_contents", "figures_forms", "figures_handoffs", "figures_offers",
        "figures_answers", "figures_answer_bands", "figures_months", "figures_content_months", "figures_form_months",
        "figures_closed_deals", "figures_earnings", "figures_cycles", "figures_silences",
        "figures_stages WHERE lead NOT IN (SELECT lead FROM figures_leads WHERE is_erased)",
        "figures_credits WHERE lead NOT IN (SELECT lead FROM figures_leads WHERE is_erased)",
        "figures_leads WHERE NOT is_erased",
    ]
    public static let personal = ["figures_handoffs.reason"]
    public static let borrowedViews = [
        BorrowedView(
            "figures_page_views", of: "magnets_views",
            "SELECT day, magnet, variant, channel, views FROM magnets_views WHERE magnet <> ''"),
        BorrowedView(
            "figures_tests", of: "drip_arms",
            """
            SELECT sequence, test, arm, arm = '' AS is_holdout, count(*) AS leads, count(converted_at) AS outcomes
            FROM drip_arms GROUP BY sequence, test, arm
            """),
    ]
    public static var pages: [String: String] { EmbeddedPages.files }
    /// The stages as they are now, in their order.
    private static let stageOrder =
        "SELECT coalesce(group_concat(stage, ' '), '') FROM (SELECT stage FROM figures_stage_order ORDER BY position)"
    /// Whether the figures were counted by these stages: between another list of stages and the next worker, and while
    /// the plugin is off, they were not.
    private static let isCounted = "coalesce((SELECT stages FROM figures_basis), '') IN ('', (\(stageOrder)))"

    public static let invariants = [
        Invariant(
            "the figures of each day are the sum of their leads",
            violations: """
                SELECT day, channel, campaign, step, sum(leads) AS off FROM (
                    SELECT day, channel, campaign, step, leads FROM figures_days
                    UNION ALL SELECT day, channel, campaign, step, -count(*) FROM figures_steps GROUP BY 1, 2, 3, 4)
                WHERE \(isCounted) GROUP BY 1, 2, 3, 4 HAVING sum(leads) <> 0
                """),
        Invariant(
            "the figures of each cohort are the sum of their leads",
            violations: """
                SELECT month, channel, campaign, step, sum(leads) AS off FROM (
                    SELECT month, channel, campaign, step, leads FROM figures_cohorts
                    UNION ALL
                    SELECT substr(arrived_on, 1, 7), channel, campaign, step, -count(*) FROM figures_steps GROUP BY 1, 2, 3, 4)
                WHERE \(isCounted) GROUP BY 1, 2, 3, 4 HAVING sum(leads) <> 0
                """),
        Invariant(
            "the credit of each purchase is one",
            violations: """
                SELECT lead, sum(first_touch), sum(last_touch), sum(linear), sum(position) FROM figures_credits GROUP BY lead
                HAVING abs(sum(first_touch) - 1) + abs(sum(last_touch) - 1) + abs(sum(linear) - 1) + abs(sum(position) - 1) > 0.000001
                """),
        Invariant(
            "each credit stands in the month of its purchase",
            violations: """
                SELECT lead, month FROM figures_credits AS c
                WHERE month IS NOT (SELECT substr(bought_on, 1, 7) FROM figures_leads WHERE lead = c.lead)
                """),
        Invariant(
            "the answers to handoffs are as their times say",
            violations: """
                SELECT lead, cycle, offer FROM figures_answered AS t LEFT JOIN figures_answers AS k USING (lead, cycle, offer)
                WHERE (k.month, k.rep, k.hours, k.is_accepted, k.is_rejected) IS NOT (t.month, t.rep, t.hours, t.is_accepted, t.is_rejected)
                UNION ALL
                SELECT NULL, NULL, count(*) FROM figures_answers HAVING count(*) <> (SELECT count(*) FROM figures_answered)
                """),
        Invariant(
            "the bands of answers are the sum of the answers",
            violations: """
                SELECT month, rep, band, sum(handoffs) AS off FROM (
                    WITH bounds AS MATERIALIZED (SELECT band, begins FROM figures_bands)
                    SELECT month, rep, band, handoffs, accepted, rejected FROM figures_answer_bands
                    UNION ALL
                    SELECT month, rep, (SELECT coalesce(max(band), 0) FROM bounds WHERE begins <= hours), -1, -is_accepted, -is_rejected
                    FROM figures_answers)
                GROUP BY 1, 2, 3 HAVING sum(handoffs) <> 0 OR sum(accepted) <> 0 OR sum(rejected) <> 0
                """),
        Invariant(
            "the figures of each month are the sum of its days",
            violations: """
                SELECT month, channel, campaign, step, sum(leads) AS off FROM (
                    SELECT month, channel, campaign, step, leads FROM figures_months
                    UNION ALL SELECT substr(day, 1, 7), channel, campaign, step, -leads FROM figures_days)
                GROUP BY 1, 2, 3, 4 HAVING sum(leads) <> 0
                UNION ALL
                SELECT month, kind, content, measure, sum(count) FROM (
                    SELECT month, kind, content, sequence, stage, measure, count FROM figures_content_months
                    UNION ALL SELECT substr(day, 1, 7), kind, content, sequence, stage, measure, -count FROM figures_contents)
                GROUP BY month, kind, content, sequence, stage, measure HAVING sum(count) <> 0
                UNION ALL
                SELECT month, form, channel, measure, sum(count) FROM (
                    SELECT month, form, channel, measure, count FROM figures_form_months
                    UNION ALL SELECT substr(day, 1, 7), form, channel, measure, -count FROM figures_forms)
                GROUP BY 1, 2, 3, 4 HAVING sum(count) <> 0
                """),
        Invariant(
            "the silences are those of the leads that may still buy",
            violations: """
                SELECT day, sum(leads) AS off FROM (
                    SELECT day, leads FROM figures_silences
                    UNION ALL SELECT coalesce(heard_on, arrived_on), -1 FROM figures_leads WHERE bought_on IS NULL AND NOT is_erased)
                GROUP BY day HAVING sum(leads) <> 0
                """),
        Invariant(
            "the sales cycles are those of the won deals",
            violations: """
                SELECT measure, scope, month, channel, days, sum(deals) AS off FROM (
                    SELECT measure, scope, month, channel, days, deals FROM figures_cycles
                    UNION ALL SELECT measure, scope, month, channel, days, -1 FROM figures_timed)
                GROUP BY 1, 2, 3, 4, 5 HAVING sum(deals) <> 0
                """),
        Invariant(
            "the earnings of each won deal are its amount",
            violations: """
                SELECT d.opportunity_id, d.amount, sum(e.first_touch), sum(e.last_touch), sum(e.linear), sum(e.position)
                FROM figures_closed_deals AS d LEFT JOIN figures_earnings AS e ON e.opportunity_id = d.opportunity_id
                WHERE d.is_won GROUP BY d.opportunity_id
                HAVING count(e.opportunity_id) = 0 OR abs(sum(e.first_touch) - d.amount) + abs(sum(e.last_touch) - d.amount)
                    + abs(sum(e.linear) - d.amount) + abs(sum(e.position) - d.amount) > 0.000001 * max(1, abs(d.amount))
                UNION ALL
                SELECT opportunity_id, NULL, NULL, NULL, NULL, NULL FROM figures_earnings
                WHERE opportunity_id NOT IN (SELECT opportunity_id FROM figures_closed_deals WHERE is_won)
                """),
        DealRoll.isAsItIs,
    ]

    let settings: FiguresSettings

    public init(settings: FiguresSettings) {
        self.settings = settings
    }

    public func check(_ check: ConfigCheck) {
        for kind in settings.activities { check.kind(kind) }
    }

    @HookBuilder public var hooks: [any Hook] {
        Subscribe("count", to: kinds, from: .firstEvent) { _, tx in
            let kinds = try tx.kindsInBatch()
            try LeadRoll(words: ContentRoll.words(visits), tx: tx).keep(kinds)
            try ContentRoll(visits: visits, tx: tx).keep(kinds)
            try HandoffRoll(tx: tx).keep(kinds)
            try DealRoll(tx: tx).keep(kinds)
        }
        Answer("period-report", PeriodReport.self) { question, db in [try PeriodPage(question, db).document()] }
    }

    /// A stage that came, went or moved changes what every figure means: they are then counted anew.
    public func begin(since _: Date?, _ tx: Transaction) throws {
        let was = try String.fetchOne(tx.db, sql: "SELECT stages FROM figures_basis")
        let stages = try String.fetchOne(tx.db, sql: Figures.stageOrder)
        try tx.db.execute(
            sql: "UPDATE figures_basis SET attribution = :model WHERE attribution <> :model",
            arguments: ["model": settings.attribution])
        guard was != stages else { return }
        try tx.db.execute(sql: "DELETE FROM figures_basis")
        try tx.db.execute(
            sql: "INSERT INTO figures_basis (stages, attribution) VALUES (?, ?)",
            arguments: [stages, settings.attribution])
        if was != nil { try Rebuild.toStart(Figures.self, tx) }
    }

    public var commands: [Command] { SpendCommands().all }

    /// What people do for themselves, as kinds of event; the site's own activities are named in the config.
    private var visits: [String] {
        ContentRoll.visits + settings.activities.map(\.value).filter { !ContentRoll.visits.contains($0) }
    }

    private var kinds: [String] {
        Set(LeadRoll.kinds + ContentRoll.mailKinds + visits + HandoffRoll.kinds).sorted()
    }
}

extension Transaction {
    /// Runs a statement that is prepared once.
    func run(_ sql: String) throws {
        try db.cachedStatement(sql: sql).execute()
    }
}

/// `plugins.figures` in the config.
public struct FiguresSettings: SettingsRecord {
    public var activities: [LocatedText] = []
    public var attribution = "first"
    public init() {}

    public static var fields: [SettingsField<Self>] {
        SettingsField(
            "activities", \.activities, .list(of: .locatedText),
            "Activities of the site that count as engagement: [demo.booked].")
        SettingsField(
            "attribution", \.attribution, .word(["first", "last", "linear", "position"]),
            "By which touches the ladders and the report credit a customer and the revenue to a road.")
    }
}
