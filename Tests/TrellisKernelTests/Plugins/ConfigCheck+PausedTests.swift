import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ConfigCheckPausedTests {
    private struct Lender: Plugin {
        static let name = "lender"
        static let summary = "Has a table and a view."
        static let migrations = MigrationFolder(
            owner: "lender",
            files: [MigrationFile(name: "0001_lend", sql: "CREATE TABLE lender_books (lead_id INTEGER) STRICT;")])
        static let views = [
            ViewFile(name: "shelf", sql: "CREATE VIEW lender_shelf AS SELECT lead_id FROM lender_books;")
        ]

        struct Settings: SettingsRecord {
            var condition: LocatedText?
            init() {}

            static var fields: [SettingsField<Self>] {
                SettingsField("when", \.condition, optional: .sql, "Who may lend.")
            }
        }

        private let settings: Settings
        init(settings: Settings) { self.settings = settings }

        func check(_ check: ConfigCheck) throws {
            if let condition = settings.condition { check.leadPredicate(condition) }
        }
        var hooks: [any Hook] { [] }
    }

    private static let query = "queries: {readers: {sql: SELECT lead_id FROM lender_shelf}}\n"
    private static let hook = """
        hooks:
          mark: {on: lead.created, sql: "UPDATE leads SET owner = 'x' WHERE id IN (SELECT lead_id FROM batch) AND id NOT IN (SELECT lead_id FROM lender_books)"}

        """

    private func notes(_ yaml: String) throws -> [String] {
        try Config.parse(yaml, plugins: [Lender.self]).check(plugins: [Lender.self])
            .filter { $0.message.contains("lender") }.map { "\($0.place.path): \($0.message)" }
    }

    private func problems(_ yaml: String) throws -> [String] {
        let config = try Config.parse(yaml, plugins: [Lender.self])
        let error = try #require(throws: ConfigProblems.self) { try config.check(plugins: [Lender.self]) }
        return error.problems.map { "\($0.place.path): \($0.message)" }
    }

    @Test func `a plugin that is off has tables that SQL may name, also where it was never on`() throws {
        let off = try TestKernel(
            Self.query + Self.hook + "plugins: {lender: {enabled: false}}", plugins: [Lender.self])
        #expect(off.kernel.plugins.isEmpty)
        try off.capture(["email": "ann@acme.example"])
        try off.pump()
        #expect(try off.rows("SELECT owner FROM leads") == ["x"])
        #expect(try off.rows("SELECT lead_id FROM lender_shelf") == [])
        let on = try off.reopened(Self.hook + "plugins: {lender: {}}")
        #expect(on.kernel.changes.migrations.isEmpty)
        #expect(
            try on.rows("SELECT kind, body FROM events WHERE kind LIKE 'plugin.%'") == [
                #"plugin.enabled|{"plugin":"lender"}"#
            ])
        #expect(try on.troubles() == [])
    }

    @Test func `what SQL reads of a plugin that is off is noted at its place`() throws {
        let yaml = Self.query + Self.hook + "plugins: {lender: {enabled: false}}"
        #expect(
            try notes(yaml) == [
                "queries.readers.sql: the plugin lender is off: lender_shelf stands still.",
                "hooks.mark.sql: the plugin lender is off: lender_books stands still.",
            ])
        #expect(try notes(yaml.replacing("enabled: false", with: "")) == [])
        // A comment reads nothing, and the section itself is asked by nobody.
        #expect(
            try notes(
                "queries: {all: {sql: \"SELECT id FROM leads -- lender_shelf\"}}\nplugins: {lender: {enabled: false}}")
                == [])
        #expect(
            try notes("plugins: {lender: {enabled: false, when: \"id IN (SELECT lead_id FROM lender_books)\"}}") == [])
    }

    @Test func `a table of a plugin without a section is refused with the plugin that makes it`() throws {
        func advice(_ name: String) -> String {
            "SQL: no such table: \(name). It belongs to the plugin lender, which is off. Switch that on under plugins:, or leave it out of the SQL."
        }
        #expect(try problems(Self.query) == ["queries.readers.sql: \(advice("lender_shelf"))"])
        #expect(try problems(Self.hook) == ["hooks.mark.sql: \(advice("lender_books"))"])
        let unknown = try problems(Self.query.replacing("lender_shelf", with: "lender_cellar"))
        #expect(unknown == ["queries.readers.sql: SQL: no such table: lender_cellar."])
    }

    @Test func `what a file has of a plugin without a section does not count`() throws {
        let on = try TestKernel("plugins: {lender: {}}", plugins: [Lender.self])
        #expect(throws: ConfigProblems.self) { try on.reopened(Self.query) }
    }
}
