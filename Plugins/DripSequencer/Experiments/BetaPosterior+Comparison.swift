extension BetaPosterior {
    /// The probability of each arm to be the best of all, by integrals of its density times the chance of all others to
    /// be below. They sum to 1; one arm alone has 1.
    static func chancesOfBeingBest(_ arms: [BetaPosterior]) -> [Double] {
        guard arms.count > 1 else { return arms.map { _ in 1 } }
        let breaks = arms.flatMap(\.breaks)
        let chances = arms.indices.map { index in
            arms[index].expectation(between: breaks) { rate in
                var product = 1.0
                for other in arms.indices where other != index && product > 0 {
                    product *= arms[other].cumulative(rate)
                }
                return product
            }
        }
        let sum = chances.reduce(0, +)
        return chances.map { $0 / sum }
    }

    /// The probability that this rate is above another.
    func chance(above other: BetaPosterior) -> Double {
        BetaPosterior.chancesOfBeingBest([self, other])[0]
    }

    /// The mean of a function of the rate.
    ///
    /// - Parameter breaks: where the function bends; between two of them it is smooth.
    func expectation(between breaks: [Double], _ function: (Double) -> Double) -> Double {
        let (low, high) = (
            max(0, mean - BetaPosterior.reach * deviation), min(1, mean + BetaPosterior.reach * deviation)
        )
        let edges = (breaks + self.breaks + [low, high]).filter { $0 >= low && $0 <= high }.sorted()
        var sum = 0.0
        for (from, to) in zip(edges, edges.dropFirst()) where to > from {
            sum += Quadrature.integral(from: from, to: to) { rate in
                let density = density(rate)
                // So little adds nothing to a probability, whatever the function is.
                return density * deviation < 1e-18 ? 0 : density * function(rate)
            }
        }
        return sum
    }

    /// Where the density and its integral bend: the middle, the flanks and the tails.
    var breaks: [Double] {
        [-BetaPosterior.reach, -12, -6, -3, 0, 3, 6, 12, BetaPosterior.reach].map {
            min(1, max(0, mean + $0 * deviation))
        }
    }
}
