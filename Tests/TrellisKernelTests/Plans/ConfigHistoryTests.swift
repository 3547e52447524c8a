import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ConfigHistoryTests {
    private func begin(_ crm: TestKernel) throws {
        try Worker(crm.kernel, transport: crm.transport).finish()
    }

    private func history(_ crm: TestKernel) throws -> ConfigHistory {
        try ConfigHistory(of: crm.kernel.config.databasePath)
    }

    @Test func `a worker that starts notes its config, once`() throws {
        let crm = try TestKernel("goals: {mql_per_month: 8}")
        #expect(try history(crm).current == nil)
        try begin(crm)
        try begin(crm)
        #expect(try history(crm).entries.map(\.text) == [crm.kernel.config.text])
        #expect(try history(crm).current?.way == .start)
        let other = try crm.reopened("goals: {mql_per_month: 9}")
        try begin(other)
        #expect(try history(other).entries.map(\.id) == [1, 2])
        #expect(try history(other).entry(nil).id == 1)
        #expect(try history(other).entry(2).text == other.kernel.config.text)
    }

    @Test func `what is not there is said`() throws {
        let crm = try TestKernel("")
        try begin(crm)
        #expect(throws: KernelError.self) { try history(crm).entry(7) }
        #expect(throws: KernelError.self) { try history(crm).entry(nil) }
        #expect(throws: KernelError.self) { try ConfigHistory(of: "/nowhere/crm.sqlite") }
    }

    @Test func `a config that is put into force is written, noted, and taken up by the next worker`() async throws {
        let crm = try TestKernel("goals: {mql_per_month: 8}")
        try begin(crm)
        let file = crm.folder + "/config.yaml"
        try Data("old".utf8).write(to: URL(filePath: file))
        let config = try Config.parse(
            TestKernel.site + "\ngoals: {mql_per_month: 9}", folder: crm.folder, plugins: [],
            environment: TestKernel.environment)
        let change = try ConfigChange(
            to: config, plugins: [], clock: crm.clock.clock, environment: TestKernel.environment)
        #expect(!change.isInForce)
        #expect(try await change.plan() == [])
        let told = try change.adopt(as: .apply, by: "ann", note: "more", planned: [], writing: file)
        #expect(told == nil)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == config.text)
        let entry = try #require(try history(crm).current)
        #expect(entry.author == "ann" && entry.way == .apply && entry.note == "more")
        #expect(try crm.rows("SELECT value FROM goals") == ["9.0"])
        let again = try ConfigChange(
            to: config, plugins: [], clock: crm.clock.clock, environment: TestKernel.environment)
        #expect(again.isInForce)
    }

    @Test func `the column of a field that leaves the config is named`() throws {
        let crm = try TestKernel(
            "leads: {fields: {budget: integer, note: text}}\naccounts: {fields: {size: integer}}")
        try begin(crm)
        func change(_ yaml: String) throws -> ConfigChange {
            let config = try Config.parse(
                TestKernel.site + "\n" + yaml, folder: crm.folder, plugins: [], environment: TestKernel.environment)
            return try ConfigChange(
                to: config, plugins: [], clock: crm.clock.clock, environment: TestKernel.environment)
        }
        #expect(
            try change("leads: {fields: {note: text, size: integer}}").columnsLeft == ["leads.budget", "accounts.size"])
        #expect(
            try change("leads: {fields: {budget: integer, note: text}}\naccounts: {fields: {size: integer}}")
                .columnsLeft == [])
    }

    @Test func `a config file that cannot be written leaves everything as it was`() throws {
        let crm = try TestKernel("goals: {mql_per_month: 8}")
        try begin(crm)
        let config = try Config.parse(
            TestKernel.site + "\ngoals: {mql_per_month: 9}", folder: crm.folder, plugins: [],
            environment: TestKernel.environment)
        let change = try ConfigChange(
            to: config, plugins: [], clock: crm.clock.clock, environment: TestKernel.environment)
        #expect(throws: KernelError.self) {
            try change.adopt(as: .apply, by: "ann", planned: [], writing: crm.folder + "/nowhere/config.yaml")
        }
        #expect(try history(crm).entries.count == 1)
        #expect(try crm.rows("SELECT value FROM goals") == ["8.0"])
    }

    @Test func `the window on SQL does not give out the text of a config, which may hold a secret`() throws {
        let crm = try TestKernel("")
        try begin(crm)
        var question = GuardedQuery(
            database: crm.kernel.config.databasePath, sql: "SELECT id, text FROM config_history")
        question.hidden = crm.kernel.secrets
        var rows: [[Cell]] = []
        question.run { part in
            if case .row(let row) = part { rows.append(row) }
            return true
        }
        #expect(rows == [[1, .null]])
    }

    @Test func `a plugin that cannot be made anew is refused before anything is changed`() throws {
        let crm = try TestKernel("")
        let config = try Config.parse(
            TestKernel.site + "\ngoals: {mql_per_month: 9}", folder: crm.folder, plugins: [],
            environment: TestKernel.environment)
        var change = try ConfigChange(
            to: config, plugins: [], clock: crm.clock.clock, environment: TestKernel.environment)
        change.rebuilding = ["scroing"]
        #expect(throws: KernelError.self) {
            try change.adopt(as: .apply, by: "ann", planned: nil, writing: crm.folder + "/config.yaml")
        }
        #expect(try history(crm).entries.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: crm.folder).filter { $0.hasSuffix(".new") } == [])
    }
}
