import Foundation
import TrellisKernel

/// What came of a question in SQL: rows as they were written, and why there are no more.
public struct QueryAnswer: Sendable {
    private(set) var columns: [String] = []
    /// Each in the form that was asked for.
    private(set) var rows: [[UInt8]] = []
    /// How it ended: what cut it, or why there is no more.
    public private(set) var ending: GuardedQuery.Ending
    let elapsed: Duration

    /// - Parameter isOutOfTime: whether the process had to be killed.
    init(frames: [AnswerFrame], isOutOfTime: Bool, allowance: GuardedQuery.Allowance, elapsed: Duration) {
        self.elapsed = elapsed
        // A process that ends without a word was ended by a limit of its memory or of its processor.
        ending = GuardedQuery.Ending(problem: isOutOfTime ? .outOfTime(allowance) : .outOfMemory)
        for frame in frames {
            switch frame.kind {
            case .columns:
                columns =
                    JSONValue(parsing: String(decoding: frame.body, as: UTF8.self))?.elements
                    .map { $0.scalarText ?? "" } ?? []
            case .row: rows.append(frame.body)
            case .end: ending = GuardedQuery.Ending(text: String(decoding: frame.body, as: UTF8.self))
            }
        }
    }

    /// The hidden columns that were read as NULL, each once: `leads.email`.
    var hidden: [String] { Set(ending.hidden.map(\.name)).sorted() }

    /// The names of a header are no more than these, so that no proxy finds the head too long.
    private static let headerNamesMax = 20
    private static let headerCharacters = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: ","))

    /// `leads.email, leads.phone`; nil where nothing hidden was read. A byte that may stand in no header is percent
    /// encoded (RFC 3986, 2.1).
    var hiddenHeader: String? {
        let names = hidden
        guard !names.isEmpty else { return nil }
        let shown = names.prefix(QueryAnswer.headerNamesMax).map {
            $0.addingPercentEncoding(withAllowedCharacters: QueryAnswer.headerCharacters) ?? ""
        }
        let rest = names.count - shown.count
        return shown.joined(separator: ", ") + (rest > 0 ? ", and \(rest) more" : "")
    }

    /// `{"columns": […], "rows": [[…]], "truncated": false, "cut_by": null, "hidden": [], "elapsed_ms": 3}`; where
    /// there is a problem, its sentence as `error` and the rows that came before it.
    public func json() -> [UInt8] {
        var output = Array("{".utf8)
        if let problem = ending.problem {
            output += Array("\"error\":\(JSONValue.string(problem.description).text()),".utf8)
        }
        output += Array("\"columns\":\(JSONValue.array(columns.map(JSONValue.string)).text()),\"rows\":[".utf8)
        for (index, row) in rows.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output += row
        }
        let cut = ending.cutBy.map(JSONValue.string) ?? .null
        let hiddenNames = JSONValue.array(hidden.map(JSONValue.string))
        let isCut = ending.cutBy != nil || ending.problem != nil
        output += Array(
            "],\"truncated\":\(isCut),\"cut_by\":\(cut.text()),\"hidden\":\(hiddenNames.text()),".utf8)
        output += Array("\"elapsed_ms\":\(elapsed.milliseconds)}\n".utf8)
        return output
    }

    /// The rows one after another, as NDJSON and CSV have them.
    func lines() -> [UInt8] { rows.reduce(into: []) { $0 += $1 } }

    /// The cells of rows that were written as JSON.
    var cells: [[JSONValue]] {
        rows.map { JSONValue(parsing: String(decoding: $0, as: UTF8.self))?.elements ?? [] }
    }
}
