/// How a table was at a moment, by what the file keeps: a temporary view of the same name and columns takes its place
/// for `trellis as-of`.
///
/// ```swift
/// PastView("audiences_members", from: "main.audiences_members AS t WHERE t.since <= :at", [
///     "until": "CASE WHEN t.until <= :at THEN t.until END"
/// ])
/// ```
///
/// In its SQL `:at` is the moment. A name alone is the past of that table, and `main.NAME` what it is now. Three
/// temporary tables tell what the log says of leads that came to an end: `past_absences (lead_id)` has those that were
/// deleted at the moment and are back now; `past_merges (gone_id, now_id)` those that were merged since, and into whom;
/// `past_owners (lead_id, then_id)` those that had been merged by then, and into whom.
public struct PastView: Sendable {
    public let table: String
    let sources: [Source]
    let asNow: [String]
    /// Whether its rows stand under the lead whose they were then, also where that one was merged since.
    let separatesMerged: Bool

    /// Rows of a view, and the columns in which they differ from the table.
    public struct Source: Sendable {
        let from: String
        let columns: [(name: String, expression: String)]
        /// The column with a whole row as JSON, where the rows of the table are kept so.
        let json: String?

        /// - Parameters:
        ///   - from: what stands after FROM, the rows under the name `t`.
        ///   - columns: SQL over `t` by column; all others are what they are in `t`.
        ///   - json: a column of `t` that holds the other columns as an object.
        public init(from: String, _ columns: KeyValuePairs<String, String> = [:], json: String? = nil) {
            self.from = from
            self.columns = columns.map { ($0.key, $0.value) }
            self.json = json
        }

        func select(_ all: [String]) -> String {
            let list = all.map { name in
                let own = columns.first { $0.name == name }?.expression
                return "\(own ?? plain(name)) AS \"\(name)\""
            }
            return "SELECT \(list.joined(separator: ", ")) FROM \(from)"
        }

        private func plain(_ name: String) -> String {
            json.map { "json_extract(t.\($0), '$.\"\(name)\"')" } ?? "t.\"\(name)\""
        }
    }

    /// - Parameter asNow: columns whose past is not kept: shown as they are now, and whoever reads one is told.
    public init(
        _ table: String, from: String, _ columns: KeyValuePairs<String, String> = [:], asNow: [String] = []
    ) {
        self.init(table, [Source(from: from, columns)], asNow: asNow)
    }

    /// - Parameters:
    ///   - sources: the rows of all of them together.
    ///   - separatesMerged: whether each row stands under the lead whose it was then; otherwise whoever reads it is
    ///     told that some were merged since.
    public init(_ table: String, _ sources: [Source], asNow: [String] = [], separatesMerged: Bool = false) {
        self.table = table
        self.sources = sources
        self.asNow = asNow
        self.separatesMerged = separatesMerged
    }

    /// The statement that makes the view for the columns that the table has.
    func sql(columns: [String], at moment: PastMoment) -> String {
        let select = sources.map { $0.select(columns) }.joined(separator: "\nUNION ALL\n")
        // No parameter may stand in a view; the text is our own writing of an instant.
        return "CREATE TEMP VIEW \"\(table)\" AS\n" + select.replacing(/:at\b/, with: moment.stamp.sqlLiteral)
    }
}
