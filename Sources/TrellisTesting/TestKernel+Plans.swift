import Synchronization
import TrellisKernel

extension TestKernel {
    /// Does something, and returns the steps of statements that read one of these tables from one end to the other, be
    /// it to make an index for the one time (https://www.sqlite.org/optoverview.html#autoindex). What does so for
    /// every batch of events takes the square of the time of an import.
    ///
    /// - Parameter indexes: indexes that find too much to be used either.
    public func scans(
        of tables: [String], indexes: [String] = [], while body: () throws -> Void
    ) throws -> [String] {
        let statements = Mutex<Set<String>>([])
        try kernel.write(origin: "test") { tx in
            tx.db.trace { event in
                if case .statement(let statement) = event { statements.withLock { _ = $0.insert(statement.sql) } }
            }
        }
        try body()
        return try kernel.write(origin: "test") { tx in
            tx.db.trace(options: [])
            // What a trigger does is traced as a comment.
            let all = statements.withLock { $0 }.filter { sql in
                !sql.hasPrefix("--") && tables.contains { sql.contains($0) }
            }
            return try all.sorted().flatMap { sql in
                try TestKernel.plan(of: sql, tx.db).filter { step in
                    TestKernel.names(of: tables, in: sql).contains {
                        step.hasPrefix("SCAN \($0) ") || step.hasPrefix("SEARCH \($0) USING AUTOMATIC ")
                    } || indexes.contains { step.contains($0) }
                }.map { "\($0)in \(sql)" }
            }
        }
    }

    private static func plan(of sql: String, _ db: Database) throws -> [String] {
        let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
        statement.setUncheckedArguments([])
        return try Row.fetchAll(statement).map { "\($0["detail"] as String) " }
    }

    /// The tables, and what the statement calls them: a plan knows only that.
    private static func names(of tables: [String], in sql: String) -> [String] {
        tables.flatMap { table in
            [table]
                + sql.split(separator: "\(table) AS ").dropFirst().map {
                    String($0.prefix { $0.isLetter || $0 == "_" })
                }
        }
    }
}
