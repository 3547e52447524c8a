import Foundation
import Testing

@testable import DripSequencer

@Suite struct EvidenceTests {
    /// Rounds of two arms, each as (converted, counted).
    private static func standings(_ rounds: [[(Int, Int)]]) -> Standings {
        var standings = Standings(arms: ["a", "b"])
        for (number, round) in rounds.enumerated() {
            for (arm, tally) in zip(["a", "b"], round) {
                standings.add(ArmTally(sent: tally.1, converted: tally.0), arm: arm, round: number)
            }
        }
        return standings
    }

    @Test func `surplus and variance are those of Mantel and Haenszel`() {
        let evidence = Evidence(for: 0, over: 1, in: Self.standings([[(30, 200), (10, 100)]]))
        #expect(abs(evidence.surplus - (30 - 200.0 * 40 / 300)) < 1e-12)
        #expect(abs(evidence.variance - 200.0 * 100 * 40 * 260 / (300 * 300 * 299)) < 1e-12)
    }

    @Test func `a season in which one arm is sent more says nothing about the arm`() {
        // 5 % for both, then 20 % for both while the first gets nine of ten leads.
        let rounds = [[(50, 1000), (50, 1000)], [(1800, 9000), (200, 1000)]]
        let apart = Evidence(for: 0, over: 1, in: Self.standings(rounds))
        #expect(abs(apart.surplus) < 1e-9)
        #expect(apart.logarithm < 0)
        // All rounds together would have named the first arm the winner.
        let pooled = Evidence(for: 0, over: 1, in: Self.standings([[(1850, 10_000), (250, 2000)]]))
        #expect(pooled.logarithm > log(20))
        #expect(Decision(Self.standings([[(1850, 10_000), (250, 2000)]])) == .winner(0))
        #expect(Decision(Self.standings(rounds)) == .tooEarly)
    }

    @Test func `the other way round the surplus changes its sign, and the evidence is the same`() {
        let standings = Self.standings([[(30, 200), (10, 100)], [(0, 0), (5, 10)], [(7, 90), (20, 110)]])
        let (one, other) = (Evidence(for: 0, over: 1, in: standings), Evidence(for: 1, over: 0, in: standings))
        #expect(abs(one.surplus + other.surplus) < 1e-12)
        #expect(abs(one.logarithm - other.logarithm) < 1e-12)
    }

    @Test func `a greater difference is stronger evidence`() {
        let logarithms = (30...90).map {
            Evidence(for: 0, over: 1, in: Self.standings([[($0, 1000), (30, 1000)]])).logarithm
        }
        #expect(zip(logarithms, logarithms.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `no leads, no conversions, only conversions and a billion leads are numbers`() {
        let billion = 1_000_000_000
        for round in [
            [(0, 0), (0, 0)], [(0, 1), (0, 0)], [(1, 1), (1, 1)], [(0, 100), (0, 100)], [(100, 100), (100, 100)],
            [(billion, billion), (0, billion)], [(1, billion), (1, 1)],
        ] {
            #expect(Evidence(for: 0, over: 1, in: Self.standings([round])).logarithm.isFinite)
        }
        #expect(Evidence(for: 0, over: 1, in: Self.standings([])).logarithm == 0)
    }
}
