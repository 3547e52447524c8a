import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Counts leads twice: from the first event there ever was, and from the next one on.
private struct Counter: Plugin {
    static let name = "counter"
    static let summary = "Counts."
    static let migrations = MigrationFolder(
        owner: name,
        files: [
            MigrationFile(
                name: "0001_create_counted", sql: "CREATE TABLE counter_counted (lead_id INTEGER, hook TEXT) STRICT")
        ])

    init(settings: NoSettings) {}

    var hooks: [any Hook] {
        Subscribe("from-first", to: ["lead.created"], from: .firstEvent) { _, tx in
            try tx.db.execute(sql: "INSERT INTO counter_counted SELECT lead_id, 'first' FROM batch")
        }
        Subscribe("from-next", to: ["lead.created"], from: .nextEvent) { _, tx in
            try tx.db.execute(sql: "INSERT INTO counter_counted SELECT lead_id, 'next' FROM batch")
        }
    }
}

@Suite struct PluginRegisterTests {
    private func counted(_ crm: TestKernel) throws -> [String] {
        try crm.rows(
            "SELECT hook, group_concat(lead_id) FROM (SELECT * FROM counter_counted ORDER BY rowid) GROUP BY hook")
    }

    private func registered(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT kind, body FROM events WHERE kind LIKE 'plugin.%' ORDER BY id")
    }

    /// Lead 1 while it is on, lead 2 while it is off; then on again.
    private func offAndOn(_ section: String) throws -> (off: TestKernel, again: TestKernel) {
        let crm = try TestKernel("plugins: {counter: {}}", plugins: [Counter.self])
        try crm.capture(["external_id": "1"])
        try crm.pump()
        let off = try TestKernel(
            "plugins: {counter: {enabled: false}}", plugins: [Counter.self], files: [:], folder: copy(crm))
        try off.capture(["external_id": "2"])
        try off.pump()
        let again = try off.reopened("plugins: {counter: \(section)}")
        try again.capture(["external_id": "3"])
        try again.pump()
        return (off, again)
    }

    /// A folder with the database of another kernel, which outlives it.
    private func copy(_ crm: TestKernel) throws -> String {
        let folder = crm.folder + "-copy"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try Backup.make(crm.kernel, to: folder + "/crm.sqlite")
        return folder
    }

    @Test func `a new subscriber begins at the first event or after the last, as it says`() throws {
        let without = try TestKernel("", plugins: [Counter.self])
        try without.capture(["external_id": "1"])
        try without.pump()
        let crm = try without.reopened("plugins: {counter: {}}")
        try crm.capture(["external_id": "2"])
        try crm.pump()
        #expect(try counted(crm) == ["first|1,2", "next|2"])
    }

    @Test(arguments: [
        ("{}", ["first|1,2,3", "next|1,2,3"]), ("{resume: last}", ["first|1,2,3", "next|1,2,3"]),
        ("{resume: now}", ["first|1,3", "next|1,3"]), ("{resume: start}", ["first|1,1,2,3", "next|1,1,2,3"]),
    ])
    func `what of the backlog is handled is decided by resume`(_ section: String, _ expected: [String]) throws {
        let (off, again) = try offAndOn(section)
        defer { try? FileManager.default.removeItem(atPath: off.folder) }
        #expect(try counted(again) == expected)
        let states = ["enabled", "disabled", "enabled"].map { "plugin.\($0)|{\"plugin\":\"counter\"}" }
        #expect(try registered(again) == states)
    }

    @Test func `a plugin that is off handles nothing and keeps its tables and cursors`() throws {
        let crm = try TestKernel("plugins: {counter: {}}", plugins: [Counter.self])
        try crm.capture(["external_id": "1"])
        try crm.pump()
        let cursors = try crm.rows("SELECT id, last_event_id FROM subscribers WHERE id LIKE 'counter/%'")
        let off = try crm.reopened("plugins: {counter: {enabled: false}}")
        try off.capture(["external_id": "2"])
        try off.pump()
        #expect(try counted(off) == ["first|1", "next|1"])
        #expect(try off.rows("SELECT id, last_event_id FROM subscribers WHERE id LIKE 'counter/%'") == cursors)
        #expect(try off.rows("SELECT name, is_on FROM plugins") == ["counter|0"])
        #expect(off.kernel.plugins.isEmpty)
    }

    @Test func `a section that is gone switches the plugin off`() throws {
        let crm = try TestKernel("plugins: {counter: {}}", plugins: [Counter.self])
        let off = try crm.reopened("")
        #expect(try off.rows("SELECT name, is_on FROM plugins") == ["counter|0"])
    }

    @Test func `a plugin that was never on is no event`() throws {
        let crm = try TestKernel("", plugins: [Counter.self])
        #expect(try registered(crm) == [])
        #expect(try crm.rows("SELECT name, is_on FROM plugins") == ["counter|0"])
    }

    @Test func `opening a file that is up to date writes nothing`() throws {
        let crm = try TestKernel("plugins: {counter: {}}", plugins: [Counter.self])
        try crm.pump()
        let before = try crm.lastEvent
        let changedAt = try crm.rows("SELECT changed_at FROM plugins")
        crm.clock.advance(by: "1 day")
        let again = try crm.reopened("plugins: {counter: {}}")
        #expect(try again.lastEvent == before)
        #expect(try again.rows("SELECT changed_at FROM plugins") == changedAt)
        #expect(again.kernel.changes.migrations.isEmpty && again.kernel.changes.columns.isEmpty)
    }

    @Test func `the overview says what will not happen while a plugin is off`() throws {
        let crm = try TestKernel("plugins: {counter: {}}", plugins: [Counter.self])
        try crm.pump()
        let off = try crm.reopened("plugins: {counter: {enabled: false}}")
        try off.capture(["external_id": "1"])
        let table = try PluginOverview(off.kernel).table()
        #expect(table.columns == ["plugin", "state", "since", "events_waiting", "appointments", "parked", "summary"])
        // plugin.disabled and lead.created.
        #expect(table.rows == [["counter", "off", "2026-03-02 09:00:00.000", 2, 0, 0, "Counts."]])
    }
}
