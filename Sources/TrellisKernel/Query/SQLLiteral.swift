extension String {
    /// The text as a SQL literal, for names of the config that stand in a prepared statement. Input is bound, never
    /// written so.
    public var sqlLiteral: String { quoted("'") }

    /// The text as the name of a table or a column, whatever is in it.
    public var sqlIdentifier: String { quoted("\"") }

    /// By scalars: a mark behind an apostrophe makes one character of both, and SQLite sees the apostrophe.
    private func quoted(_ mark: Unicode.Scalar) -> String {
        var text = String.UnicodeScalarView()
        text.append(mark)
        for scalar in unicodeScalars where scalar != "\0" {
            if scalar == mark { text.append(mark) }
            text.append(scalar)
        }
        text.append(mark)
        return String(text)
    }
}
