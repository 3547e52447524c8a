@testable import Scoring

/// Leads made by chance with known odds, the same in every run.
struct MadeLeads {
    var rows: SparseRows
    var converted: [Bool] = []

    /// - Parameters:
    ///   - weights: the true log odds of each column; every column holds for about `share` of the leads.
    ///   - intercept: the log odds of a lead of which nothing holds.
    init(_ count: Int, weights: [Double], intercept: Double, share: Double = 0.3, seed: UInt64 = 1) {
        var generator = SeededGenerator(seed: seed)
        rows = SparseRows(columnCount: weights.count)
        for _ in 0..<count {
            let held = weights.indices.filter { _ in Double.random(in: 0..<1, using: &generator) < share }
            rows.append(held.map { (column: $0, value: 1) })
            let odds = held.reduce(intercept) { $0 + weights[$1] }
            converted.append(Double.random(in: 0..<1, using: &generator) < LogisticRegression.chance(logOdds: odds))
        }
    }

    var trials: [Double] { converted.map { _ in 1 } }
    var successes: [Double] { converted.map { $0 ? 1 : 0 } }
}
