import Foundation

/// Weights of a model as points that a person can read: whole numbers, in fives where that costs next to nothing.
struct WholePoints: Sendable {
    let points: [Int]
    /// 5 or 1: what all points are a multiple of.
    let step: Int

    /// So many points double the odds, as on the cards that banks score by (Siddiqi, Credit Risk Scorecards, 2006).
    static let doublingPoints = 20.0
    /// What rounding to fives may cost of the area under the curve.
    static let lossMax = 0.002
    /// As many as the settings take.
    private static let pointsMax = 1000.0

    init(_ weights: [Double], _ rows: SparseRows, _ converted: [Bool]) {
        let exact = weights.map { $0 * WholePoints.doublingPoints / log(2) }
        let best = WholePoints.area(exact, rows, converted)
        let fives = WholePoints.rounded(exact, to: 5)
        if WholePoints.area(fives.map(Double.init), rows, converted) >= best - WholePoints.lossMax {
            (points, step) = (fives, 5)
        } else {
            (points, step) = (WholePoints.rounded(exact, to: 1), 1)
        }
    }

    private static func rounded(_ exact: [Double], to step: Double) -> [Int] {
        exact.map { Int(min(max(($0 / step).rounded() * step, -pointsMax), pointsMax)) }
    }

    private static func area(_ weights: [Double], _ rows: SparseRows, _ converted: [Bool]) -> Double {
        let scores = (0..<rows.count).map { rows.product($0, weights) }
        return RankedScores(scores, converted).areaUnderCurve ?? 0.5
    }
}
