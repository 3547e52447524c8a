import Foundation
import Logging
import Testing
import TrellisKernel
import TrellisTesting

/// The starter with one of its plugins paused, as a comment in it says one may.
struct SwitchedOffTests {
    private func starter(off plugin: String) throws -> String {
        let text = try String(contentsOf: repository.appending(path: "Starter/config.yaml"), encoding: .utf8)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let section = lines.firstIndex(where: { $0.hasPrefix("  \(plugin):") }) {
            lines.insert("    enabled: false", at: section + 1)
        } else {
            let plugins = try #require(lines.firstIndex { $0.hasPrefix("plugins:") })
            lines.insert("  \(plugin): {enabled: false}", at: plugins + 1)
        }
        return lines.joined(separator: "\n")
    }

    private func live(_ crm: ExampleFolder) async throws {
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try crm.importing("leads.csv")
        try crm.importing("activities.csv", into: .activities)
        try await crm.work()
        try worker.finish()
    }

    private func troubles(_ kernel: Kernel) throws -> [String] {
        try Doctor(kernel).examine(isStrict: true).filter { !$0.isKept }.map(\.promise)
            + rows("SELECT subject FROM kernel_stops", kernel)
    }

    private func rows(_ sql: String, _ kernel: Kernel) throws -> [String] {
        try kernel.read { try String.fetchAll($0, sql: sql) }
    }

    @Test(arguments: shippedPlugins.map { $0.name })
    func `the starter runs without any one of its plugins from the start`(_ plugin: String) async throws {
        let config = try starter(off: plugin)
        let crm = try ExampleFolder("Starter", at: "2026-11-23 09:00:00", files: ["config.yaml": config])
        try await live(crm)
        #expect(try crm.rows("SELECT name FROM plugins WHERE NOT is_on") == [plugin])
        #expect(try crm.rows("SELECT id FROM events WHERE origin = 'plugin:\(plugin)'") == [])
        #expect(try crm.rows("SELECT count(*) FROM leads") == ["50"])
        #expect(try troubles(crm.kernel) == [])
    }

    @Test(arguments: shippedPlugins.map { $0.name })
    func `the starter that has run goes on without any one of its plugins`(_ plugin: String) async throws {
        let crm = try ExampleFolder("Starter", at: "2026-11-23 09:00:00")
        try await live(crm)
        let scored = try crm.rows("SELECT lead_id FROM scoring_scores").count
        #expect(scored > 0)
        try crm.kernel.close()
        try Data(try starter(off: plugin).utf8).write(to: URL(filePath: crm.folder + "/config.yaml"))
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let kernel = try Kernel(
            config: try ExampleFolder.config(crm.folder), plugins: shippedPlugins, clock: crm.clock.clock,
            logger: logger)
        let worker = try Worker(kernel, transport: crm.transport)
        let draft = try kernel.draft([("email", "new@acme.example"), ("title", "Head of Purchasing")])
        let lead = try kernel.write(origin: "cli") { try $0.capture(draft).leadID }
        _ = try await worker.runUntilIdle()
        try worker.finish()
        #expect(try rows("SELECT name FROM plugins WHERE NOT is_on", kernel) == [plugin])
        // 20 points for the head, 10 for the purchasing.
        let score = try rows("SELECT CAST(score AS TEXT) FROM scoring_scores WHERE lead_id = \(lead)", kernel)
        #expect(score == (plugin == "scoring" ? [] : ["30.0"]))
        if plugin == "scoring" {
            #expect(try rows("SELECT 'kept' FROM scoring_scores", kernel).count == scored)
        }
        #expect(try troubles(kernel) == [])
        try kernel.close()
    }
}
