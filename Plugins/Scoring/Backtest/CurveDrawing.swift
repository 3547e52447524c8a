import TrellisKernel

/// Two drawings side by side as SVG (https://www.w3.org/TR/SVG11/): precision and recall over the threshold, and the
/// chance given beside what came of it. Self-contained, in the colours of the reader's screen.
struct CurveDrawing {
    let title: String
    let subtitle: String
    let curve: ThresholdCurve
    let calibration: Calibration
    let suggested: ThresholdCurve.Point?

    private static let panel = 300.0
    private static let top = 90.0
    private static let leftEdge = 60.0
    private static let rightEdge = 480.0
    /// More corners than this are not seen in 300 pixels.
    private static let cornersMax = 300

    var svg: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 480" width="820" height="480" role="img">
        <title>\(WebText.escaped(title))</title>
        <style>
        svg { color-scheme: light dark; background: #ffffff; font: 13px system-ui, sans-serif; }
        text { fill: #1f2430; } .quiet { fill: #5b6272; } .title { font-size: 17px; font-weight: 600; }
        .line { fill: none; } .axis { stroke: #8b93a3; } .grid { stroke: #e3e6ec; }
        .one { stroke: #0b62c4; } .two { stroke: #c2480a; stroke-dasharray: 7 3; } .dots { fill: #0b62c4; }
        .one, .two { stroke-width: 2.5; }
        .onetext { fill: #0b62c4; } .twotext { fill: #c2480a; } .mark { stroke: #5b6272; stroke-dasharray: 2 3; }
        @media (prefers-color-scheme: dark) {
        svg { background: #14171d; } text { fill: #e8eaf0; } .quiet { fill: #a6adbb; } .grid { stroke: #2a2f3a; }
        .axis { stroke: #757d8d; } .one { stroke: #6fb1ff; } .two { stroke: #ffa365; } .dots { fill: #6fb1ff; }
        .onetext { fill: #6fb1ff; } .twotext { fill: #ffa365; } .mark { stroke: #a6adbb; }
        }
        </style>
        <text class="title" x="\(Int(CurveDrawing.leftEdge))" y="32">\(WebText.escaped(title))</text>
        <text class="quiet" x="\(Int(CurveDrawing.leftEdge))" y="54">\(WebText.escaped(subtitle))</text>
        \(thresholds)
        \(chances)
        </svg>

        """
    }

    // MARK: - Precision and recall

    private var thresholds: String {
        let left = CurveDrawing.leftEdge
        guard let highest = curve.points.first?.score, let lowest = curve.points.last?.score, highest > lowest else {
            return frame(left, "Every lead has the same score") + text("quiet", left + 20, 250, "no curve to draw")
        }
        let x = { (score: Double) in left + (score - lowest) / (highest - lowest) * CurveDrawing.panel }
        let corners = CurveDrawing.thinned(curve.points)
        let precision = corners.map { (x($0.score), y($0.precision)) }
        let recall = corners.map { (x($0.score), y($0.recall)) }
        let step = ReadableCuts.step(over: highest - lowest, parts: 5)
        var labels = ""
        var score = (lowest / step).rounded(.up) * step
        while score <= highest {
            labels += text("quiet", x(score), y(0) + 20, ReadableCuts.text(score), anchor: "middle")
            score += step
        }
        return frame(left, "Precision and recall by threshold") + labels
            + text("quiet", left + CurveDrawing.panel / 2, y(0) + 42, "score at least", anchor: "middle")
            + line("one", precision) + line("two", recall)
            + text("onetext", left + 14, y(0) + 66, "━━ precision")
            + text("twotext", left + 120, y(0) + 66, "╍╍ recall")
            + mark(x)
    }

    private func mark(_ x: (Double) -> Double) -> String {
        guard let suggested else { return "" }
        let place = x(suggested.score)
        // The label keeps to the side that has room for it.
        let isRight = place > CurveDrawing.leftEdge + CurveDrawing.panel / 2
        return line("mark", [(place, y(0)), (place, y(1))])
            + text(
                "quiet", place + (isRight ? -6 : 6), y(0) - 8, "\(ReadableCuts.text(suggested.score)) suggested",
                anchor: isRight ? "end" : "start")
    }

    // MARK: - Calibration

    private var chances: String {
        let left = CurveDrawing.rightEdge
        let x = { (chance: Double) in left + chance * CurveDrawing.panel }
        var labels = ""
        for percent in stride(from: 0, through: 100, by: 25) {
            labels += text("quiet", x(Double(percent) / 100), y(0) + 20, "\(percent) %", anchor: "middle")
        }
        let dots: String = calibration.parts.map { part -> String in
            let place = "cx=\"\(short(x(part.predicted)))\" cy=\"\(short(y(part.seen)))\" r=\"5\""
            let shares = "\(BarChart.percent(part.predicted)) predicted, \(BarChart.percent(part.seen)) seen"
            return "<circle class=\"dots\" \(place)><title>\(part.leads) leads: \(shares)</title></circle>\n"
        }.joined()
        let seen: [(Double, Double)] = calibration.parts.map { (x($0.predicted), y($0.seen)) }
        let pieces: [String] = [
            frame(left, "Chance given, and what came of it"), labels,
            text("quiet", left + CurveDrawing.panel / 2, y(0) + 42, "predicted conversion", anchor: "middle"),
            line("mark", [(x(0), y(0)), (x(1), y(1))]),
            line("one", seen), dots,
            text("onetext", left + 14, y(0) + 66, "● seen, by tenths of the leads"),
            text("quiet", left + 222, y(0) + 66, "┈ as predicted"),
        ]
        return pieces.joined()
    }

    // MARK: - Pieces

    private func y(_ share: Double) -> Double { CurveDrawing.top + (1 - share) * CurveDrawing.panel }

    private func frame(_ left: Double, _ heading: String) -> String {
        let right = left + CurveDrawing.panel
        var grid = ""
        for percent in stride(from: 0, through: 100, by: 25) {
            let height = y(Double(percent) / 100)
            grid += line(percent == 0 ? "axis" : "grid", [(left, height), (right, height)])
            grid += text("quiet", left - 8, height + 4, "\(percent) %", anchor: "end")
        }
        return text("", left, CurveDrawing.top - 12, heading) + grid
    }

    private func line(_ kind: String, _ corners: [(Double, Double)]) -> String {
        let points: [String] = corners.map { x, y in short(x) + "," + short(y) }
        return "<polyline class=\"line \(kind)\" points=\"\(points.joined(separator: " "))\"/>\n"
    }

    private func text(_ kind: String, _ x: Double, _ y: Double, _ text: String, anchor: String = "start") -> String {
        let style = kind.isEmpty ? "" : " class=\"\(kind)\""
        let place = "x=\"\(short(x))\" y=\"\(short(y))\" text-anchor=\"\(anchor)\""
        return "<text\(style) \(place)>\(WebText.escaped(text))</text>\n"
    }

    private func short(_ number: Double) -> String { ReadableCuts.text((number * 10).rounded() / 10) }

    private static func thinned(_ points: [ThresholdCurve.Point]) -> [ThresholdCurve.Point] {
        let every = points.count / cornersMax + 1
        return points.enumerated().filter { $0.offset % every == 0 || $0.offset == points.count - 1 }.map(\.element)
    }
}
