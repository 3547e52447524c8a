import Foundation

/// How likely a lead converts, by what is known of it: 1 / (1 + e^-(intercept + sum of weights)).
///
/// Fitted by Newton's method, which for this model is iteratively reweighted least squares (Hastie, Tibshirani,
/// Friedman, The Elements of Statistical Learning, 2nd edition, section 4.4.1), with the square of the weights as a
/// penalty (section 18.4). The penalty makes the answer unique and finite where a rule alone tells the outcome, or two
/// rules say the same. The intercept bears no penalty: it is the share of conversions.
struct LogisticRegression: Sendable {
    let intercept: Double
    let weights: [Double]
    /// The square of each weight beside its variance: how much of the fit would go with it (Wald's statistic).
    let importance: [Double]
    /// Whether the steps came to rest; false only after ``roundsMax`` of them.
    let isSettled: Bool

    /// Newton's method takes about 8 rounds; a step that overshoots is halved, so that each round gains.
    static let roundsMax = 100
    private static let halvingsMax = 40
    /// Further from even than 1 to 10^13, a chance is as good as certain, and its logarithm still finite.
    private static let oddsMax = 30.0

    /// - Parameters:
    ///   - trials: how many leads each row stands for.
    ///   - successes: how many of them converted.
    ///   - penalty: half of it times the squared weights is added to the loss. 1 is the default of other programs
    ///     (`C=1` in scikit-learn).
    ///   - start: weights to begin from, intercept last, where some are known that are not far off.
    init(_ rows: SparseRows, trials: [Double], successes: [Double], penalty: Double = 1, start: [Double]? = nil) {
        let size = rows.columnCount + 1
        let all = trials.reduce(0, +)
        let converted = successes.reduce(0, +)
        guard converted > 0, converted < all else {
            // Nothing to tell apart. Half a lead on each side keeps the odds finite.
            intercept = log((converted + 0.5) / (all - converted + 0.5))
            weights = [Double](repeating: 0, count: rows.columnCount)
            importance = weights
            isSettled = true
            return
        }
        let problem = Problem(rows: rows, trials: trials, successes: successes, penalty: max(penalty, 1e-6))
        var point = [Double](repeating: 0, count: size)
        point[size - 1] = log(converted / (all - converted))
        if let start, start.count == size, start.allSatisfy(\.isFinite) { point = start }
        var loss = problem.loss(point)
        var settled = false
        for _ in 0..<LogisticRegression.roundsMax where !settled {
            let slope = problem.slope(point)
            let step = CholeskyFactor(slope.curvature, size: size).solve(slope.gradient)
            (point, loss, settled) = LogisticRegression.walk(from: point, loss, step, problem)
        }
        let variances = CholeskyFactor(problem.slope(point).curvature, size: size).inverseDiagonal()
        intercept = point[size - 1]
        weights = Array(point.dropLast())
        importance = zip(weights, variances).map { $1 > 0 ? $0 * $0 / $1 : 0 }
        isSettled = settled
    }

    /// The furthest of a step, its half, its quarter … that makes the loss smaller.
    private static func walk(
        from point: [Double], _ loss: Double, _ step: [Double], _ problem: Problem
    ) -> ([Double], Double, Bool) {
        var share = 1.0
        for _ in 0..<halvingsMax {
            let next = zip(point, step).map { $0 - share * $1 }
            let nextLoss = problem.loss(next)
            if nextLoss <= loss {
                return (next, nextLoss, loss - nextLoss <= 1e-10 * (abs(loss) + 1))
            }
            share /= 2
        }
        return (point, loss, true)
    }

    /// The chance of a row, from 0 to 1.
    func chance(_ rows: SparseRows, _ row: Int) -> Double {
        LogisticRegression.chance(logOdds: intercept + rows.product(row, weights))
    }

    static func chance(logOdds: Double) -> Double {
        1 / (1 + exp(-min(max(logOdds, -oddsMax), oddsMax)))
    }

    /// The loss and its slopes at a point; the intercept stands last.
    private struct Problem {
        let rows: SparseRows
        let trials: [Double]
        let successes: [Double]
        let penalty: Double

        func loss(_ point: [Double]) -> Double {
            let last = rows.columnCount
            var sum = 0.0
            for row in 0..<rows.count {
                let odds = point[last] + rows.product(row, point)
                // log(1 + e^odds), written so that it neither overflows nor rounds to nothing.
                sum += trials[row] * (max(odds, 0) + log1p(exp(-abs(odds)))) - successes[row] * odds
            }
            var squares = 0.0
            for column in 0..<last { squares += point[column] * point[column] }
            let loss = sum + penalty / 2 * squares
            return loss.isFinite ? loss : .infinity
        }

        func slope(_ point: [Double]) -> (gradient: [Double], curvature: [Double]) {
            let last = rows.columnCount
            let size = last + 1
            var gradient = [Double](repeating: 0, count: size)
            var curvature = [Double](repeating: 0, count: size * size)
            for row in 0..<rows.count {
                let chance = LogisticRegression.chance(logOdds: point[last] + rows.product(row, point))
                let residual = trials[row] * chance - successes[row]
                let weight = trials[row] * chance * (1 - chance)
                gradient[last] += residual
                curvature[last * size + last] += weight
                for place in rows.starts[row]..<rows.starts[row + 1] {
                    let column = Int(rows.columns[place])
                    let value = rows.values[place]
                    gradient[column] += residual * value
                    curvature[last * size + column] += weight * value
                    for other in rows.starts[row]...place {
                        // Columns of a row ascend, so this is the lower triangle.
                        curvature[column * size + Int(rows.columns[other])] += weight * value * rows.values[other]
                    }
                }
            }
            for column in 0..<last {
                gradient[column] += penalty * point[column]
                curvature[column * size + column] += penalty
            }
            return (gradient, curvature)
        }
    }
}
