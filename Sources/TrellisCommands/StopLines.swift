import TrellisKernel

/// What stands still, for a terminal that a table of it does not fit in: a reason says what to do at its end, where a
/// table would be cut off.
enum StopLines {
    private static let indent = "  "

    /// Whether a table of these rows is as wide as the terminal at most.
    static func fit(_ stops: Table, in width: Int) -> Bool {
        let widths = stops.columns.indices.map { index in
            ([stops.columns[index]] + stops.rows.map { $0[index].text ?? "" }).map(\.displayWidth).max() ?? 0
        }
        return widths.reduce(0, +) + indent.count * max(0, widths.count - 1) <= width
    }

    /// A line that says what and since when, and its reason below, broken between words.
    ///
    /// - Parameter stops: rows of stop, subject, reason, since.
    static func text(of stops: Table, width: Int) -> String {
        stops.rows.map { row in
            let cells = row.map { ($0.text ?? "").withVisibleControls }
            let since = cells[3].isEmpty ? "" : ", since \(cells[3])"
            return (["\(cells[0]): \(cells[1])\(since)"] + lines(cells[2], width)).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func lines(_ reason: String, _ width: Int) -> [String] {
        reason.split(separator: " ").reduce(into: []) { lines, word in
            if let last = lines.last, last.displayWidth + 1 + String(word).displayWidth <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(indent + word)
            }
        }
    }
}
