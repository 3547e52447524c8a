import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct SchemaTextTests {
    private func text() throws -> SchemaText {
        let crm = try TestKernel("leads: {fields: {budget: real}}")
        return try crm.kernel.read { db in
            SchemaText(
                sources: try String.fetchAll(db, sql: SchemaText.sources),
                objects: try Row.fetchAll(db, sql: SchemaText.objects).map { $0.databaseValues.map(Cell.init) })
        }
    }

    @Test func `a table stands under its comment, with its indexes`() throws {
        let leads = try #require(try text().statements(of: "LEADS").first)
        #expect(leads.hasPrefix("-- A person we may sell to."))
        #expect(
            leads.contains("CREATE TABLE leads") && leads.contains("-- E.164: +493012345") && leads.contains("budget"))
        #expect(leads.contains("CREATE INDEX leads_by_stage ON leads (stage);"))
        #expect(try text().statements(of: "nothing") == [])
    }

    @Test func `every table has its comment, and everything is a schema that SQLite takes`() throws {
        let all = try text().statements()
        let bare = all.filter { $0.hasPrefix("CREATE TABLE") && !$0.hasPrefix("CREATE TABLE migrations") }
        #expect(bare == [])
        let queue = try DatabaseQueue()
        try queue.write { try $0.execute(sql: all.joined(separator: "\n")) }
    }
}
