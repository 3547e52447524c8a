import Testing

@testable import Scoring

/// Which threshold to take.
@Suite struct ThresholdGoalTests {
    /// 100 leads, ten per score from 0 to 90; of those with score s, s / 10 converted.
    private let curve = ThresholdCurve(
        RankedScores((0..<100).map { Double($0 / 10 * 10) }, (0..<100).map { $0 % 10 < $0 / 10 }))

    private func sentence(_ goal: ThresholdGoal, leadsPerWeek: Double? = nil) -> String {
        goal.suggestion(curve, leadsPerWeek: leadsPerWeek).sentence
    }

    @Test func `the sentence says what it is for`() {
        #expect(
            sentence(.balance)
                == "Suggested threshold: 40 (precision 65.0 %, recall 86.7 %), the best balance of precision and recall (F1)."
        )
        #expect(
            sentence(.precision(0.7))
                == "Suggested threshold: 50 (precision 70.0 %, recall 77.8 %), the lowest that keeps a precision of 70.0 %."
        )
        #expect(
            sentence(.perWeek(20), leadsPerWeek: 80)
                == "Suggested threshold: 80 (precision 85.0 %, recall 37.8 %), about 16 of 80 leads a week.")
    }

    @Test func `a threshold is a whole number, as the config takes it, and its figures are those of that number`() {
        // Points that faded: 64.99…, 64.2 and below.
        let faded = ThresholdCurve(
            RankedScores([64.99964119448035, 64.2, 30.5, 10.25], [true, true, false, false]))
        #expect(
            ThresholdGoal.balance.suggestion(faded, leadsPerWeek: nil).sentence
                == "Suggested threshold: 64 (precision 100.0 %, recall 100.0 %), the best balance of precision and recall (F1)."
        )
        #expect(ThresholdGoal.balance.suggestion(faded, leadsPerWeek: nil).point?.leads == 2)
    }

    @Test func `where there is none, it says why and what to do`() {
        #expect(
            sentence(.precision(0.95))
                == "No threshold keeps a precision of 95.0 % with at least 20 leads above it. Ask for less, or sharpen the rules."
        )
        #expect(
            sentence(.perWeek(20))
                == "No threshold for a number a week: the leads came within a few days, as by an import. Say how many come with --leads-per-week."
        )
        #expect(
            sentence(.perWeek(1), leadsPerWeek: 100)
                == "No threshold passes on as few as 1 a week: more have the highest score. Add rules that tell them apart."
        )
        let nobody = ThresholdCurve(RankedScores([], []))
        #expect(
            ThresholdGoal.balance.suggestion(nobody, leadsPerWeek: nil).sentence == "No threshold: there are no leads.")
    }
}
