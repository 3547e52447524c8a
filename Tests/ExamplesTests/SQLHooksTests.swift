import Foundation
import Testing
import TrellisKernel

/// The same leads go through a CRM of plugins and through one of SQL hooks.
@Suite struct SQLHooksTests {
    private static func crm(_ config: String) throws -> ExampleFolder {
        let text = try String(
            contentsOf: repository.appending(path: "Examples/sql-hooks/\(config)"), encoding: .utf8)
        return try ExampleFolder("Examples/sql-hooks", at: "2026-03-02 09:00:00", files: ["config.yaml": text])
    }

    /// Forms, imports, changes by SQL, demos, a deletion, and whom a filter refuses.
    private static func live(_ crm: ExampleFolder) async throws {
        for number in 1...30 {
            let title = ["Head of Boats", "Sailor", "head of sails"][number % 3]
            let domain = number % 4 == 0 ? "gmail.com" : "hafen\(number).example"
            var draft = try crm.kernel.draft([
                ("email", "lead\(number)@\(domain)"), ("title", title), ("country", number % 5 == 0 ? "DK" : "DE"),
            ])
            draft.form = number % 2 == 0 ? "guide" : nil
            draft.consents = ["newsletter": true]
            let proposal = draft
            try crm.kernel.write(origin: "test") { _ = try $0.capture(proposal) }
            if number % 10 == 0 { try await crm.work() }
        }
        #expect(throws: Veto.self) { try crm.capture("guide", ["email": "spy@rival.example"]) }
        for lead in stride(from: Int64(1), through: 30, by: 3) { try crm.record("demo.booked", lead: lead) }
        try await crm.work()
        try crm.write("UPDATE leads SET title = 'Head of everything', country = 'DE' WHERE id % 7 = 0")
        try crm.write("UPDATE leads SET title = 'Sailor', country = 'DK' WHERE id % 11 = 0")
        try crm.write("DELETE FROM leads WHERE id = 8")
        try await crm.live(until: "2026-03-05 09:00:00")
    }

    @Test func `hooks in SQL come to the same rows as the plugins`() async throws {
        let (hooks, plugins) = (try SQLHooksTests.crm("config.yaml"), try SQLHooksTests.crm("plugins.yaml"))
        for crm in [hooks, plugins] { try await SQLHooksTests.live(crm) }

        func expectSame(_ ours: String, _ theirs: String? = nil) throws {
            let (left, right) = (try hooks.rows(ours), try plugins.rows(theirs ?? ours))
            #expect(!left.isEmpty)
            let differences =
                left.filter { !right.contains($0) }.map { "hooks: \($0)" }
                + right.filter { !left.contains($0) }.map { "plugins: \($0)" }
            #expect(differences == [])
        }
        try expectSame("SELECT id, email, title, country, stage, owner FROM leads")
        #expect(try hooks.rows("SELECT count(*), count(DISTINCT owner) FROM leads") == ["29|2"])
        try expectSame(
            "SELECT lead_id, rule, points FROM points", "SELECT lead_id, rule, points FROM scoring_entries")
        try expectSame(
            "SELECT lead_id, sum(points) FROM points GROUP BY lead_id",
            "SELECT lead_id, CAST(score AS INTEGER) FROM scoring_scores")
        let mails = """
            SELECT template, lead_id, state, strftime('%Y-%m-%d %H:%M', settled_at) FROM outbox_messages
            WHERE template IN ('guide', 'follow-up') AND state <> 'cancelled'
            """
        try expectSame(mails)
        #expect(try hooks.rows(mails).contains("follow-up|2|sent|2026-03-03 09:00"))
        try expectSame(
            "SELECT lead_id FROM german_leads", "SELECT lead_id FROM audiences_members WHERE until IS NULL")
        for crm in [hooks, plugins] { #expect(try crm.troubles() == []) }
    }

    @Test func `the plugins.yaml of the example passes check`() throws {
        let folder = repository.appending(path: "Examples/sql-hooks").path()
        let config = try Config.load(
            file: folder + "/plugins.yaml", plugins: shippedPlugins,
            environment: ["TRELLIS_SECRET": "a secret for tests only"])
        try config.check(plugins: shippedPlugins)
    }
}

extension ExampleFolder {
    /// Writes as another SQLite client does.
    fileprivate func write(_ sql: String) throws {
        try SQLConnection(path: kernel.config.databasePath, access: .write).run(sql) { _ in true }
    }
}
