import TrellisKernel

/// Where each column of a table goes, decided once from the first rows and then kept.
struct TableLayout {
    /// The least a column is shortened to, in cells; below it a name or an address says nothing.
    static let shortenedWidthMin = 8

    enum Form: Hashable {
        /// Columns below each other; records where they do not fit.
        case aligned
        /// A block per row, a line per column.
        case records
        /// Never shortened.
        case markdown
    }

    private static let gap = 2
    /// A single row of more columns is one thing that is looked at, as `SELECT * … WHERE id = 7`.
    private static let shortRowColumnsMax = 6

    private let titles: [String]
    private let isMarkdown: Bool
    private let isOnTerminal: Bool
    private let style: TextStyle
    private let isNumeric: [Bool]
    private let widths: [Int]
    private let isVertical: Bool

    /// Finds the widths.
    ///
    /// - Parameters:
    ///   - columns: The names of the columns.
    ///   - measuredRows: The rows to measure, each with one cell per column.
    ///   - form: How rows are written.
    ///   - width: The width of the terminal in cells, or `nil` for a file or a pipe.
    ///   - style: The styles for headers, rules and NULL.
    init(columns: [String], measuredRows: [[Cell]], form: Form, width: Int?, style: TextStyle) {
        let isMarkdown = form == .markdown
        let isOnTerminal = width != nil && !isMarkdown
        self.titles = columns.map { isMarkdown ? MarkdownText.escaped($0) : $0.withVisibleControls }
        self.isMarkdown = isMarkdown
        self.isOnTerminal = isOnTerminal
        self.style = isOnTerminal ? style : TextStyle(isColoured: false)
        // A delimiter of Markdown needs three characters.
        var natural = titles.map { max($0.displayWidth, isMarkdown ? 3 : 1) }
        var numbers = columns.map { _ in false }
        var others = columns.map { _ in false }
        for row in measuredRows {
            for (index, cell) in row.enumerated() {
                let shown = TableLayout.shown(cell, isMarkdown: isMarkdown, isOnTerminal: isOnTerminal)
                natural[index] = max(natural[index], shown.displayWidth)
                switch cell {
                case .integer, .real: numbers[index] = true
                case .text, .blob: others[index] = true
                case .null: break
                }
            }
        }
        let isNumeric = zip(numbers, others).map { $0 && !$1 }
        self.isNumeric = isNumeric
        guard isOnTerminal, let width, form == .aligned else {
            self.widths = natural
            self.isVertical = form == .records
            return
        }
        let space = width - TableLayout.gap * (columns.count - 1)
        let fitted = TableLayout.fitted(natural, isNumeric: isNumeric, into: space)
        self.widths = fitted ?? natural
        // One long row that must be shortened is read better below each other, whole.
        let isOneLongRow = measuredRows.count == 1 && columns.count > TableLayout.shortRowColumnsMax
        self.isVertical = fitted == nil || isOneLongRow && fitted != natural
    }

    /// The lines above the first row; empty for vertical records, which carry their column names.
    var header: String {
        if titles.isEmpty || isVertical { return "" }
        if isMarkdown {
            let rules = zip(widths, isNumeric).map { width, isNumeric in
                String(repeating: "-", count: isNumeric ? width - 1 : width) + (isNumeric ? ":" : "")
            }
            return markdownLine(titles) + markdownLine(rules)
        }
        let rules = widths.map { String(repeating: "─", count: $0) }
        return alignedLine(titles, style: style.bold) + alignedLine(rules, style: style.dim)
    }

    /// One row, newline included; `number` counts from 1 and heads a vertical record.
    func text(of row: [Cell], number: Int) -> String {
        if isMarkdown {
            return markdownLine(row.map { TableLayout.shown($0, isMarkdown: true, isOnTerminal: false) })
        }
        let texts = row.map { TableLayout.shown($0, isMarkdown: false, isOnTerminal: isOnTerminal) }
        if isVertical { return verticalRecord(texts, row: row, number: number) }
        return alignedLine(texts) { index, text in row[index] == .null ? style.dim(text) : text }
    }
}

// MARK: Widths

extension TableLayout {
    /// Takes cells from the widest columns until all fit into `space`, or gives `nil` if they never do.
    ///
    /// Half a number misleads more than half a name, so numbers are shortened only if nothing else helps.
    static func fitted(_ natural: [Int], isNumeric: [Bool], into space: Int) -> [Int]? {
        if natural.reduce(0, +) <= space { return natural }
        let low = natural.map { min($0, shortenedWidthMin) }
        let lowButNumbers = zip(isNumeric, zip(natural, low)).map { $0 ? $1.0 : $1.1 }
        if lowButNumbers.reduce(0, +) <= space {
            return levelled(natural, floors: lowButNumbers, into: space)
        }
        if low.reduce(0, +) <= space {
            return levelled(natural, floors: low, into: space)
        }
        return nil
    }

    /// Cuts every column at one level, the highest that fits, and gives the cells left over to the first of
    /// those cut. The floors are known to fit.
    private static func levelled(_ natural: [Int], floors: [Int], into space: Int) -> [Int] {
        func cut(at level: Int) -> [Int] {
            zip(natural, floors).map { max($1, min($0, level)) }
        }
        var fitting = shortenedWidthMin
        var tooHigh = natural.max() ?? shortenedWidthMin
        while tooHigh - fitting > 1 {
            let middle = (fitting + tooHigh) / 2
            if cut(at: middle).reduce(0, +) <= space { fitting = middle } else { tooHigh = middle }
        }
        var widths = cut(at: fitting)
        var spare = space - widths.reduce(0, +)
        for index in widths.indices where spare > 0 && widths[index] < natural[index] {
            widths[index] += 1
            spare -= 1
        }
        return widths
    }
}

// MARK: Lines

extension TableLayout {
    /// The text of a cell. NULL is a dot on a terminal and nothing elsewhere, and so never reads as a word.
    private static func shown(_ cell: Cell, isMarkdown: Bool, isOnTerminal: Bool) -> String {
        guard let text = cell.text else { return isOnTerminal ? "·" : "" }
        if isOnTerminal, text.utf8.count == 23, text.hasSuffix(".000"), Timestamp.date(text) != nil {
            return String(text.dropLast(4))
        }
        return isMarkdown ? MarkdownText.escaped(text) : text.withVisibleControls
    }

    private func alignedLine(_ texts: [String], style: (String) -> String) -> String {
        alignedLine(texts) { _, text in style(text) }
    }

    /// Joins cells at their columns. Spaces are owed until something follows, so that no line ends in one.
    private func alignedLine(_ texts: [String], styled: (Int, String) -> String) -> String {
        var line = ""
        var owedSpaces = 0
        for (index, text) in texts.enumerated() {
            let shown = isOnTerminal ? text.shortened(to: widths[index]) : text
            let padding = max(0, widths[index] - shown.displayWidth)
            if isNumeric[index] { owedSpaces += padding }
            if !shown.isEmpty {
                line += String(repeating: " ", count: owedSpaces) + styled(index, shown)
                owedSpaces = 0
            }
            owedSpaces += TableLayout.gap + (isNumeric[index] ? 0 : padding)
        }
        return line + "\n"
    }

    private func markdownLine(_ texts: [String]) -> String {
        if texts.isEmpty { return "" }
        var line = "|"
        for (index, text) in texts.enumerated() {
            let padding = String(repeating: " ", count: max(0, widths[index] - text.displayWidth))
            line += isNumeric[index] ? " \(padding)\(text) |" : " \(text)\(padding) |"
        }
        return line + "\n"
    }

    /// A record is read to see everything, so its values are never shortened.
    private func verticalRecord(_ texts: [String], row: [Cell], number: Int) -> String {
        let titleWidth = titles.reduce(0) { max($0, $1.displayWidth) }
        var record = style.dim("── \(number) ──") + "\n"
        for (index, text) in texts.enumerated() {
            let title = titles[index]
            let padding = String(repeating: " ", count: titleWidth - title.displayWidth + TableLayout.gap)
            let value = row[index] == .null ? style.dim(text) : text
            record += style.bold(title) + (text.isEmpty ? "" : padding + value) + "\n"
        }
        return record
    }
}
