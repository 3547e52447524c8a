import Foundation

/// Whether the chances a model gives are the chances that come true.
struct Calibration: Sendable {
    struct Part: Sendable, Equatable {
        let leads: Int
        /// The mean chance the model gave.
        let predicted: Double
        /// The share that converted.
        let seen: Double
    }

    /// About tenths of the leads, the least likely first. Leads with the same chance stay together.
    let parts: [Part]
    /// The mean squared distance of chance and outcome (Brier, Monthly Weather Review 78, 1950): 0 is certainty, and
    /// the share of conversions times its rest is what guessing that share for everybody gets.
    let brier: Double
    /// What guessing the share of conversions for everybody gets.
    let brierOfGuess: Double

    init(_ chances: [Double], _ converted: [Bool], partCount: Int = 10) {
        let ranked = RankedScores(chances, converted)
        var parts: [Part] = []
        var (leads, won, sum, seen) = (0, 0, 0.0, 0)
        var squares = 0.0
        for step in ranked.steps.reversed() {
            leads += step.leads
            seen += step.leads
            won += step.converted
            sum += step.score * Double(step.leads)
            squares += Double(step.converted) * (1 - step.score) * (1 - step.score)
            squares += Double(step.leads - step.converted) * step.score * step.score
            guard seen == ranked.leads || seen * partCount >= ranked.leads * (parts.count + 1) else { continue }
            parts.append(
                Part(leads: leads, predicted: sum / Double(leads), seen: Double(won) / Double(leads)))
            (leads, won, sum) = (0, 0, 0)
        }
        self.parts = parts
        brier = ranked.leads > 0 ? squares / Double(ranked.leads) : 0
        brierOfGuess = ranked.conversion * (1 - ranked.conversion)
    }
}

/// What a score means as a chance: a logistic curve through the outcomes (Platt, Advances in Large Margin Classifiers,
/// 1999), so that a table of points that somebody wrote by hand can be held against what came true.
struct ScoreChance: Sendable {
    private let model: LogisticRegression
    private let scale: Double

    init(_ ranked: RankedScores) {
        // The penalty is about numbers near 1, and scores may be of any size.
        let largest = ranked.steps.reduce(0) { max($0, abs($1.score)) }
        scale = largest > 0 ? largest : 1
        var rows = SparseRows(columnCount: 1)
        for step in ranked.steps { rows.append(CollectionOfOne((column: 0, value: step.score / scale))) }
        model = LogisticRegression(
            rows, trials: ranked.steps.map { Double($0.leads) }, successes: ranked.steps.map { Double($0.converted) },
            penalty: 1e-6)
    }

    func callAsFunction(_ score: Double) -> Double {
        LogisticRegression.chance(logOdds: model.intercept + (model.weights.first ?? 0) * score / scale)
    }
}
