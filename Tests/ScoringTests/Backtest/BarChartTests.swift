import Testing

@testable import Scoring

/// Bars in a terminal.
@Suite struct BarChartTests {
    @Test func `shares are drawn to an eighth of a letter, within their column`() {
        #expect(BarChart.bar(0) == "")
        #expect(BarChart.bar(0.5) == "██████████")
        #expect(BarChart.bar(0.51) == "██████████▎")
        #expect(BarChart.bar(7) == String(repeating: "█", count: 20))
        #expect(BarChart.bar(-1) == "")
        #expect(BarChart.percent(0.6128) == "61.3 %" && BarChart.percent(1.2) == "100.0 %")
    }

    @Test func `columns stand below their headings`() {
        let chart = BarChart(
            heading: "score from", columns: ["precision", "recall"],
            rows: [
                .init(label: "100", leads: 12, shares: [1, 0.25]),
                .init(label: "0", leads: 123_456, shares: [0.5, 1], mark: "suggested"),
            ])
        #expect(
            chart.lines == [
                "score from   leads  precision                     recall",
                "       100      12  100.0 % ████████████████████   25.0 % █████",
                "         0  123456   50.0 % ██████████            100.0 % ████████████████████  suggested",
            ])
    }
}
