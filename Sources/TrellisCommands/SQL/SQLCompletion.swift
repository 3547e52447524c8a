import TrellisKernel

/// What a tab offers at a place of a statement: dot commands and named queries at its beginning, tables and views after
/// the words that such a name follows, columns and the rest of SQL elsewhere.
struct SQLCompletion {
    /// The columns of each table and view.
    var tables: [String: [String]] = [:]
    var queries: [String] = []

    static let commands = [".chart", ".exit", ".help", ".mode", ".queries", ".quit", ".schema", ".tables"]
    private static let tableWords: Set<String> = ["from", "join", "into", "update", "table", ".schema"]
    private static let keywords = [
        "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "COUNT(", "DELETE", "DESC", "DISTINCT", "ELSE", "END", "EXISTS",
        "FROM", "GROUP", "HAVING", "IN", "INSERT", "INTO", "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "NOT", "NULL", "ON",
        "OR", "ORDER", "OVER", "PARTITION", "SELECT", "SET", "SUM(", "THEN", "UNION", "UPDATE", "VALUES", "WHEN",
        "WHERE", "WITH",
    ]

    /// - Parameters:
    ///   - line: what stands before the cursor in its line.
    ///   - statement: the lines before it.
    func complete(_ line: String, after statement: String = "") -> LineEditor.Completion {
        let word = String(line.reversed().prefix { !SQLCompletion.ends($0) }.reversed())
        let lead = line.dropLast(word.count)
        let before = (statement + " " + lead).split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
        return LineEditor.Completion(count: word.count, candidates: found(word, before, isFirst: before.isEmpty))
    }

    private func found(_ word: String, _ before: [String], isFirst: Bool) -> [String] {
        if isFirst, word.hasPrefix(".") { return SQLCompletion.matching(word, SQLCompletion.commands) }
        if before == [".mode"] { return SQLCompletion.matching(word, TableFormat.allCases.map(\.rawValue)) }
        if let dot = word.lastIndex(of: ".") {
            // `l.em`: of a table by its name or by what the statement calls it.
            let (alias, part) = (String(word[..<dot]), String(word[word.index(after: dot)...]))
            let columns = tables[named(alias, before)] ?? []
            return SQLCompletion.matching(part, columns).map { alias + "." + $0 }
        }
        if let last = before.last, SQLCompletion.tableWords.contains(last) {
            return SQLCompletion.matching(word, tables.keys.sorted())
        }
        if isFirst {
            return SQLCompletion.matching(word, queries) + SQLCompletion.matching(word, SQLCompletion.keywords)
        }
        guard !word.isEmpty else { return [] }
        let known = tables.keys.filter { before.contains($0) }.flatMap { tables[$0] ?? [] }
        let columns = known.isEmpty ? tables.values.flatMap { $0 } : known
        return SQLCompletion.matching(word, Set(columns).sorted()) + SQLCompletion.matching(word, tables.keys.sorted())
            + SQLCompletion.matching(word, SQLCompletion.keywords)
    }

    /// The table that a name stands for: itself, or the one before it as in `leads AS l` and `leads l`.
    private func named(_ alias: String, _ before: [String]) -> String {
        let alias = alias.lowercased()
        if tables[alias] != nil { return alias }
        for (index, word) in before.enumerated() where word.prefix(while: { $0 != "," }) == alias && index > 0 {
            let table = before[index - 1] == "as" && index > 1 ? before[index - 2] : before[index - 1]
            if tables[table] != nil { return table }
        }
        return alias
    }

    private static func matching(_ word: String, _ names: [String]) -> [String] {
        let word = word.lowercased()
        return names.filter { $0.lowercased().hasPrefix(word) }
    }

    private static func ends(_ character: Character) -> Bool {
        character.isWhitespace || "(),;=<>+*/'\"".contains(character)
    }
}
