import Testing

@testable import DripSequencer

@Suite struct DifferenceTests {
    private static func difference(_ first: (Int, Int), _ second: (Int, Int)) -> Difference {
        Difference(
            first: BetaPosterior(ArmTally(sent: first.1, converted: first.0)),
            second: BetaPosterior(ArmTally(sent: second.1, converted: second.0)))
    }

    /// Computed with scipy.integrate.quad and scipy.optimize.brentq.
    @Test func `the interval is that of scipy`() {
        let references: [((Int, Int), (Int, Int), Double, Double)] = [
            ((50, 412), (33, 409), -0.0007022912111056755, 0.08205920097336682),
            ((130, 1000), (10, 100), -0.046645709723092135, 0.07973160247631558),
            ((3, 1000), (0, 150), -0.020418719104720696, 0.006197564137879423),
        ]
        for (first, second, low, high) in references {
            let interval = Self.difference(first, second).interval()
            #expect(abs(interval.lowerBound - low) < 1e-9)
            #expect(abs(interval.upperBound - high) < 1e-9)
        }
    }

    @Test func `the other way round it is the same with the other sign`() {
        let one = Self.difference((50, 412), (33, 409))
        let other = Self.difference((33, 409), (50, 412))
        #expect(abs(one.interval().lowerBound + other.interval().upperBound) < 1e-9)
        #expect(abs(one.chanceAboveZero + other.chanceAboveZero - 1) < 1e-12)
        #expect(abs(one.cumulative(0) - other.chanceAboveZero) < 1e-10)
    }

    @Test func `the probability rises from 0 to 1`() {
        for pair in [((0, 0), (0, 0)), ((0, 100), (3, 5)), ((500, 1000), (90_000, 1_000_000))] {
            let chances = (-100...100).map { Self.difference(pair.0, pair.1).cumulative(Double($0) / 100) }
            #expect(chances.first == 0 && chances.last == 1)
            #expect(zip(chances, chances.dropFirst()).allSatisfy { $0 <= $1 + 1e-14 })
        }
    }

    @Test func `two rates are alike when the interval of their difference lies within the margin on both sides`() {
        let alike = Self.difference((1000, 10_000), (1010, 10_000))
        let interval = alike.interval()
        #expect(alike.isWithin(-interval.lowerBound + 1e-6))
        #expect(!alike.isWithin(-interval.lowerBound - 1e-6))
        let turned = Self.difference((1010, 10_000), (1000, 10_000))
        #expect(turned.isWithin(turned.interval().upperBound + 1e-6))
        #expect(!turned.isWithin(turned.interval().upperBound - 1e-6))
        #expect(!alike.isWithin(0) && !alike.isWithin(.nan))
    }
}
