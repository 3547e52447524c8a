import Foundation
import Testing

@testable import Scoring

/// The drawing as a file.
@Suite struct CurveDrawingTests {
    private func drawing(_ scores: [Double], _ converted: [Bool], title: String = "Backtest") -> CurveDrawing {
        let curve = ThresholdCurve(RankedScores(scores, converted))
        return CurveDrawing(
            title: title, subtitle: "AUC 0.9", curve: curve,
            calibration: Calibration(scores.map { $0 / 100 }, converted), suggested: curve.balanced)
    }

    @Test func `it is one well-formed file that needs no other, light and dark`() throws {
        let svg = drawing([10, 40, 60, 90], [false, true, false, true], title: "A <b> & \"c\"").svg
        #expect(svg.contains("A &lt;b&gt; &amp; &quot;c&quot;"))
        #expect(svg.contains("prefers-color-scheme: dark"))
        #expect(svg.matches(of: /https?:/).count == 1, "only the namespace")
        #expect(svg.contains("40 suggested"))
        #expect(svg.matches(of: /<text/).count == svg.matches(of: /<\/text>/).count)
        #expect(!svg.contains("nan") && !svg.contains("inf"))
    }

    @Test func `leads that all have one score, and no leads, are drawn as nothing`() {
        #expect(drawing([5, 5], [true, false]).svg.contains("no curve to draw"))
        #expect(drawing([], []).svg.contains("no curve to draw"))
    }

    @Test func `a million scores are no larger a file than a few hundred`() {
        let scores = (0..<20_000).map(Double.init)
        let curve = ThresholdCurve(RankedScores(scores, scores.map { $0 > 9000 }))
        let svg = CurveDrawing(
            title: "", subtitle: "", curve: curve, calibration: Calibration([], []), suggested: nil
        ).svg
        #expect(svg.utf8.count < 20_000)
    }
}
