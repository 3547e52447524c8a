import Foundation
import TrellisKernel

/// `trellis scoring backtest` and `trellis scoring fit`: the rules held against outcomes, and learnt from them.
struct BacktestCommands {
    let settings: ScoringSettings

    var all: [Command] {
        [
            Command(
                "scoring backtest", "Hold the rules against what became of the leads: lift, AUC, thresholds.",
                options: [
                    "outcome": "stage:NAME, opportunity:won or column:NAME=VALUE (default stage:customer)",
                    "as-of": "Leads as they stood then, and what came of them since",
                    "older-than": "Leave out leads younger than this, such as 90d",
                    "precision": "Suggest the lowest threshold above which so many convert, such as 0.5",
                    "per-week": "Suggest the lowest threshold that at most so many leads a week pass",
                    "leads-per-week": "How many leads come a week, where they came by an import",
                    "model": ScoringCommands.modelHelp,
                    "folds": "Groups for cross-validation (default 5)",
                    "seed": "Of the groups (default 7)",
                    "svg": "Draw precision, recall and calibration into this file",
                    "show": "rules (default), model, thresholds or calibration, as the table",
                ]
            ) { call in try backtest(call) },
            Command(
                "scoring fit", "Learn rules and points from what became of the leads; prints YAML to paste.",
                options: [
                    "outcome": "stage:NAME, opportunity:won or column:NAME=VALUE (default stage:customer)",
                    "columns": "Columns to make rules from, with commas (default: all that may tell something)",
                    "rules": "How many rules at most (default 25)",
                    "as-of": "Leads as they stood then, and what came of them since",
                    "older-than": "Leave out leads younger than this, such as 90d",
                    "precision": "Suggest the lowest threshold above which so many convert, such as 0.5",
                    "per-week": "Suggest the lowest threshold that at most so many leads a week pass",
                    "leads-per-week": "How many leads come a week, where they came by an import",
                    "model": ScoringCommands.modelHelp,
                    "folds": "Groups for cross-validation (default 5)",
                    "seed": "Of the groups (default 7)",
                    "svg": "Draw precision, recall and calibration into this file",
                ]
            ) { call in .text(try fit(call)) },
        ]
    }

    private func backtest(_ call: CommandCall) throws -> CommandResult {
        let options = try BacktestOptions(call.options)
        let model = try settings.model(call.options["model"])
        guard !model.fit.isEmpty || !model.engagement.isEmpty else {
            throw KernelError.usage(
                "There are no rules to test: \(model.section) has neither fit: nor engagement:. 'trellis scoring fit' learns some."
            )
        }
        let backtest = try call.kernel.read { db in
            try Backtest(model, BacktestCommands.scope(options, call, db), options, db)
        }
        if let path = options.svg {
            try backtest.report.draw(into: path, title: "Scores held against outcomes")
        }
        switch options.show {
        case .rules: return .tableWithNote(backtest.rules, "\n" + backtest.note)
        case .model: return .table(backtest.report.model)
        case .thresholds: return .table(backtest.report.thresholds)
        case .calibration: return .table(backtest.report.calibrationTable)
        }
    }

    private func fit(_ call: CommandCall) throws -> String {
        let options = try BacktestOptions(call.options)
        let model = try settings.model(call.options["model"])
        let yaml = try call.kernel.read { db in
            let scope = try BacktestCommands.scope(options, call, db)
            let count = try Int.fetchOne(
                db, sql: "\(scope.with) SELECT count(*) FROM outcomes", arguments: scope.arguments)
            let leadsMin = max(BacktestCommands.leadsOfRuleMin, (count ?? 0) / 200)
            let candidates = ColumnCandidates(scope: scope, leadsMin: leadsMin, db: db)
            var columns = try candidates.columns(named: options.columns)
            var changed: [(column: String, leads: Int)] = []
            if options.columns == nil {
                changed = try candidates.changedAfterwards().filter { columns.contains($0.column) }
                columns.removeAll { column in changed.contains { $0.column == column } }
            }
            let fit = try RuleFit(
                model,
                candidates: try candidates.conditions(columns, besides: model.fit.map(\.name)), leadsMin: leadsMin,
                scope, options, db)
            return FittedYAML(
                fit: fit, scope: scope, model: model, threshold: try threshold(of: model, scope.outcome, db),
                changedAfterwards: changed)
        }
        if let path = options.svg { try yaml.fit.report.draw(into: path, title: "Learnt scores, cross-validated") }
        return yaml.text
    }

    /// A rule for fewer leads than this, or a two-hundredth of all, tells more about them than about the next.
    private static let leadsOfRuleMin = 20

    /// The first threshold, or the usual one; none that leads to a stage which comes with the outcome itself.
    private func threshold(of model: ScoringModel, _ outcome: Outcome, _ db: Database) throws -> String? {
        guard model.isMain else { return model.thresholds.first?.name ?? "reached" }
        let stages = try String.fetchAll(db, sql: "SELECT name FROM stages")
        let wanted = model.thresholds.first?.name ?? "mql"
        return stages.contains(wanted) && outcome != .stage(wanted) ? wanted : nil
    }

    /// What is held against what: the outcome asked for, or the last stage of the site.
    private static func scope(_ options: BacktestOptions, _ call: CommandCall, _ db: Database) throws -> OutcomeScope {
        var outcome = options.outcome
        if outcome == nil {
            let stages = try String.fetchAll(
                db, sql: "SELECT name FROM stages WHERE NOT is_side ORDER BY name = 'customer' DESC, position DESC")
            outcome = stages.first.map { .stage($0) }
        }
        let judged = outcome ?? .stage("customer")
        try judged.check(db)
        let now = call.kernel.clock.now()
        return OutcomeScope(
            outcome: judged, asOf: options.asOf,
            cameBefore: options.olderThan.map { Timestamp.text(now.addingTimeInterval(-Double($0.seconds))) })
    }
}
