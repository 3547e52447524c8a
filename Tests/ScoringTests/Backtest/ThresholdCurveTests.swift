import Testing

@testable import Scoring

/// What would have come of each threshold.
@Suite struct ThresholdCurveTests {
    /// 100 leads, ten per score from 0 to 90; of those with score s, s / 10 converted.
    private var curve: ThresholdCurve {
        var scores: [Double] = []
        var converted: [Bool] = []
        for score in 0..<10 {
            for lead in 0..<10 {
                scores.append(Double(score * 10))
                converted.append(lead < score)
            }
        }
        return ThresholdCurve(RankedScores(scores, converted))
    }

    @Test func `precision and recall are of the leads at or above it`() throws {
        let point = try #require(curve.point(at: 75))
        #expect(point.leads == 20 && point.converted == 17)
        #expect(point.precision == 0.85 && point.recall == 17.0 / 45)
        #expect(curve.point(at: 90.5) == nil)
        #expect(curve.point(at: -10)?.recall == 1)
    }

    @Test func `the threshold for a precision is the lowest that keeps it`() {
        #expect(curve.threshold(precision: 0.7)?.score == 50)
        #expect(curve.threshold(precision: 0)?.score == 0)
        // Ten leads are too few to trust their 90 %.
        #expect(curve.threshold(precision: 0.9) == nil)
    }

    @Test func `the threshold for a share passes on no more`() {
        #expect(curve.threshold(share: 0.25)?.score == 80)
        #expect(curve.threshold(share: 0.3)?.score == 70)
        #expect(curve.threshold(share: 1)?.score == 0)
        #expect(curve.threshold(share: 0.05) == nil)
    }

    @Test func `the balanced threshold has the best mean of both`() throws {
        let best = try #require(curve.balanced)
        #expect(curve.points.allSatisfy { $0.balance <= best.balance })
        #expect(best.score == 40)
    }

    @Test func `a table shows readable thresholds over the whole range`() {
        #expect(curve.readable(5).map(\.score) == [80, 60, 40, 20, 0])
        #expect(ThresholdCurve(RankedScores([], [])).readable(5) == [])
        #expect(ThresholdCurve(RankedScores([7, 7], [true, false])).readable(5).map(\.score) == [7])
    }
}
