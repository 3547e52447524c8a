import Testing
import TrellisKernel
import TrellisTesting

@Suite("counting while a statement passes over rows")
struct TallyTests {
    private static let numbers =
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n"

    @Test func `one pass chooses rows and counts the others by their number`() throws {
        let crm = try TestKernel()
        let (counts, chosen) = try crm.kernel.write(origin: "cli") { tx in
            var chosen = 0
            let counts = try tx.tally(3) {
                chosen =
                    try Int.fetchOne(
                        tx.db, sql: "SELECT count(*) FROM (\(Self.numbers)) WHERE tally(i % 3) = 0") ?? -1
            }
            return (counts, chosen)
        }
        #expect(counts == [333, 334, 333])
        #expect(chosen == 333)
    }

    @Test func `a number that was not announced is not counted`() throws {
        let crm = try TestKernel()
        let counts = try crm.kernel.write(origin: "cli") { tx in
            try tx.tally(2) {
                _ = try Int.fetchAll(tx.db, sql: "SELECT tally(i - 5) FROM (\(Self.numbers))")
                #expect(try Bool.fetchOne(tx.db, sql: "SELECT tally(NULL) IS NULL AND tally('1') = '1'") == true)
            }
        }
        #expect(counts == [1, 1])
    }

    @Test func `outside there is no such function, also after an error`() throws {
        let crm = try TestKernel()
        try crm.kernel.write(origin: "cli") { tx in
            #expect(throws: DatabaseError.self) {
                try tx.tally(1) { try tx.db.execute(sql: "SELECT tally(0) FROM no_such_table") }
            }
            #expect(throws: DatabaseError.self) { try Int.fetchOne(tx.db, sql: "SELECT tally(0)") }
        }
    }
}
