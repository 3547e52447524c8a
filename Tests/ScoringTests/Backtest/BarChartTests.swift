import Testing

@testable import Scoring

/// Bars in a terminal.
@Suite struct BarChartTests {
    @Test func `a share is said in tenths of a percent, and cut at the whole`() {
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
