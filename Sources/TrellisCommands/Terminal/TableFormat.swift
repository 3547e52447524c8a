import TrellisKernel

/// The ways a table is written out, named as a person names them on the command line.
public enum TableFormat: String, CaseIterable, Sendable {
    /// Aligned columns for reading.
    case table

    /// A block per row, a line per column.
    case line

    /// Comma-separated values by RFC 4180, with LF at the end of a line.
    ///
    /// NULL is an empty field and empty text is `""`. A lone NULL, in a table of one column, is `""` as
    /// well, because many readers skip an empty line. Text that a spreadsheet would calculate gets a `'` in
    /// front.
    case csv

    /// One array of objects, one object to a line.
    case json

    /// One object to a line, with nothing around them.
    case jsonl

    /// A table in GitHub Flavored Markdown.
    case markdown

    /// What is written where the rows would be, when there are none.
    public static let noRowsNotice = "(no rows)"

    /// What is written after the rows of a truncated table.
    ///
    /// Where ``isForPrograms`` there is no room for it: there it belongs on standard error.
    public static let truncationNotice = "… more rows; add LIMIT, or --limit 0"

    /// Whether programs read it: there is no room in it for a word to people.
    public var isForPrograms: Bool {
        switch self {
        case .csv, .json, .jsonl: true
        case .table, .line, .markdown: false
        }
    }

    /// The table as text, each line ended by a newline.
    ///
    /// - Parameters:
    ///   - table: The rows to write.
    ///   - width: The width of the terminal in cells, or `nil` for a file or a pipe. Without a width nothing
    ///     is shortened and nothing is coloured. Only `table` shortens: the widest columns first, to no less
    ///     than 8 cells each, and if that does not fit, each row becomes a block of one line per column.
    ///   - colour: Whether escape sequences may be used.
    public func rendered(_ table: Table, width: Int?, colour: Bool) -> String {
        var output = ""
        var writer = RowWriter(
            format: self,
            columns: table.columns,
            width: width,
            colour: colour,
            measuredRowsMax: table.rows.count
        ) { output += $0 }
        for row in table.rows {
            writer.append(row)
        }
        writer.finish(isTruncated: table.isTruncated)
        return output
    }
}
