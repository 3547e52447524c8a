import Foundation
import Testing

@testable import DripSequencer

@Suite struct DecisionTests {
    private static func standings(_ tallies: [(Int, Int)]) -> Standings {
        var standings = Standings(arms: tallies.indices.map { "arm-\($0)" })
        for (index, tally) in tallies.enumerated() {
            standings.add(ArmTally(sent: tally.1, converted: tally.0), arm: "arm-\(index)", round: 0)
        }
        return standings
    }

    // MARK: - The rule

    @Test func `it is too early before each arm has a hundred outcomes`() {
        #expect(Decision(Self.standings([(0, 99), (90, 100)])) == .tooEarly)
        #expect(Decision(Self.standings([(0, 100), (90, 100)])) == .winner(1))
    }

    @Test func `a winner has beaten every other arm`() {
        #expect(Decision(Self.standings([(300, 1000), (200, 1000), (200, 1000)])) == .winner(0))
        #expect(Decision(Self.standings([(300, 1000), (250, 1000), (200, 1000)])) == .tooEarly)
    }

    @Test func `the evidence of one twentieth is the line`() {
        let decisions = (100...160).map { converted in
            let standings = Self.standings([(converted, 1000), (100, 1000)])
            let isOver = Evidence(for: 0, over: 1, in: standings).logarithm >= log(20)
            return (isOver, Decision(standings) == .winner(0))
        }
        #expect(decisions.allSatisfy { $0.0 == $0.1 })
        #expect(decisions.contains { $0.0 } && decisions.contains { !$0.0 })
    }

    @Test func `arms that are alike end a test, and those they have beaten do not hold it up`() {
        #expect(Decision(Self.standings([(1000, 10_000), (1005, 10_000)])) == .noDifference([0, 1]))
        #expect(Decision(Self.standings([(1000, 10_000), (500, 10_000), (1005, 10_000)])) == .noDifference([0, 2]))
        #expect(Decision(Self.standings([(100, 1000), (101, 1000)])) == .tooEarly)
    }

    @Test func `one arm alone, no arm, and arms without a conversion are never decided`() {
        #expect(Decision(Self.standings([(50, 1000)])) == .tooEarly)
        #expect(Decision(Self.standings([])) == .tooEarly)
        #expect(Decision(Self.standings([(0, 100_000), (0, 100_000)])) == .tooEarly)
        let billion = 1_000_000_000
        #expect(Decision(Self.standings([(billion / 2, billion), (billion / 4, billion)])) == .winner(0))
        #expect(Decision(Self.standings([(billion, billion), (billion, billion)])) == .noDifference([0, 1]))
    }

    @Test func `a winner gets all, arms that are alike what their weights say, and until then the likelier gets more`()
    {
        let standings = Self.standings([(300, 1000), (200, 1000), (200, 1000)])
        #expect(Decision.winner(1).shares(standings, weights: [1, 2, 3]) == [0, 1, 0])
        #expect(Decision.noDifference([0, 2]).shares(standings, weights: [1, 2, 3]) == [1, 0, 3])
        #expect(Decision.tooEarly.shares(standings, weights: [1, 2, 3]) == Allocation.shares(standings))
        #expect(Decision.noDifference([0, 9]).shares(standings, weights: [1]) == [1, 0, 0])
    }

    // MARK: - What it does in the long run

    /// LONG=1 takes minutes and measures at full length; without it, the same tests are short.
    private static let isLong = ProcessInfo.processInfo.environment["LONG"] == "1"

    @Test func `of tests of equal arms that are looked at all the time, at most 5 percent name a winner`() {
        for rate in Self.isLong ? [0.02, 0.1, 0.3] : [0.1, 0.3] {
            for arms in [2, 3] {
                let test = SimulatedTest(
                    rates: .init(repeating: rate, count: arms), leads: Self.isLong ? 20_000 : 2000)
                let count = Self.isLong ? 2000 : 25
                let winners = SimulatedTest.winners(test.outcomes(count))
                print("\(arms) equal arms of \(rate): \(winners) of \(count) tests name a winner")
                #expect(Double(winners) <= Decision.falseWinners * Double(count))
            }
        }
    }

    @Test func `of tests of two equal arms and a worse one, at most 5 percent name a winner`() {
        let count = Self.isLong ? 1000 : 20
        let test = SimulatedTest(rates: [0.2, 0.2, 0.1], leads: Self.isLong ? 20_000 : 2000)
        let outcomes = test.outcomes(count)
        let winners = SimulatedTest.winners(outcomes)
        print("two equal arms and a worse one: \(winners) of \(count) tests name a winner")
        #expect(Double(winners) <= Decision.falseWinners * Double(count))
        #expect(!outcomes.contains { $0.decision == .winner(2) })
    }

    @Test(arguments: [([0.2, 0.3], 1500), ([0.1, 0.13], 9000), ([0.02, 0.03], 17_000)])
    func `of tests with a better arm, four of five find it within these leads`(rates: [Double], leads: Int) {
        let count = Self.isLong ? 1000 : 20
        guard Self.isLong || leads < 2000 else { return }
        let outcomes = SimulatedTest(rates: rates).outcomes(count)
        let found = outcomes.map { $0.decision == .winner(1) ? $0.leads : .max }.sorted()
        print(
            "\(rates): found by \(found[count / 2]) leads in half of the tests, \(found[count * 9 / 10]) in nine of ten"
        )
        #expect(found.count { $0 <= leads } * 5 >= count * 4)
        #expect(outcomes.count { $0.decision == .winner(0) } * 100 <= count)
    }

    @Test func `outcomes that come late do not make winners`() {
        let test = SimulatedTest(rates: [0.1, 0.1], leads: Self.isLong ? 20_000 : 3000, delay: 1000)
        let count = Self.isLong ? 1000 : 20
        #expect(Double(SimulatedTest.winners(test.outcomes(count))) <= Decision.falseWinners * Double(count))
    }

    @Test func `a season that multiplies all rates does not make winners`() {
        var test = SimulatedTest(rates: [0.02, 0.02], leads: Self.isLong ? 20_000 : 3000, season: 8)
        let count = Self.isLong ? 500 : 40
        let apart = SimulatedTest.winners(test.outcomes(count))
        test.pools = true
        let pooled = SimulatedTest.winners(test.outcomes(count))
        print("a season names \(apart) of \(count) winners, and \(pooled) if rounds are not kept apart")
        #expect(Double(apart) <= Decision.falseWinners * Double(count))
        #expect(pooled > 3 * apart)
    }

    @Test func `shares that follow the outcomes cost fewer conversions than an even split`() {
        let count = Self.isLong ? 500 : 10
        let regrets = [Allocation.floor, 1].map { floor in
            SimulatedTest(rates: [0.1, 0.2], leads: 3000, floor: floor).outcomes(count).map(\.regret).reduce(0, +)
        }
        print("conversions lost: \(regrets[0] / Double(count)), by an even split \(regrets[1] / Double(count))")
        #expect(regrets[0] < regrets[1])
    }
}
