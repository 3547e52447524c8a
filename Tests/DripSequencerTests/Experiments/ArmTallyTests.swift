import Testing

@testable import DripSequencer

@Suite struct ArmTallyTests {
    @Test func `only leads whose window is over count`() {
        let tally = ArmTally(sent: 500, converted: 50, open: 88)
        #expect(tally.counted == 412)
        #expect(tally.rate == 50.0 / 412)
        #expect(ArmTally().rate == 0)
    }

    @Test func `what cannot be is cut to what can`() {
        #expect(ArmTally(sent: -5, converted: -1, open: -1) == ArmTally())
        #expect(ArmTally(sent: 10, converted: 20, open: 4) == ArmTally(sent: 10, converted: 6, open: 4))
        #expect(ArmTally(sent: 10, converted: 1, open: 11) == ArmTally(sent: 10, converted: 0, open: 10))
    }

    @Test func `sums stay below the limit`() {
        let most = ArmTally(sent: .max, converted: .max)
        #expect(most + most == most)
        #expect(most.sent == ArmTally.most)
        let sum = ArmTally(sent: 10, converted: 2, open: 3) + ArmTally(sent: 5, converted: 1, open: 1)
        #expect(sum == ArmTally(sent: 15, converted: 3, open: 4))
    }
}
