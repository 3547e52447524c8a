import Testing

@testable import DripSequencer

@Suite struct StandingsTests {
    @Test func `rows of rounds are summed by arm, and nobody's apart`() {
        var standings = Standings(arms: ["a", "b"])
        standings.add(ArmTally(sent: 100, converted: 10), arm: "a", round: 0)
        standings.add(ArmTally(sent: 300, converted: 60, open: 20), arm: "a", round: 1)
        standings.add(ArmTally(sent: 50, converted: 5), arm: "b", round: 1)
        standings.add(ArmTally(sent: 7, converted: 1), arm: nil, round: 0)
        standings.add(ArmTally(sent: 8, converted: 1), arm: nil, round: 1)
        standings.add(ArmTally(sent: 999, converted: 1), arm: "gone", round: 1)
        #expect(standings.totals == [ArmTally(sent: 400, converted: 70, open: 20), ArmTally(sent: 50, converted: 5)])
        #expect(standings.rounds[0] == [ArmTally(sent: 100, converted: 10), ArmTally()])
        #expect(standings.holdout == ArmTally(sent: 15, converted: 2))
        #expect(standings.mailed == ArmTally(sent: 450, converted: 75, open: 20))
        #expect(standings.counted == 430)
    }
}
