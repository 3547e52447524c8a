import TrellisKernel

/// Writes a table row by row, so that a million rows need no more memory than a thousand.
///
/// `csv`, `json` and `jsonl` hold nothing back. `table` and `markdown` hold the first 1,000 rows, or 16 MB of long
/// ones, to find the widths of the columns and keep those widths for the rest. Nothing is written before the first
/// row or the end, so a query that fails at once leaves no output.
///
/// ```swift
/// var writer = RowWriter(format: .csv, columns: ["id"]) { print($0, terminator: "") }
/// writer.append([1])
/// writer.finish()
/// ```
public struct RowWriter {
    /// How many rows are looked at to find the widths: enough to be right for nearly all tables, and few
    /// enough to appear at once.
    static let measuredRowsMax = 1_000

    /// How much those rows may hold.
    static let measuredBytesMax = 16 << 20

    private let format: TableFormat
    private let columns: [String]
    private let keys: [String]
    private let commas: CommaSeparatedText
    private let width: Int?
    private let style: TextStyle
    private let measuredRowsMax: Int
    private let measuredBytesMax: Int
    private let write: (String) -> Void

    private var heldRows: [[Cell]] = []
    private var heldBytes = 0
    private var layout: TableLayout?
    private var rowCount = 0

    /// Makes a writer that hands whole lines to `write`, newlines included.
    ///
    /// `width` and `colour` mean what they mean to `TableFormat.rendered(_:width:colour:)`; `isRaw` leaves what a
    /// spreadsheet would calculate as it is in `csv`, for a program that reads it.
    public init(
        format: TableFormat,
        columns: [String],
        width: Int? = nil,
        colour: Bool = false,
        isRaw: Bool = false,
        write: @escaping (String) -> Void
    ) {
        self.init(
            format: format,
            columns: columns,
            width: width,
            colour: colour,
            isRaw: isRaw,
            measuredRowsMax: RowWriter.measuredRowsMax,
            write: write
        )
    }

    init(
        format: TableFormat,
        columns: [String],
        width: Int?,
        colour: Bool,
        isRaw: Bool = false,
        measuredRowsMax: Int,
        measuredBytesMax: Int = RowWriter.measuredBytesMax,
        write: @escaping (String) -> Void
    ) {
        self.format = format
        self.columns = columns
        self.keys = format == .json || format == .jsonl ? JSONText.keys(for: columns) : []
        self.commas = CommaSeparatedText(isRaw: isRaw)
        self.width = width
        self.style = TextStyle(isColoured: colour && width != nil)
        self.measuredRowsMax = measuredRowsMax
        self.measuredBytesMax = measuredBytesMax
        self.write = write
    }

    /// Writes one row. A short row is filled up with NULL; cells beyond the last column are not written.
    public mutating func append(_ row: [Cell]) {
        var row = row
        if row.count < columns.count {
            row += Array(repeating: .null, count: columns.count - row.count)
        } else if row.count > columns.count {
            row.removeLast(row.count - columns.count)
        }
        rowCount += 1
        switch format {
        case .csv:
            if rowCount == 1 { write(commas.header(columns)) }
            write(commas.line(row))
        case .json:
            write((rowCount == 1 ? "[\n  " : ",\n  ") + JSONText.object(row, keys: keys))
        case .jsonl:
            write(JSONText.object(row, keys: keys) + "\n")
        case .table, .line, .markdown:
            appendAligned(row)
        }
    }

    /// Writes what was held back and what closes the format. Call it once, after the last row; not calling
    /// it after a failure leaves a JSON array open, and so tells the reader that rows are missing.
    public mutating func finish(isTruncated: Bool = false) {
        switch format {
        case .csv:
            if rowCount == 0 { write(commas.header(columns)) }
        case .json:
            write(rowCount == 0 ? "[]\n" : "\n]\n")
        case .jsonl:
            break
        case .table, .line, .markdown:
            finishAligned(isTruncated: isTruncated)
        }
    }

    private mutating func appendAligned(_ row: [Cell]) {
        if let layout {
            write(layout.text(of: row, number: rowCount))
            return
        }
        heldRows.append(row)
        heldBytes += row.reduce(0) { $0 + $1.byteCount }
        if heldRows.count >= measuredRowsMax || heldBytes > measuredBytesMax { layOut() }
    }

    private mutating func finishAligned(isTruncated: Bool) {
        if layout == nil, rowCount > 0 || format == .markdown { layOut() }
        let isMarkdown = format == .markdown
        if rowCount == 0 {
            write((isMarkdown && !columns.isEmpty ? "\n" : "") + style.dim(TableFormat.noRowsNotice) + "\n")
        }
        if isTruncated {
            write((isMarkdown ? "\n" : "") + style.dim(TableFormat.truncationNotice) + "\n")
        }
    }

    private mutating func layOut() {
        let layout = TableLayout(
            columns: columns,
            measuredRows: heldRows,
            form: format == .markdown ? .markdown : format == .line ? .records : .aligned,
            width: width,
            style: style
        )
        write(layout.header)
        for (index, row) in heldRows.enumerated() {
            write(layout.text(of: row, number: index + 1))
        }
        heldRows = []
        self.layout = layout
    }
}
