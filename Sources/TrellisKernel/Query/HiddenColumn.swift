/// A column that a question read as NULL because it is hidden from whoever asks. Every number that follows from it may
/// be another than the true one.
///
/// A view counts with all of its columns, those that the question leaves out as well: SQLite asks of each
/// (https://www.sqlite.org/c3ref/c_alter_table.html, `SQLITE_READ`) before it knows which are needed.
public struct HiddenColumn: Sendable, Hashable, Comparable {
    /// The table and the column, in lower case: `leads.email`.
    public let name: String
    /// The view, or the relation of a `WITH`, that reads it; nil where the question itself does.
    public let reader: String?

    public init(_ name: String, reader: String? = nil) {
        self.name = name
        self.reader = reader
    }

    public static func < (left: HiddenColumn, right: HiddenColumn) -> Bool {
        (left.reader ?? "", left.name) < (right.reader ?? "", right.name)
    }

    /// How many columns a sentence names before it counts the rest.
    private static let namedMax = 6

    /// `lead_cards reads leads.email, which is hidden from you: it counts as empty.` A sentence for each view.
    public static func sentences(_ columns: [HiddenColumn]) -> [String] {
        Dictionary(grouping: columns, by: \.reader).sorted { ($0.key ?? "") < ($1.key ?? "") }.map { reader, columns in
            let names = columns.map(\.name).sorted()
            let rest = names.count > namedMax ? " and \(names.count - namedMax) more" : ""
            let end =
                names.count > 1
                ? "which are hidden from you: they count as empty." : "which is hidden from you: it counts as empty."
            return "\(reader ?? "This query") reads \(names.prefix(namedMax).joined(separator: ", "))\(rest), \(end)"
        }
    }
}
