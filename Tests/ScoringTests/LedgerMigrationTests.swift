import Testing

@testable import Scoring
@testable import TrellisKernel

/// A ledger of one model becomes one of several.
@Suite struct LedgerMigrationTests {
    @Test func `a file from before has its ledger as it was, and views of the site go on`() throws {
        let database = try DatabaseQueue()
        try database.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE leads (id INTEGER PRIMARY KEY, account_id INTEGER);
                    CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT);
                    CREATE TABLE view_files (id TEXT PRIMARY KEY, sql TEXT);
                    """)
            let files = Scoring.migrations.files.sorted { $0.name < $1.name }
            for file in files.prefix(3) { try db.execute(sql: file.sql) }
            try db.execute(
                sql: """
                    INSERT INTO scoring_entries (lead_id, rule, axis, points, event_id, at) VALUES (7, 'head', 'fit', 20, 1, '2026-01-01 00:00:00.000');
                    INSERT INTO scoring_scores (lead_id, fit, engagement, score, decays, as_of) VALUES (7, 20, 0, 20, 0, '2026-01-01 00:00:00.000');
                    INSERT INTO scoring_standings (lead_id, threshold, since) VALUES (7, 'mql', '2026-01-01 00:00:00.000');
                    CREATE VIEW of_the_site AS SELECT lead_id, sum(points) AS points FROM scoring_entries GROUP BY lead_id;
                    """)
            try db.execute(sql: files[3].sql)
            for file in Scoring.views { try file.install(of: "scoring", db) }
            #expect(try Row.fetchAll(db, sql: "SELECT * FROM of_the_site").map { [$0[0] as Int, $0[1]] } == [[7, 20]])
            #expect(
                try String.fetchAll(db, sql: "SELECT model || lead_id || threshold FROM scoring_standings") == [
                    "main7mql"
                ])
            #expect(try Double.fetchAll(db, sql: "SELECT score FROM scoring_current WHERE lead_id = 7") == [20])
        }
    }
}
