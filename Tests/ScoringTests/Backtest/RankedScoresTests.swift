import Testing

@testable import Scoring

/// Leads by their score.
@Suite struct RankedScoresTests {
    @Test func `the area is the share of pairs in the right order`() {
        #expect(RankedScores([3, 2, 1], [true, false, false]).areaUnderCurve == 1)
        #expect(RankedScores([1, 2, 3], [true, false, false]).areaUnderCurve == 0)
        #expect(RankedScores([0.1, 0.4, 0.35, 0.8], [false, false, true, true]).areaUnderCurve == 0.75)
    }

    @Test func `a tie counts half`() {
        #expect(RankedScores([5, 5, 5, 5], [true, false, true, false]).areaUnderCurve == 0.5)
        // Of four pairs: one right, two tied, one wrong way round would be 0.5; here two right, one tied, one wrong.
        #expect(RankedScores([2, 1, 1, 0], [true, false, true, false]).areaUnderCurve == 0.875)
    }

    @Test func `without both outcomes there is no area`() {
        #expect(RankedScores([1, 2], [true, true]).areaUnderCurve == nil)
        #expect(RankedScores([], []).areaUnderCurve == nil)
    }

    @Test func `leads with the same score stand together, the highest first`() {
        let ranked = RankedScores([1, 9, 1, 9, 4], [true, true, false, false, true])
        #expect(
            ranked.steps == [
                .init(score: 9, leads: 2, converted: 1), .init(score: 4, leads: 1, converted: 1),
                .init(score: 1, leads: 2, converted: 1),
            ])
        #expect(ranked.conversion == 0.6)
    }
}
