/// What is known of the difference of two rates, the first less the second.
struct Difference: Sendable {
    let first: BetaPosterior
    let second: BetaPosterior

    var mean: Double { first.mean - second.mean }
    var deviation: Double {
        (first.deviation * first.deviation + second.deviation * second.deviation).squareRoot()
    }
    /// The probability that the first rate is the higher one.
    var chanceAboveZero: Double { first.chance(above: second) }

    /// The probability that the difference is at most this.
    func cumulative(_ difference: Double) -> Double {
        guard difference > -1 else { return 0 }
        guard difference < 1 else { return 1 }
        let breaks = first.breaks.map { $0 - difference } + [-difference, 1 - difference]
        let chance = second.expectation(between: breaks) { first.cumulative($0 + difference) }
        return min(1, max(0, chance))
    }

    /// The differences that hold the true one with this probability, as much of the rest on either side.
    func interval(_ probability: Double = 0.95) -> ClosedRange<Double> {
        let rest = (1 - min(max(probability, 0), 1)) / 2
        let low = quantile(rest)
        return low...max(low, quantile(1 - rest))
    }

    /// Whether the interval of 95 % lies within a margin on both sides of zero.
    func isWithin(_ margin: Double) -> Bool {
        // Beyond 1.8 deviations lies more than the 2.5 % allowed there: no need to integrate.
        guard margin > 0, abs(mean) + 1.8 * deviation < margin else { return false }
        return cumulative(-margin) <= 0.025 && cumulative(margin) >= 0.975
    }

    /// By halving: 50 times come below 1e-14.
    private func quantile(_ probability: Double) -> Double {
        var (low, high) = (max(-1, mean - 40 * deviation), min(1, mean + 40 * deviation))
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if cumulative(middle) < probability { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
