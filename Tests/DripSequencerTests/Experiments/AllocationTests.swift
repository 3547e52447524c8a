import Testing

@testable import DripSequencer

@Suite struct AllocationTests {
    private static func standings(_ tallies: [(Int, Int)]) -> Standings {
        var standings = Standings(arms: tallies.indices.map { "arm-\($0)" })
        for (index, tally) in tallies.enumerated() {
            standings.add(ArmTally(sent: tally.1, converted: tally.0), arm: "arm-\(index)", round: 0)
        }
        return standings
    }

    @Test func `before the first outcome all shares are equal`() {
        for share in Allocation.shares(Self.standings([(0, 0), (0, 0), (0, 0)])) {
            #expect(abs(share - 1.0 / 3) < 1e-12)
        }
    }

    @Test func `the likelier an arm is to be the best the more it gets, and none gets less than the floor`() {
        let shares = Allocation.shares(Self.standings([(50, 412), (33, 409)]))
        #expect(abs(shares[0] - (0.25 + 0.5 * 0.9729903739875968)) < 1e-10)
        #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
        let certain = Allocation.shares(Self.standings([(500, 1000), (10, 1000), (10, 1000), (10, 1000)]))
        #expect(certain.allSatisfy { $0 >= 0.125 - 1e-12 })
        #expect(abs(certain[0] - 0.625) < 1e-9)
    }

    @Test func `a floor of none follows the chances, and a floor of all is an even split`() {
        let standings = Self.standings([(50, 412), (33, 409)])
        #expect(abs(Allocation.shares(standings, floor: 0)[1] - 0.02700962601240154) < 1e-10)
        #expect(Allocation.shares(standings, floor: 7) == [0.5, 0.5])
        #expect(Allocation.shares(Standings(arms: [])) == [])
        #expect(Allocation.shares(Self.standings([(0, 0)])) == [1])
    }

    @Test func `a round begins at a hundred outcomes per arm, and then whenever there are half as many more`() {
        #expect(!Allocation.isDue(Self.standings([(0, 100), (0, 99)]), countedBefore: 0))
        #expect(Allocation.isDue(Self.standings([(0, 100), (0, 100)]), countedBefore: 0))
        #expect(!Allocation.isDue(Self.standings([(0, 150), (0, 149)]), countedBefore: 200))
        #expect(Allocation.isDue(Self.standings([(0, 150), (0, 150)]), countedBefore: 200))
        #expect(!Allocation.isDue(Self.standings([(0, 150), (0, 150)]), countedBefore: .max))
    }
}
