import TrellisKernel

/// The answer to a query of two columns, a label and a number, as bars.
struct BarChart {
    private let labels: [String]
    private let values: [Double]
    private let texts: [String]

    /// Labels are cut here.
    private static let labelWidthMax = 32
    /// The bars of a file or a pipe.
    private static let widthDefault = 72

    /// - Throws: ``KernelError/usage(_:)`` for a table that is none of a label and a number.
    init(_ table: Table) throws {
        guard table.columns.count == 2 else { throw BarChart.problem }
        var (labels, values, texts) = ([String](), [Double](), [String]())
        for row in table.rows {
            switch row[1] {
            case .integer(let number): values.append(Double(number))
            case .real(let number) where number.isFinite: values.append(number)
            case .null: values.append(0)
            default: throw BarChart.problem
            }
            labels.append((row[0].text ?? "–").withVisibleControls.shortened(to: BarChart.labelWidthMax))
            texts.append(row[1].text ?? "–")
        }
        (self.labels, self.values, self.texts) = (labels, values, texts)
    }

    private static let problem = KernelError.usage("A chart takes a query of two columns: a label and a number.")

    /// - Parameter width: of the terminal in cells; nil for a file or a pipe, which get plain letters.
    func rendered(width: Int?) -> String {
        guard !values.isEmpty else { return TableFormat.noRowsNotice + "\n" }
        let labelWidth = labels.map(\.displayWidth).max() ?? 0
        let textWidth = texts.map(\.displayWidth).max() ?? 0
        let space = max(8, (width ?? BarChart.widthDefault) - labelWidth - textWidth - 4)
        let most = max(values.max() ?? 0, 0)
        return zip(zip(labels, texts), values).map { pair, value in
            let (label, text) = pair
            let padding = String(repeating: " ", count: labelWidth - label.displayWidth)
            let lead = String(repeating: " ", count: textWidth - text.displayWidth)
            let bar = BarChart.bar(most > 0 ? max(value, 0) / most : 0, space, isPlain: width == nil)
            return "\(label)\(padding)  \(lead)\(text)\(bar.isEmpty ? "" : "  " + bar)\n"
        }.joined()
    }

    private static func bar(_ share: Double, _ space: Int, isPlain: Bool) -> String {
        if isPlain { return String(repeating: "#", count: Int((share * Double(space)).rounded())) }
        return BlockBar.text(share, width: space)
    }
}
