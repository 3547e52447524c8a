import Testing

@testable import TrellisKernel

@Suite struct StatementTimesTests {
    @Test func `it is on where TRELLIS_TRACE names sql`() {
        #expect(StatementTimes.fromEnvironment(["TRELLIS_TRACE": "sql"]) != nil)
        #expect(StatementTimes.fromEnvironment(["TRELLIS_TRACE": "hooks,sql"]) != nil)
        #expect(StatementTimes.fromEnvironment(["TRELLIS_TRACE": "hooks"]) == nil)
        #expect(StatementTimes.fromEnvironment([:]) == nil)
    }

    @Test func `a statement is a line, with its runs and its time, the dearest first`() {
        let times = StatementTimes()
        times.add("SELECT 1", 0.5)
        times.add("SELECT\n    2", 1)
        times.add("SELECT 1", 0.25)
        #expect(times.lines() == ["   1.000 s        1 × SELECT 2", "   0.750 s        2 × SELECT 1"])
        #expect(times.lines(most: 1, width: 6) == ["   1.000 s        1 × SELECT"])
    }

    @Test func `statements of a connection are counted`() throws {
        let times = StatementTimes()
        let queue = try DatabaseQueue()
        try queue.write { db in
            times.watch(db)
            for _ in 1...3 { try db.execute(sql: "SELECT 7") }
        }
        #expect(times.lines().contains { $0.hasSuffix("3 × SELECT 7") })
    }
}
