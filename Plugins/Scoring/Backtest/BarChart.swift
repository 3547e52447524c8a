import TrellisKernel

/// Rows with bars of block letters, for a terminal and for a file of text alike.
struct BarChart {
    struct Row {
        let label: String
        let leads: Int
        /// From 0 to 1, one per column.
        let shares: [Double]
        /// A word at the end of the row.
        var mark = ""
    }

    /// Heading of the labels, then of each column of bars.
    let heading: String
    let columns: [String]
    let rows: [Row]

    static let barWidth = 20

    var lines: [String] {
        let labelWidth = max(heading.count, rows.map(\.label.count).max() ?? 0)
        let leadsWidth = max(5, rows.map { "\($0.leads)".count }.max() ?? 0)
        let first =
            BarChart.left(heading, labelWidth) + "  " + BarChart.left("leads", leadsWidth)
            + columns.map { "  " + BarChart.right($0, BarChart.barWidth + 8) }.joined()
        return [first.trimmingEnd]
            + rows.map { row in
                let bars = row.shares.map {
                    "  " + BarChart.left(BarChart.percent($0), 7) + " "
                        + BarChart.right(BlockBar.text($0, width: BarChart.barWidth), BarChart.barWidth)
                }
                let line =
                    BarChart.left(row.label, labelWidth) + "  " + BarChart.left("\(row.leads)", leadsWidth)
                    + bars.joined()
                return (row.mark.isEmpty ? line : line + "  " + row.mark).trimmingEnd
            }
    }

    /// `61.3 %`
    static func percent(_ share: Double) -> String {
        let tenths = Int((min(max(share, 0), 1) * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }

    private static func left(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func right(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension String {
    /// Without the spaces at the end.
    fileprivate var trimmingEnd: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
