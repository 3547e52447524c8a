import TrellisKernel

/// Points learnt from what became of the leads: a regularised logistic regression over the rules of the config and
/// those that columns make, turned into few rules with whole points.
struct RuleFit {
    struct Rule {
        let condition: Condition
        let points: Int
        let lift: Lift
    }

    /// The rules about what a lead is, those with the most points first.
    let rules: [Rule]
    /// What a rule of engagement is worth beside them, and what it has in the config.
    let engagement: [(name: String, learnt: Int, rule: ScoringModel.EngagementRule)]
    /// Rules of the config that told nothing beside the others.
    let dropped: [String]
    let pointsStep: Int
    /// By cross-validation: every lead is scored by rules that were chosen and weighed without it.
    let report: ModelReport
    let leads: Int
    let converted: Int
    /// How many of them the rules were learnt from.
    let learntFrom: Int
    let candidateCount: Int
    let undated: Int

    /// Fewer of either class than this, and the rules would be about these leads rather than about the next.
    static let classMin = 50
    /// More leads make the weights no truer: their error is below a point by then.
    static let leadsMax = 100_000
    /// As other programs have it (`C=1`).
    static let penalty = 1.0

    /// - Parameters:
    ///   - candidates: rules made from columns; their names differ from those of the config.
    ///   - leadsMin: a candidate that holds for fewer leads, or for all but fewer, is no ground for a rule.
    /// - Throws: ``KernelError/data(_:)`` where too few leads of either outcome are known, or nothing tells them apart.
    init(
        _ model: ScoringModel, candidates: [Condition], leadsMin: Int, _ scope: OutcomeScope,
        _ options: BacktestOptions, _ db: Database
    ) throws {
        let observations = try Observations(
            scope, of: model, candidates: candidates, db)
        try Backtest.require(RuleFit.classMin, of: observations, scope.outcome, for: "learning rules")
        let distinct = observations.distinctConditions(leadsMin: leadsMin)
        let sample = RuleFit.sample(observations.count, seed: options.seed)
        let table = observations.table(rows: sample, conditions: distinct)
        let outcomes = sample.map { observations.converted[$0] }
        let learn = { (rows: SparseRows, converted: [Bool]) in
            RuleSelection(rows, converted, most: options.rulesMax, penalty: RuleFit.penalty)
        }
        let selection = learn(table, outcomes)
        let folds = Folds(outcomes, count: options.folds, seed: options.seed)
        let validation = CrossValidation(outcomes, folds: folds) { training in
            learn(table.rows(training), training.map { outcomes[$0] }).scores(table)
        }
        let chosen = Array(zip(selection.chosen, selection.points))
        rules = chosen.filter { $0.0 < distinct.count }.map { place, points in
            let number = distinct[place]
            return Rule(
                condition: observations.conditions[number], points: points,
                lift: observations.lift(ofCondition: number))
        }.sorted { ($1.points, $0.condition.name) < ($0.points, $1.condition.name) }
        engagement = model.engagement.enumerated().map { number, rule in
            let learnt = chosen.first { $0.0 == distinct.count + number }?.1 ?? 0
            return (rule.name, learnt, rule.value)
        }
        guard !chosen.isEmpty else {
            throw KernelError.data(
                "Nothing in these columns tells who reaches \(scope.outcome.text) from who does not. Name others with --columns, or record more about the leads."
            )
        }
        let kept = Set(rules.map(\.condition.name))
        dropped = model.fit.map(\.name).filter { !kept.contains($0) }
        report = ModelReport(
            validation.scores, outcomes, validation, options, leadsPerWeek: observations.leadsPerWeek)
        pointsStep = selection.pointsStep
        leads = observations.count
        converted = observations.convertedCount
        learntFrom = sample.count
        candidateCount = distinct.count + observations.engagement.count
        undated = observations.undated
    }

    /// All leads, or so many of them by chance, ascending.
    private static func sample(_ count: Int, seed: UInt64) -> [Int] {
        guard count > leadsMax else { return Array(0..<count) }
        var generator = SeededGenerator(seed: seed)
        return generator.order(count).prefix(leadsMax).sorted()
    }
}

extension Observations {
    /// Conditions that hold for other leads than those before them, ascending: two rules for the same leads share
    /// their points, and a person cannot read why. One that holds for exactly the others says the same, turned round.
    /// Rules of the config may be about few leads, those made from columns may not.
    func distinctConditions(leadsMin: Int) -> [Int] {
        // A random number per lead, summed where the condition holds: equal sums are equal sets of leads.
        var generator = SeededGenerator(seed: 1)
        var sums = [UInt64](repeating: 0, count: conditions.count)
        var held = [Int](repeating: 0, count: conditions.count)
        var total: UInt64 = 0
        for row in 0..<count {
            let number = generator.next()
            total &+= number
            for condition in conditions.indices where holds(condition, row: row) {
                sums[condition] &+= number
                held[condition] += 1
            }
        }
        var seen: Set<UInt64> = [0, total]
        return conditions.indices.filter { condition in
            let isCommon = min(held[condition], count - held[condition]) >= leadsMin
            guard conditions[condition].isConfigured || isCommon else { return false }
            guard !seen.contains(sums[condition]), !seen.contains(total &- sums[condition]) else { return false }
            seen.insert(sums[condition])
            return true
        }
    }
}
