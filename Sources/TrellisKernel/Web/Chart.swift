import Foundation

/// A chart as SVG (https://www.w3.org/TR/SVG2/) that stands in a page: no script, colours from the page, a title for
/// those who do not see it. It is drawn narrow, so that its letters can be read on a telephone.
public enum Chart {
    static let width = 360.0

    /// One bar, or a pair.
    public struct Bar: Sendable {
        let label: String
        let value: Double
        let second: Double?
        /// What is written at the bar.
        let text: String

        /// - Parameter text: what is written at the bar.
        public init(label: String, value: Double, second: Double? = nil, text: String) {
            self.label = label
            self.value = value
            self.second = second
            self.text = text
        }
    }

    /// Upright bars, in pairs where there is a second value.
    ///
    /// - Parameter isLastNow: whether the last is the period that the page is about, and stands out.
    public static func columns(_ bars: [Bar], title: String, isLastNow: Bool = true) -> String {
        let height = 150.0
        let (top, foot) = (16.0, 22.0)
        let most = bars.flatMap { [$0.value, $0.second ?? 0] }.max() ?? 0
        guard most > 0, !bars.isEmpty else { return "" }
        let slot = width / Double(bars.count)
        let isPaired = bars.contains { $0.second != nil }
        let thick = slot * (isPaired ? 0.36 : 0.62)
        let peak = bars.firstIndex { max($0.value, $0.second ?? 0) == most }
        var shapes = ""
        for (index, bar) in bars.enumerated() {
            let left = Double(index) * slot + (slot - thick * (isPaired ? 2 : 1)) / 2
            let isLast = index == bars.count - 1
            for (offset, value) in [bar.value, bar.second].compactMap({ $0 }).enumerated() {
                let tall = (height - top - foot) * value / most
                shapes += rectangle(
                    left + Double(offset) * thick, height - foot - tall, thick, tall,
                    offset == 1 ? "second" : isLast || !isLastNow ? "bar now" : "bar")
            }
            // Every other label where they would touch; the last always.
            if isLast || (bars.count - 1 - index).isMultiple(of: bars.count > 8 ? 2 : 1) {
                shapes += text(
                    within(Double(index) * slot + slot / 2, bar.label), height - 6, "middle", bar.label)
            }
            let tallest = isLastNow ? bar.value : max(bar.value, bar.second ?? 0)
            if isLastNow ? isLast || bar.value == most : index == peak {
                shapes += text(
                    within(left + thick / 2, bar.text), height - foot - (height - top - foot) * tallest / most - 4,
                    "middle", bar.text, "strong")
            }
        }
        shapes +=
            "<line class=\"base\" x1=\"0\" x2=\"\(number(width))\" y1=\"\(number(height - foot))\" y2=\"\(number(height - foot))\"/>"
        return framed(shapes, height: height, title: title)
    }

    /// Level bars with their names on the left and their values on the right, in pairs where there is a second value.
    public static func rows(_ bars: [Bar], title: String) -> String {
        let (line, names, values) = (24.0, 112.0, 86.0)
        let most = bars.flatMap { [$0.value, $0.second ?? 0] }.max() ?? 0
        guard most > 0 else { return "" }
        let room = width - names - values
        var shapes = ""
        for (index, bar) in bars.enumerated() {
            let y = Double(index) * line
            shapes += text(names - 8, y + 16, "end", shortened(bar.label, to: 17))
            let lengths = [bar.value, bar.second].compactMap { $0 }.map { max(room * $0 / most, 1) }
            let thick = (line - 9) / Double(lengths.count)
            for (offset, length) in lengths.enumerated() {
                shapes += rectangle(
                    names, y + 5 + Double(offset) * thick, length, thick, offset == 1 ? "second" : "bar now")
            }
            shapes += text(names + (lengths.max() ?? 1) + 6, y + 16, "start", bar.text, "strong")
        }
        return framed(shapes, height: Double(bars.count) * line + 2, title: title)
    }

    /// Half of what a letter of 11 pixels takes at most, on an average of a text.
    static let halfLetter = 3.2

    /// Where the middle of a text stands so that neither of its ends is cut.
    private static func within(_ x: Double, _ text: String) -> Double {
        let margin = max(18, Double(text.count) * halfLetter)
        return min(max(x, margin), width - margin)
    }

    private static func framed(_ shapes: String, height: Double, title: String) -> String {
        "<svg viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\"><title>\(WebText.escaped(title))</title>\(shapes)</svg>"
    }

    private static func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String)
        -> String
    {
        "<rect class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(max(height, 0)))\" rx=\"1.5\"/>"
    }

    private static func text(_ x: Double, _ y: Double, _ anchor: String, _ text: String, _ style: String = "") -> String
    {
        "<text class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(WebText.escaped(text))</text>"
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func shortened(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "…"
    }
}
