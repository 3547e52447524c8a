import CTrellisSQLite

/// SQL of the config as the statements it is made of.
struct SQLText: Sendable {
    let statements: [String]

    /// Cuts a text at the semicolons that end a statement: not at those within a string, a comment or a trigger
    /// (https://www.sqlite.org/c3ref/complete.html).
    init(_ text: String) {
        var (statements, pending) = ([String](), "")
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            pending += part
            guard sqlite3_complete(pending + ";") != 0 else {
                pending += ";"
                continue
            }
            statements.append(pending)
            pending = ""
        }
        // What is never complete is one statement that SQLite will find fault with.
        if !pending.isEmpty { statements.append(String(pending.dropLast())) }
        self.statements = statements.filter { SQLText.saysSomething($0) }
    }

    /// Whether there is more than white space and comments.
    private static func saysSomething(_ statement: String) -> Bool {
        var rest = Substring(statement)
        while true {
            rest = rest.drop { $0.isWhitespace }
            if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                guard let end = rest.firstRange(of: "*/") else { return false }
                rest = rest[end.upperBound...]
            } else {
                return !rest.isEmpty
            }
        }
    }

    /// The byte at which a statement begins, after the blanks before it.
    static func firstWord(of statement: String) -> Int {
        statement.prefix { $0.isWhitespace }.utf8.count
    }

    /// The names of the parameters of a statement, without their colons.
    static func parameters(of statement: OpaquePointer) -> [String] {
        let count = sqlite3_bind_parameter_count(statement)
        guard count > 0 else { return [] }
        return (1...count).map { index in
            sqlite3_bind_parameter_name(statement, index).map { String(String(cString: $0).dropFirst()) } ?? ""
        }
    }

    /// What a statement is given of these values: the parameters it names.
    static func arguments(of statement: Statement, _ value: (String) -> DatabaseValue) -> StatementArguments {
        let names = parameters(of: statement.sqliteStatement)
        return StatementArguments(names.map { value($0) })
    }
}
