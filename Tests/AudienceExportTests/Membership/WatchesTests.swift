import Testing
import TrellisKernel
import TrellisTesting

@testable import AudienceExport

@Suite struct WatchesTests {
    @Test func `a table may be called as its owner likes`() throws {
        let crm = try TestKernel(
            "migrations: migrations\nplugins: {audiences: {called: {sql: 'SELECT lead_id FROM [call \"notes\"]'}}}",
            plugins: [AudienceExport.self],
            files: ["migrations/0001_notes.sql": "CREATE TABLE [call \"notes\"] (lead_id INTEGER PRIMARY KEY) STRICT;"])
        try crm.lead("ann@a.example")
        try crm.pump()
        try crm.foreign("INSERT INTO [call \"notes\"] VALUES (1)")
        #expect(try crm.rows("SELECT lead_id FROM audiences_changes") == ["1"])
        // The trigger of another client reads the clock of the machine.
        crm.clock.set("2100-01-01 00:00:00")
        try crm.pump()
        #expect(try crm.members("called") == ["1"])
        try crm.foreign("DELETE FROM [call \"notes\"]")
        try crm.pump()
        #expect(try crm.members("called") == [])
        #expect(try crm.rows("SELECT kept_by FROM audiences_audiences") == ["log"])
        #expect(try crm.troubles() == [])
    }
}
