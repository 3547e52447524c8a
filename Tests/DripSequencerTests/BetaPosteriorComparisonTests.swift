import Testing

@testable import DripSequencer

@Suite struct BetaPosteriorComparisonTests {
    private static func arms(_ tallies: [(converted: Int, counted: Int)]) -> [BetaPosterior] {
        tallies.map { BetaPosterior(ArmTally(sent: $0.counted, converted: $0.converted)) }
    }

    /// Computed with scipy.integrate.quad over scipy.stats.beta.
    @Test func `the chances of being best are those of scipy`() {
        let references: [(arms: [(Int, Int)], chances: [Double])] = [
            ([(50, 412), (33, 409)], [0.9729903739875968, 0.02700962601240154]),
            ([(10, 100), (10, 100)], [0.5, 0.5]),
            ([(0, 0), (5, 100)], [0.9411764705882342, 0.058823529411764296]),
            ([(20, 1000), (30, 1000)], [0.0777066912898006, 0.922293308710198]),
            (
                [(50, 412), (33, 409), (40, 400)],
                [0.8202908376642688, 0.016504551742770567, 0.16320461059295793]
            ),
            ([(1, 10), (120_000, 1_000_000)], [0.6126993900831059, 0.3873006099168949]),
            ([(0, 100), (0, 100), (1, 100)], [0.19356858093637666, 0.19356858093637666, 0.6128628381272433]),
        ]
        for reference in references {
            let chances = BetaPosterior.chancesOfBeingBest(Self.arms(reference.arms))
            for (one, other) in zip(chances, reference.chances) {
                #expect(abs(one - other) < 1e-10, "\(reference.arms): \(one) for \(other)")
            }
        }
    }

    @Test func `the chances sum to one, and follow the arms when these change places`() {
        let arms = Self.arms([(3, 40), (100, 900), (0, 0), (1000, 10_000), (7, 70)])
        let chances = BetaPosterior.chancesOfBeingBest(arms)
        let turned = BetaPosterior.chancesOfBeingBest(arms.reversed())
        #expect(abs(chances.reduce(0, +) - 1) < 1e-12)
        for (one, other) in zip(chances, turned.reversed()) { #expect(abs(one - other) < 1e-12) }
        // The integrals themselves, before they are brought to a sum of one.
        let whole = arms[0].expectation(between: arms.flatMap(\.breaks)) { _ in 1 }
        #expect(abs(whole - 1) < 1e-12)
    }

    @Test func `each conversion more makes an arm likelier to be the best`() {
        let chances = (0...60).map { converted in
            let arms = Self.arms([(converted, 300), (30, 300), (25, 300)])
            return BetaPosterior.chancesOfBeingBest(arms)[0]
        }
        #expect(zip(chances, chances.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `no arm, one arm, and arms of a billion leads are no special case`() {
        #expect(BetaPosterior.chancesOfBeingBest([]) == [])
        #expect(BetaPosterior.chancesOfBeingBest(Self.arms([(1, 2)])) == [1])
        let huge = Self.arms([(120_000_000, 1_000_000_000), (120_010_000, 1_000_000_000), (0, 1_000_000_000)])
        let chances = BetaPosterior.chancesOfBeingBest(huge)
        #expect(chances.allSatisfy { $0 >= 0 && $0 <= 1 })
        // The difference is 0.688 of its deviation; the normal distribution is exact to this many digits here.
        #expect(abs(chances[1] - 0.75429) < 1e-4)
    }
}
