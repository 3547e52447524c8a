import Testing

@testable import Scoring

/// Whether chances come true.
@Suite struct CalibrationTests {
    @Test func `each part shows the mean chance beside what came of it`() {
        let chances = [Double](repeating: 0.1, count: 50) + [Double](repeating: 0.8, count: 50)
        let converted = (0..<100).map { $0 < 50 ? $0 < 5 : $0 < 90 }
        let calibration = Calibration(chances, converted)
        #expect(calibration.parts.map(\.leads) == [50, 50])
        #expect(calibration.parts.map(\.seen) == [0.1, 0.8])
        #expect(abs(calibration.parts[0].predicted - 0.1) < 1e-9)
        // 5 · 0.81 + 45 · 0.01 + 40 · 0.04 + 10 · 0.64, over 100 leads.
        #expect(abs(calibration.brier - 0.125) < 1e-9)
        #expect(abs(calibration.brierOfGuess - 0.45 * 0.55) < 1e-9)
    }

    @Test func `the parts are about tenths`() {
        let chances = (0..<1000).map { Double($0) / 1000 }
        let calibration = Calibration(chances, chances.map { $0 > 0.5 })
        #expect(calibration.parts.map(\.leads) == [Int](repeating: 100, count: 10))
        #expect(Calibration([], []).parts == [])
        #expect(Calibration([0.5], [true]).parts.map(\.leads) == [1])
    }

    @Test func `a score becomes the chance that its leads had`() {
        let scores = [Double](repeating: 0, count: 100) + [Double](repeating: 400, count: 100)
        let converted = (0..<200).map { $0 < 100 ? $0 < 20 : $0 < 170 }
        let chance = ScoreChance(RankedScores(scores, converted))
        #expect(abs(chance(0) - 0.2) < 1e-4)
        #expect(abs(chance(400) - 0.7) < 1e-4)
    }

    @Test func `scores that are all alike give everybody the same chance`() {
        let chance = ScoreChance(RankedScores([0, 0, 0, 0], [true, false, false, false]))
        #expect(abs(chance(0) - 0.25) < 1e-6)
    }
}
