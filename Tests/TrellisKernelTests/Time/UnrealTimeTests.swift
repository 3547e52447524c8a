import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct UnrealTimeTests {
    @Test func `now is the moment of the clock, in queries, views and defaults`() throws {
        let crm = try TestKernel("", at: "2026-03-02 09:00:00")
        #expect(
            try crm.rows(
                "SELECT date('now'), datetime(), julianday('NOW') = julianday('2026-03-02 09:00:00'), strftime('%H:%M', 'now', '+90 minutes'), time('now')"
            ) == ["2026-03-02|2026-03-02 09:00:00|1|10:30|09:00:00"])
        #expect(try crm.rows("SELECT date('2026-01-31', '+1 day'), date(NULL), date('nonsense')") == ["2026-02-01||"])
        crm.clock.advance(by: "1 day")
        try crm.kernel.write(origin: "cli") { tx in
            try tx.db.execute(
                sql: "INSERT INTO leads (email) VALUES ('a@b.example'); CREATE VIEW today AS SELECT date('now') AS day;"
            )
        }
        #expect(try crm.rows("SELECT day, date(created_at) FROM today, leads") == ["2026-03-03|2026-03-03"])
    }

    @Test func `under the clock of the machine the functions are those of SQLite`() throws {
        let folder = NSTemporaryDirectory() + "trellis-time-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let real = try Store(path: folder + "/a.sqlite", clock: .system, workload: .everyday)
        let stopped = try Store(
            path: folder + "/b.sqlite", clock: StoppedClock(at: "2026-03-02 09:00:00").clock, workload: .everyday)
        let builtIn = "SELECT group_concat(DISTINCT builtin) FROM pragma_function_list WHERE name = 'julianday'"
        #expect(try real.pool.read { try String.fetchOne($0, sql: builtIn) } == "1")
        #expect(try stopped.pool.read { try String.fetchOne($0, sql: builtIn) }?.contains("0") == true)
    }
}
