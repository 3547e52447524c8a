import Foundation

/// How strongly the outcomes speak against two arms being equal, at whatever moment one looks.
///
/// In every round, the conversions of one arm are compared with those it would have had if both arms shared them in
/// proportion to their leads, and scattered as the hypergeometric distribution (Mantel and Haenszel, 1959). The sums
/// over rounds, S of the surplus and V of its variance, are weighed by a mixture over normal differences of log odds
/// with variance φ: the likelihood ratio e = exp(φS² / 2(1 + φV)) / √(1 + φV). Without a difference it is a martingale
/// with mean 1, so it comes to 1/α with probability α at most, however often it is looked at (Robbins, "Statistical
/// Methods Related to the Law of the Iterated Logarithm", 1970; Johari, Koomen, Pekelis and Walsh, "Always Valid
/// Inference", 2022). Shares that follow the outcomes, and seasons that change all rates, do it no harm, as each round
/// is compared in itself.
struct Evidence: Sendable {
    /// The surplus of conversions of the first arm.
    let surplus: Double
    let variance: Double

    /// φ: differences of 0.3 in log odds are what tests of mails find, such as 10 % against 13 %. Other values cost
    /// time, not truth.
    static let typicalVariance = 0.09

    init(for first: Int, over second: Int, in standings: Standings) {
        var (surplus, variance) = (0.0, 0.0)
        for round in standings.rounds.values {
            let (one, other) = (round[first], round[second])
            let (leads, others) = (Double(one.counted), Double(other.counted))
            let (all, converted) = (leads + others, Double(one.converted + other.converted))
            guard leads > 0, others > 0 else { continue }
            surplus += Double(one.converted) - leads * converted / all
            variance += leads / all * (others / all) * converted * ((all - converted) / (all - 1))
        }
        (self.surplus, self.variance) = (surplus, variance)
    }

    /// The natural logarithm of e; 0 where nothing is known.
    var logarithm: Double {
        let spread = 1 + Evidence.typicalVariance * variance
        return Evidence.typicalVariance * surplus * surplus / (2 * spread) - log(spread) / 2
    }
}
