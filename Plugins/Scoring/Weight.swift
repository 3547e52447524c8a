/// How much of its points an entry is still worth: a function of time, so that nothing is rewritten as time goes by.
enum Weight {
    /// A SQL expression over the columns of `scoring_ledger` under `table`: its points at a moment.
    static func points(_ table: String, at now: String) -> String { "\(table).points * \(share(table, at: now))" }

    /// The part of its points that is left.
    ///
    /// Halved once per half-life (https://en.wikipedia.org/wiki/Half-life), or less by the same amount every second, or
    /// whole until its time is over.
    static func share(_ table: String, at now: String) -> String {
        let age = "(julianday(\(now)) - julianday(\(table).at)) * 86400"
        return """
            CASE WHEN \(table).half_life IS NOT NULL THEN pow(0.5, \(age) / \(table).half_life)
                WHEN \(table).fade IS NOT NULL THEN max(0.0, 1 - \(age) / \(table).fade)
                WHEN \(table).lifetime IS NOT NULL THEN \(end(of: table)) > \(now) ELSE 1 END
            """
    }

    /// When a `lifetime` is over.
    static func end(of table: String) -> String {
        "strftime('%Y-%m-%d %H:%M:%f', \(table).at, '+' || \(table).lifetime || ' seconds')"
    }
}
