import TrellisKernel

/// The rules of the config held against what became of the leads.
struct Backtest {
    let observations: Observations
    let report: ModelReport
    private let scope: OutcomeScope
    /// The thresholds by which points bring the outcome about.
    private let ownThresholds: [String]

    /// Fewer of either class than this, and any figure is chance.
    static let classMin = 10

    /// - Throws: ``KernelError/data(_:)`` where too few leads of either outcome are known.
    init(_ model: ScoringModel, _ scope: OutcomeScope, _ options: BacktestOptions, _ db: Database) throws {
        self.scope = scope
        ownThresholds = try Backtest.thresholds(of: model, reaching: scope, db)
        let observations = try Observations(
            scope, of: model, db)
        try Backtest.require(Backtest.classMin, of: observations, scope.outcome, for: "a backtest")
        let (fit, scores) = observations.configuredScores()
        let folds = Folds(observations.converted, count: options.folds, seed: options.seed)
        let validation = CrossValidation(observations.converted, folds: folds) { _ in scores }
        var report = ModelReport(
            scores, observations.converted, validation, options, leadsPerWeek: observations.leadsPerWeek)
        report.configured = model.thresholds.compactMap { threshold in
            guard let score = threshold.value.score else { return nil }
            let grade = model.grades.first { $0.name == threshold.value.grade?.value }?.value
            let least = Double(max(threshold.value.fit ?? -10_000_000, grade ?? -10_000_000))
            let rows = scores.indices.filter { scores[$0] >= Double(score) && fit[$0] >= least }
            let converted = rows.count { observations.converted[$0] }
            let point = ThresholdCurve.Point(
                score: Double(score), leads: rows.count, converted: converted,
                of: observations.convertedCount)
            return (threshold.name, point)
        }
        self.observations = observations
        self.report = report
    }

    /// The thresholds by which the points of a model move a lead to the stage that is the outcome, or beyond it.
    private static func thresholds(of model: ScoringModel, reaching scope: OutcomeScope, _ db: Database) throws
        -> [String]
    {
        guard case .stage = scope.outcome else { return [] }
        let goals = try String.fetchAll(db, sql: "\(scope.with) SELECT name FROM goals", arguments: scope.arguments)
        return model.thresholds.filter { threshold in
            let asked = threshold.value
            let asksPoints = asked.score != nil || asked.fit != nil || asked.engagement != nil || asked.grade != nil
            return asksPoints && model.stage(of: threshold).map(goals.contains) == true
        }.map(\.name)
    }

    /// Enough leads that converted, and enough that did not.
    static func require(_ least: Int, of observations: Observations, _ outcome: Outcome, for purpose: String) throws {
        let converted = observations.convertedCount
        let others = observations.count - converted
        guard observations.count > 0 else {
            throw KernelError.data(
                "No lead has a known outcome (\(outcome.text)). Name another with --outcome: stage:NAME, opportunity:won or column:NAME=VALUE."
            )
        }
        guard converted >= least, others >= least else {
            throw KernelError.data(
                "Too few leads for \(purpose): \(converted) reached \(outcome.text) and \(others) did not. At least \(least) of each are needed."
            )
        }
    }

    /// A row per rule: its leads, how they convert, and how the others do.
    var rules: Table {
        let conditions = observations.conditions.enumerated().map { number, rule in
            row("fit", rule.name, rule.points ?? 0, observations.lift(ofCondition: number))
        }
        let engagement = observations.engagement.enumerated().map { number, rule in
            row("engagement", rule.name, rule.points, observations.lift(ofEngagement: number))
        }
        return Table(
            columns: [
                "axis", "rule", "points", "leads", "with_percent", "without_percent", "lift", "low", "high", "verdict",
            ], rows: conditions + engagement)
    }

    private func row(_ axis: String, _ name: String, _ points: Int, _ lift: Lift) -> [Cell] {
        let percent = { (share: Double?) -> Cell in share.map { .real(($0 * 1000).rounded() / 10) } ?? .null }
        let number = { (value: Double?) -> Cell in value.map { .real(($0 * 100).rounded() / 100) } ?? .null }
        return [
            .text(axis), .text(name), .integer(Int64(points)), .integer(Int64(lift.leads)), percent(lift.with),
            percent(lift.without), number(lift.ratio?.value), number(lift.ratio?.low), number(lift.ratio?.high),
            .text(lift.verdict(points: Double(points)).rawValue),
        ]
    }

    /// What was judged, and what to know about it, then the model.
    var note: String {
        let share = BarChart.percent(report.ranked.conversion)
        let head =
            "\(observations.count) leads with a known outcome, \(observations.convertedCount) of them converted (\(share)): \(scope.outcome.text)."
        return ([head] + caveats + report.lines).joined(separator: "\n")
    }

    private var caveats: [String] {
        var caveats = Backtest.caveats(scope, undated: observations.undated)
        if !ownThresholds.isEmpty {
            caveats.append(
                "Points move a lead to \(scope.outcome.text) themselves (thresholds: \(ownThresholds.joined(separator: ", "))): "
                    + "that the rules agree with it proves nothing. Name an outcome that is decided without them.")
        }
        if let column = scope.outcome.column {
            let readers = observations.conditions.filter { $0.when.names(column) }.map(\.name)
            if !readers.isEmpty {
                caveats.append(
                    "These rules read the outcome itself, and prove nothing: \(readers.joined(separator: ", ")).")
            }
        }
        return caveats
    }

    /// What a reader of the figures has to know about the time they are of.
    static func caveats(_ scope: OutcomeScope, undated: Int) -> [String] {
        if let asOf = scope.asOf {
            return ["Points count up to \(asOf), columns as they are now. Who had converted by then is left out."]
        }
        guard scope.outcome.isDated else {
            return [
                "When a column got its value is not known: all entries count, and columns are read as they are now."
            ]
        }
        var caveats = ["Points count up to the moment the outcome was reached."]
        if undated > 0 { caveats[0] += " Of \(undated) it is not known when: all entries of theirs count." }
        if scope.cameBefore == nil {
            caveats.append("Who has not got there yet counts as not converted; --older-than 90d leaves out the young.")
        }
        return caveats
    }
}

extension String {
    /// Whether a word of a SQL expression is this name, as SQLite compares them.
    func names(_ column: String) -> Bool {
        lowercased().split { !($0.isLetter || $0.isNumber || $0 == "_") }.contains { $0 == column.lowercased() }
    }
}
