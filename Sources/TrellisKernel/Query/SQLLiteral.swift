extension String {
    /// The text as a SQL literal, for names of the config that stand in a prepared statement. Input is bound, never
    /// written so.
    public var sqlLiteral: String {
        "'" + filter { $0 != "\0" }.replacing("'", with: "''") + "'"
    }
}
