import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct SecretsTests {
    private func notes(_ hidden: String) throws -> [String] {
        try Config.parse("server: {admin: {sql: {hidden: [\(hidden)]}}}", plugins: []).check(plugins: [])
            .map(\.description).filter { $0.contains("hidden") }
    }

    @Test func `a name that hides nothing is noted with the near miss`() throws {
        let nowhere = "in what this config makes, nor in its file: nothing is hidden."
        #expect(
            try notes("leads.phnoe, leeds") == [
                "config.yaml:1:33: server.admin.sql.hidden.1: leads has no column 'phnoe' \(nowhere) Did you mean 'phone'?",
                "config.yaml:1:46: server.admin.sql.hidden.2: there is no table 'leeds' \(nowhere) Did you mean 'leads'?",
            ])
    }

    /// The part of a config that hides names from a reader.
    private func reader(_ hidden: String) -> String {
        let word = String(repeating: "t", count: 32)
        let house = String(repeating: "h", count: 32)
        return "server: {admin: {token: \(house), readers: {analyst: {token: \(word), hidden: [\(hidden)]}}}}\n"
    }

    @Test func `what hides nothing from a reader is a problem, each with its place`() throws {
        let names = #""*.emial", "*.*", "*", "leads.*", "leads.", leeds, leads.phnoe, sqlite_schema"#
        let config = try Config.parse(reader(names), plugins: [])
        let error = try #require(throws: ConfigProblems.self) { try config.check(plugins: []) }
        let nowhere = "in what this config makes, nor in its file: nothing is hidden."
        let instead =
            "Name the tables, the columns, such as leads.phone, or *.phone, which is every column of that name."
        #expect(error.problems.map(\.place.path) == (1...8).map { "server.admin.readers.analyst.hidden.\($0)" })
        #expect(error.problems.allSatisfy { $0.place.line == 1 && $0.place.column > 1 })
        #expect(
            error.problems.map(\.message) == [
                "there is no column 'emial' \(nowhere) Did you mean 'email'?",
                "'*.*' hides nothing. \(instead)",
                "'*' hides nothing. \(instead)",
                "'leads.*' hides nothing. Write 'leads', which hides the whole table.",
                "leads has no column '' \(nowhere)",
                "there is no table 'leeds' \(nowhere) Did you mean 'leads'?",
                "leads has no column 'phnoe' \(nowhere) Did you mean 'phone'?",
                "'sqlite_schema' hides nothing: SQLite calls the table sqlite_master. Write that.",
            ])
    }

    @Test func `what is hidden from a reader may be generated, a view, SQLite's own, and in any case`() throws {
        let names = #"spend, lead_cards, Leads.Email, "*.Phone", suppressions.mailbox, "*.mailbox", "*.recipient","#
        let config = try Config.parse(reader(names + " sqlite_master, sqlite_master.sql, json_each"), plugins: [])
        #expect(try config.check(plugins: []).filter { $0.place.path.contains("hidden") }.isEmpty)
    }

    @Test func `a table that was made by hand may be hidden from a reader`() throws {
        let crm = try TestKernel()
        let yaml = reader(#"diary, diary.secret, "*.secret""#)
        let config = try Config.parse(
            TestKernel.site + "\n" + yaml, folder: crm.folder, plugins: [],
            environment: TestKernel.environment)
        let error = try #require(throws: ConfigProblems.self) { try config.check(plugins: []) }
        #expect(error.problems.count == 3, "\(error)")
        _ = try crm.foreign("CREATE TABLE diary (secret TEXT)")
        try config.check(plugins: [])
    }

    private struct Lender: Plugin {
        static let name = "lender"
        static let summary = "Has a table and a view."
        static let migrations = MigrationFolder(
            owner: "lender",
            files: [MigrationFile(name: "0001_lend", sql: "CREATE TABLE lender_books (isbn TEXT) STRICT;")])
        static let views = [ViewFile(name: "shelf", sql: "CREATE VIEW lender_shelf AS SELECT isbn FROM lender_books;")]
        init(settings _: NoSettings) {}
        var hooks: [any Hook] { [] }
    }

    @Test func `what a plugin would make that has no section is noted`() throws {
        func notes(_ hidden: String, plugins: String) throws -> [String] {
            let yaml = reader(hidden) + "plugins: {\(plugins)}"
            return try Config.parse(yaml, plugins: [Lender.self]).check(plugins: [Lender.self])
                .filter { $0.place.path.contains("hidden") }.map(\.message)
        }
        let names = ["lender_books", "lender_books.isbn", "lender_shelf", "*.isbn"]
        let hidden = names.map { "\"\($0)\"" }.joined(separator: ", ")
        #expect(
            try notes(hidden, plugins: "")
                == names.map { "'\($0)' hides nothing as long as the plugin lender is off." })
        for section in ["lender: {}", "lender: {enabled: false}"] {
            #expect(try notes(hidden, plugins: section).isEmpty, "\(section)")
        }
        for name in ["\"*.ibsn\"", "lender_boks", "\"lender_books.*\""] {
            #expect(throws: ConfigProblems.self, "\(name)") { try notes(name, plugins: "") }
        }
    }

    @Test func `one word hides all that tells who somebody is, beside other names`() throws {
        let config = try Config.parse(reader("personal, spend"), plugins: [])
        #expect(try config.check(plugins: []).filter { $0.place.path.contains("hidden") }.isEmpty)
        #expect(try notes("Personal").isEmpty)
        let secrets = Kernel.secrets(
            of: [], try Config.parse("server: {admin: {sql: {hidden: personal}}}", plugins: []))
        #expect(Set(secrets).isSuperset(of: ["leads.email", "contacts.phone", "outbox_messages.recipient"]))
        #expect(!secrets.contains("personal") && !secrets.contains("leads.country"))
        let misspelt = try #require(throws: ConfigProblems.self) {
            try Config.parse(reader("persnal"), plugins: []).check(plugins: [])
        }
        #expect(misspelt.problems.map(\.message).first?.hasSuffix(" Did you mean 'personal'?") == true, "\(misspelt)")
    }

    private struct Keeper: Plugin {
        static let name = "keeper"
        static let summary = "Keeps what deals came to."
        static let copies = [
            "opportunities.amount": ["keeper_deals.amount"],
            "keeper_deals.amount": ["keeper_months.total", "keeper_deals.amount"],
        ]
        init(settings _: NoSettings) {}
        var hooks: [any Hook] { [] }
    }

    @Test(arguments: [
        ("opportunities.amount", true), ("Opportunities.Amount", true), ("\"*.amount\"", true), ("opportunities", true),
        ("keeper_deals", true), ("opportunities.owner", false), ("\"*.total\"", false), ("personal", false),
    ])
    func `what keeps a hidden column is hidden, and what keeps that`(_ name: String, _ hasCopies: Bool) throws {
        let config = try Config.parse("server: {admin: {sql: {hidden: [\(name)]}}}", plugins: [])
        let secrets = Set(Kernel.secrets(of: [Keeper.self], config))
        #expect(secrets.isSuperset(of: ["keeper_deals.amount", "keeper_months.total"]) == hasCopies)
        #expect(secrets.contains { $0.hasPrefix("keeper_") && $0.contains(".") } == hasCopies)
    }

    @Test func `what is there is hidden without a word, in any case`() throws {
        #expect(try notes("leads.phone, Leads.Email, spend, lead_cards").isEmpty)
    }
}
