import Testing
import TrellisKernel
import TrellisTesting

@testable import DripSequencer

/// What SQLite computes of a split is what Swift computes.
@Suite struct SplitSQLTests {
    private static let leads = """
        WITH RECURSIVE ids(id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM ids WHERE id < 5000),
             leads_of_test(lead_id) AS (
                 SELECT id FROM ids UNION ALL SELECT 2147483647 - 2500 + id FROM ids UNION ALL SELECT 9223372036854775807 - id FROM ids
                 UNION ALL VALUES (0), (-1), (9223372036854775807), (-9223372036854775808))
        """

    @Test(arguments: ["welcome:4", "webinar:1", ""])
    func `a bucket is the same whole number in SQL`(test: String) throws {
        let crm = try TestKernel()
        let bucket = Bucket(test: test)
        let rows = try crm.kernel.read { db in
            try Row.fetchAll(
                db,
                sql:
                    "\(Self.leads) SELECT lead_id, \(bucket.sql(lead: "lead_id")), typeof(\(bucket.sql(lead: "lead_id"))) FROM leads_of_test"
            )
        }
        #expect(rows.count == 15_004)
        let wrong = rows.filter { bucket.of(lead: $0[0]) != ($0[1] as Int) || ($0[2] as String) != "integer" }
        #expect(wrong == [])
    }

    @Test func `an arm is the same in SQL, and the holdout is NULL`() throws {
        let crm = try TestKernel()
        let weights = [("case-study", 2.0), ("it's", 1), ("never", 0)]
        for split in [Split(test: "a", weights: weights, holdout: 0.1), Split(test: "a", weights: weights)] {
            let rows = try crm.kernel.read { db in
                try Row.fetchAll(
                    db, sql: "\(Self.leads) SELECT lead_id, \(split.armSQL(lead: "lead_id")) FROM leads_of_test")
            }
            #expect(rows.filter { split.arm(of: $0[0]) != ($0[1] as String?) } == [])
            #expect(rows.contains { ($0[1] as String?) == "it's" })
            #expect(rows.contains { ($0[1] as String?) == nil } == (split.holdoutBuckets > 0))
        }
    }

    @Test func `a test that mails nobody is NULL in SQL`() throws {
        let crm = try TestKernel()
        let nobody = Split(test: "a", weights: [("b", 1)], holdout: 1)
        #expect(try crm.rows("SELECT \(nobody.armSQL(lead: "1")) IS NULL") == ["1"])
    }
}
