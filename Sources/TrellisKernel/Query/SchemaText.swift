/// The schema of a file as SQL, each table under the comment that says what a row is. SQLite keeps the comments inside
/// a statement; those above it stand in the migrations and the files of views, whose texts are kept too.
public struct SchemaText {
    /// Selects the rows that ``init(migrations:objects:)`` takes.
    public static let objects = """
        SELECT type, name, tbl_name, sql FROM sqlite_schema
        WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND type IN ('table', 'view', 'index')
        ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, name
        """

    /// Selects the texts that hold the comments, of which the last counts.
    public static let sources = """
        SELECT sql FROM (SELECT sql, 1 AS part, applied_at, id FROM migrations UNION ALL SELECT sql, 2, NULL, id FROM view_files)
        ORDER BY part, applied_at, id
        """

    private let comments: [String: String]
    private let objects: [(type: String, name: String, table: String, sql: String)]

    /// - Parameters:
    ///   - sources: the texts of ``sources``.
    ///   - objects: rows of ``objects``.
    public init(sources: [String], objects: [[Cell]]) {
        comments = sources.reduce(into: [:]) { comments, text in
            comments.merge(SchemaText.comments(in: text)) { _, later in later }
        }
        self.objects = objects.compactMap { row in
            guard row.count == 4, let type = row[0].text, let name = row[1].text, let table = row[2].text,
                let sql = row[3].text
            else { return nil }
            return (type, name, table, sql)
        }
    }

    /// The names of the tables and views.
    public var names: [String] { objects.filter { $0.type != "index" }.map(\.name) }

    /// The statements that make a table or a view with its indexes, or everything; empty where there is none of this
    /// name.
    public func statements(of name: String? = nil) -> [String] {
        objects.filter { $0.type != "index" && (name == nil || $0.name.lowercased() == name?.lowercased()) }.map {
            object in
            let indexes = objects.filter { $0.type == "index" && $0.table == object.name }.map { $0.sql + ";" }
            let comment = comments[object.name].map { $0 + "\n" } ?? ""
            return ([comment + object.sql + ";"] + indexes).joined(separator: "\n")
        }
    }

    /// The first line of the comment of a table or a view, after a colon; empty where it has none.
    public func summary(of name: String) -> String {
        let first = comments[name]?.split(separator: "\n").first?.drop { $0 == "-" || $0 == " " }
        return first.map { ": \($0)" } ?? ""
    }

    /// The lines of comment right above each `CREATE TABLE` and `CREATE VIEW`.
    private static func comments(in text: String) -> [String: String] {
        var (comments, above) = ([String: String](), [Substring]())
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("--") {
                above.append(line)
                continue
            }
            let words = line.split(separator: " ", maxSplits: 3)
            if words.count > 2, words[0] == "CREATE", ["TABLE", "VIEW"].contains(words[1]), !above.isEmpty {
                let name = String(words[2].prefix { $0 != "(" && $0 != " " })
                comments[name.replacing("\"", with: "")] = above.joined(separator: "\n")
            }
            above = []
        }
        return comments
    }
}
