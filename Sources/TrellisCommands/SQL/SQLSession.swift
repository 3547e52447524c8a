import CTrellisProcess
import Foundation
import TrellisKernel

/// What statements are run on, and how their answers are shown: the same for one statement of the command line and for
/// many at the prompt.
struct SQLSession {
    enum Access {
        case reading(SQLConnection)
        case writing(HandWriting)
        case past(PastAccess)
    }

    let path: String
    let access: Access
    let queries: [Named<NamedQuery>]
    /// The form that whoever asks named; nil leaves it to the query.
    var chosenFormat: TableFormat?
    /// Whether CSV is for a program: see `FormulaGuard`.
    var isRaw = false
    /// Whether an answer of two columns is drawn as bars; at the prompt any other is a table then.
    var isChart: Bool
    var isChartOnly = true
    /// Rows on a terminal; 0 means all, and nil what suits the form.
    var rowsMax: Int?
    /// How much a statement may take; nil where it may write.
    var limits: ReadingLimits?
    var overrun = Overrun.ends()

    /// What becomes of the program where a statement does not stop when its time is up, because one function of it goes
    /// on and on. It only reads: nothing is left half done.
    enum Overrun {
        /// It ends, with one sentence more than that the time is up.
        case ends(saying: String = "")
        /// It begins anew with the arguments it has.
        case beginsAnew
    }

    /// Of a table for people, which nobody reads to its end.
    static let rowsMaxDefault = 1_000
    /// What the rows of a chart may hold, since all of them are needed for the first bar.
    private static let chartBytesMax = 16 << 20

    var format: TableFormat { chosenFormat ?? .table }

    var isWriting: Bool {
        if case .writing = access { true } else { false }
    }

    /// Rows at most: what programs read is cut by nothing but a limit that somebody named, and what leaves the terminal
    /// by nothing at all.
    static func most(_ rowsMax: Int?, of format: TableFormat, onTerminal isTerminal: Bool) -> Int {
        let most = rowsMax ?? (format.isForPrograms ? 0 : rowsMaxDefault)
        return isTerminal && most > 0 ? most : .max
    }

    /// Runs one statement and shows its rows as they come, or how many it changed.
    func run(_ sql: String, _ values: [String: Cell] = [:]) throws {
        let terminal = Terminal.attached(to: STDOUT_FILENO)
        let most = SQLSession.most(rowsMax, of: format, onTerminal: terminal.isTerminal)
        var (chart, writer) = (Table(columns: []), RowWriter?.none)
        var (count, isCut, held) = (0, false, 0)
        let columns = { (names: [String]) in
            trellis_hold_end(1)
            defer { trellis_hold_end(0) }
            guard !isChart || !isChartOnly && names.count != 2 else {
                chart.columns = names
                return
            }
            guard !names.isEmpty else { return }
            writer = RowWriter(
                format: format, columns: names, width: terminal.width, colour: terminal.allowsColour, isRaw: isRaw
            ) { print($0, terminator: "") }
        }
        let row = { (cells: [Cell]) throws -> Bool in
            // Whoever takes the rows, such as a pager, may be slow.
            trellis_hold_end(1)
            defer { trellis_hold_end(0) }
            guard count < most else {
                isCut = true
                return false
            }
            count += 1
            guard writer == nil else {
                writer?.append(cells)
                return true
            }
            held += cells.reduce(0) { $0 + $1.byteCount }
            guard held <= SQLSession.chartBytesMax else {
                throw KernelError.data(
                    "A chart holds its rows, and these are more than \(SQLSession.chartBytesMax >> 20) MB. Ask for fewer."
                )
            }
            chart.rows.append(cells)
            return true
        }
        let outcome: HandWriting.Outcome?
        do {
            guardTime()
            defer { trellis_end_never() }
            switch access {
            case .reading(let connection):
                try connection.run(sql, parameters: values, columns: columns, row: row)
                outcome = nil
            case .writing(let writing):
                outcome = try writing.run(sql, parameters: values, columns: columns, row: row)
            case .past(let past):
                try past.run(sql, values, columns, row)
                outcome = nil
            }
        }
        writer?.finish(isTruncated: isCut)
        if !chart.columns.isEmpty {
            print(try BarChart(chart).rendered(width: terminal.width), terminator: "")
        }
        if isCut, writer == nil || format.isForPrograms {
            fflush(nil)
            TrellisProgram.note(
                "\(count) row\(count == 1 ? " is" : "s are") shown, and there are more. All of them: --limit 0.")
        }
        if case .past(let past) = access { try past.doubts() }
        if let outcome, let id = outcome.id {
            TrellisProgram.note(outcome.receipt("Undo with: trellis undo \(id)"))
        }
    }

    /// From here on ``overrun`` says what becomes of the program, should a statement not have stopped by itself a
    /// second after its time, and have given no row in that second.
    private func guardTime() {
        guard let limits else { return }
        // What was answered before is not lost.
        fflush(nil)
        let (more, arguments) =
            switch overrun {
            case .ends(let more): (more, UnsafeMutablePointer<UnsafeMutablePointer<Int8>?>?.none)
            case .beginsAnew: ("", CommandLine.unsafeArgv)
            }
        trellis_end_after(
            UInt32(limits.seconds * 1_000),
            TrellisProgram.complaint(limits.tookLonger + more), KernelError.data("").exitCode, arguments)
    }

    /// Statements of one word, which are SQL where no query is called so.
    private static let bareStatements: Set<String> = [
        "analyze", "begin", "commit", "end", "reindex", "rollback", "vacuum",
    ]

    /// Runs a query of the config: its name, and then `--parameter value`.
    func runNamed(_ words: [String]) throws {
        let name = words.first ?? ""
        guard let query = queries.first(where: { $0.name == name }) else {
            if SQLSession.bareStatements.contains(name.lowercased()) { return try run(name) }
            let names = queries.map(\.name)
            throw KernelError.usage(
                "There is no query '\(name)' in the config.\(NearMiss.hint(name, among: names))"
                    + (names.isEmpty ? "" : " There are: \(names.joined(separator: ", "))."))
        }
        var session = self
        if chosenFormat == nil {
            session.chosenFormat = query.value.format.flatMap { TableFormat(rawValue: $0.rawValue) }
            session.isChart = isChart || query.value.isChart
        }
        try session.run(
            query.value.sql.value, try query.value.values(SQLSession.values(of: Array(words.dropFirst()))))
    }

    /// The values of `--name value` and `--name=value`; `null` means none.
    static func values(of words: [String]) throws -> [String: String?] {
        var values: [String: String?] = [:]
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                throw KernelError.usage("Unexpected '\(word)'. Parameters are given as --name value.")
            }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw KernelError.usage("\(word) needs a value.")
            }
            values[String(parts[0])] = value == "null" ? .some(nil) : value
        }
        return values
    }

    /// Runs `body` while Ctrl-C stops the statement that it runs, and not the program.
    func whileStoppable(_ body: () throws -> Void) throws {
        switch access {
        case .reading(let connection): try connection.whileStoppable(body)
        case .writing(let writing): try writing.whileStoppable(body)
        case .past(let past): try past.reader.connection.whileStoppable(body)
        }
    }

    /// Reads for the prompt itself.
    func table(_ sql: String, _ values: [String: Cell] = [:]) throws -> Table {
        switch access {
        case .reading(let connection): try connection.table(sql, parameters: values)
        case .writing(let writing): try writing.table(sql, parameters: values)
        case .past(let past): try past.reader.connection.table(sql, parameters: values)
        }
    }
}
