import Testing

@testable import DripSequencer

@Suite struct BetaPosteriorTests {
    private struct Reference: Sendable {
        let tally: (converted: Int, counted: Int)
        let mean: Double
        let deviation: Double
        let low: Double
        let high: Double
        /// At one deviation above the mean.
        let cumulative: Double
    }

    /// Computed with scipy.stats.beta 1 + converted, 1 + counted − converted.
    private static let references = [
        Reference(
            tally: (0, 0), mean: 0.5, deviation: 0.28867513459481287, low: 0.025, high: 0.975,
            cumulative: 0.7886751345948129),
        Reference(
            tally: (0, 100), mean: 0.00980392156862745, deviation: 0.009708271266078407, low: 0.0002506399507392151,
            high: 0.03586462039000372, cumulative: 0.8633335431782312),
        Reference(
            tally: (8, 100), mean: 0.08823529411764706, deviation: 0.0279475630682286, low: 0.041559470279200296,
            high: 0.15011620100508763, cumulative: 0.8430406096170554),
        Reference(
            tally: (33, 409), mean: 0.0827250608272506, deviation: 0.013571245403137484, low: 0.058111584869717466,
            high: 0.11117924363716622, cumulative: 0.8418781731063163),
        Reference(
            tally: (412, 4120), mean: 0.10019408054342552, deviation: 0.004676153809233274, low: 0.09121455247957296,
            high: 0.10954103783183963, cumulative: 0.8413831348652955),
        Reference(
            tally: (100, 100), mean: 0.9901960784313726, deviation: 0.009708271266078407, low: 0.9641353796099963,
            high: 0.9997493600492607, cumulative: 0.9903853762987112),
        Reference(
            tally: (3, 1_000_000), mean: 3.999992000016e-06, deviation: 1.99999100002675e-06,
            low: 1.0898653246564695e-06, high: 8.767239021006088e-06, cumulative: 0.848795938746015),
        Reference(
            tally: (120_000_000, 1_000_000_000), mean: 0.12000000076, deviation: 1.0276186075621636e-05,
            low: 0.11997986052524763, high: 0.12002014243442896, cumulative: 0.8413447461685487),
    ]

    private static func posterior(_ converted: Int, of counted: Int) -> BetaPosterior {
        BetaPosterior(ArmTally(sent: counted, converted: converted))
    }

    @Test func `mean, deviation, interval and probability are those of scipy`() {
        for reference in Self.references {
            let posterior = Self.posterior(reference.tally.converted, of: reference.tally.counted)
            let interval = posterior.interval()
            let found = [
                posterior.mean, posterior.deviation, interval.lowerBound, interval.upperBound,
                posterior.cumulative(posterior.mean + posterior.deviation),
            ]
            let expected = [
                reference.mean, reference.deviation, reference.low, reference.high, reference.cumulative,
            ]
            for (one, other) in zip(found, expected) {
                #expect(abs(one - other) <= 2e-10 * other, "\(reference.tally): \(one) for \(other)")
            }
        }
    }

    @Test func `without an outcome every rate is as likely`() {
        let posterior = BetaPosterior()
        for rate in [0.0, 0.1, 0.5, 1] {
            #expect(abs(posterior.cumulative(rate) - rate) < 1e-14)
            #expect(abs(posterior.density(rate) - 1) < 1e-13)
        }
    }

    @Test func `the probability rises from 0 to 1, and the quantile is its inverse`() {
        for (converted, counted) in [
            (0, 0), (1, 3), (20, 1000), (500, 1000), (5000, 9999), (5000, 10_001), (0, 1_000_000),
        ] {
            let posterior = Self.posterior(converted, of: counted)
            let chances = (0...200).map { posterior.cumulative(Double($0) / 200) }
            #expect(chances.first == 0 && chances.last == 1)
            #expect(zip(chances, chances.dropFirst()).allSatisfy { $0 <= $1 })
            for chance in [1e-6, 0.025, 0.3, 0.5, 0.975, 0.999999] {
                #expect(abs(posterior.cumulative(posterior.quantile(chance)) - chance) < 1e-10)
            }
        }
    }

    @Test func `conversions and their absence are mirror images`() {
        for (converted, counted) in [(3, 50), (0, 100), (900, 12_000)] {
            let (one, other) = (
                Self.posterior(converted, of: counted), Self.posterior(counted - converted, of: counted)
            )
            for rate in [0.01, 0.06, 0.075, 0.3, 0.7] {
                #expect(abs(one.cumulative(rate) + other.cumulative(1 - rate) - 1) < 1e-10)
            }
        }
    }

    @Test func `the two ways to integrate agree where one takes over from the other`() {
        let (small, large) = (Self.posterior(999, of: 9998), Self.posterior(1000, of: 9999))
        #expect(small.alpha + small.beta == 10_000 && large.alpha + large.beta == 10_001)
        for deviations in [-6.0, -2, 0, 1, 5] {
            let (one, other) = (
                small.cumulative(small.mean + deviations * small.deviation),
                large.cumulative(large.mean + deviations * large.deviation)
            )
            #expect(abs(one - other) < 1e-5)
        }
    }

    @Test func `nothing traps and nothing is no number, whatever the counts`() {
        let counts = [Int.min, -1, 0, 1, 99, 1_000_000_000, Int.max]
        for sent in counts {
            for converted in counts {
                for open in counts {
                    let posterior = BetaPosterior(ArmTally(sent: sent, converted: converted, open: open))
                    let values = [
                        posterior.mean, posterior.deviation, posterior.density(0.5), posterior.cumulative(0.3),
                        posterior.cumulative(posterior.mean), posterior.interval().lowerBound, posterior.quantile(2),
                        posterior.quantile(-1), posterior.cumulative(-1), posterior.cumulative(2),
                    ]
                    #expect(values.allSatisfy { $0.isFinite })
                    #expect(posterior.interval().contains(posterior.quantile(0.5)))
                }
            }
        }
    }
}
