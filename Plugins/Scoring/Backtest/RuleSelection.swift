import Foundation

/// Chooses few rules out of many candidates and gives them points.
///
/// Backward elimination: all candidates begin in one penalised model, and those that carry the least of it (Wald's
/// statistic) leave, at most a tenth at a time, until no more than asked for are left. It goes on while the least
/// useful one is worth less than Schwarz's criterion asks of a further number, the logarithm of the count of leads:
/// such a rule makes the table longer and the next month's score no better.
struct RuleSelection: Sendable {
    /// The places of the chosen candidates, ascending.
    let chosen: [Int]
    /// Whole points of each, none of them 0.
    let points: [Int]
    let pointsStep: Int

    init(_ rows: SparseRows, _ converted: [Bool], most: Int, penalty: Double) {
        let outcomes = converted.map { $0 ? 1.0 : 0.0 }
        let trials = [Double](repeating: 1, count: converted.count)
        let worth = log(Double(max(2, converted.count)))
        var active = Array(0..<rows.columnCount)
        var table = rows
        var model = LogisticRegression(table, trials: trials, successes: outcomes, penalty: penalty)
        while let leaving = RuleSelection.leaving(model.importance, most: most, worth: worth) {
            let kept = active.indices.filter { !leaving.contains($0) }
            let start = kept.map { model.weights[$0] } + [model.intercept]
            table = table.selecting(kept)
            active = kept.map { active[$0] }
            model = LogisticRegression(table, trials: trials, successes: outcomes, penalty: penalty, start: start)
        }
        let whole = WholePoints(model.weights, table, converted)
        let telling = active.indices.filter { whole.points[$0] != 0 }
        chosen = telling.map { active[$0] }
        points = telling.map { whole.points[$0] }
        pointsStep = whole.step
    }

    /// The places that leave next; nil where all that are left may stay.
    private static func leaving(_ importance: [Double], most: Int, worth: Double) -> Set<Int>? {
        let ranked = importance.indices.sorted { (importance[$0], $0) < (importance[$1], $1) }
        let tenth = max(1, importance.count / 10)
        let excess = importance.count - max(0, most)
        if excess > 0 { return Set(ranked.prefix(min(excess, tenth))) }
        let worthless = ranked.prefix(tenth).prefix { importance[$0] < worth }
        return worthless.isEmpty ? nil : Set(worthless)
    }

    /// The scores of all rows.
    func scores(_ rows: SparseRows) -> [Double] {
        var weights = [Double](repeating: 0, count: rows.columnCount)
        for (place, value) in zip(chosen, points) { weights[place] = Double(value) }
        return (0..<rows.count).map { rows.product($0, weights) }
    }
}
