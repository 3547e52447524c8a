import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ViewFileTests {
    private static let file = ViewFile(
        name: "cats",
        sql: """
            -- Cats by their age.
            CREATE VIEW old_cats AS
            SELECT 'Tom' AS name, 12 AS age; -- years

            CREATE VIEW young_cats AS SELECT 'Kit' AS name;
            """)

    private func rows(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT name FROM sqlite_schema WHERE type = 'view' AND name GLOB '*_cats' ORDER BY name")
    }

    @Test func `its views are made, and made anew where they read otherwise`() throws {
        let crm = try TestKernel("")
        try crm.kernel.write(origin: "test") { try Self.file.install(of: "zoo", $0.db) }
        #expect(try rows(crm) == ["old_cats", "young_cats"])
        #expect(try crm.rows("SELECT name, age FROM old_cats") == ["Tom|12"])
        let next = ViewFile(
            name: "cats", sql: "CREATE VIEW old_cats AS SELECT 'Tim' AS name;\nCREATE VIEW lost_cats AS SELECT 1;")
        try crm.kernel.write(origin: "test") { try next.install(of: "zoo", $0.db) }
        #expect(try rows(crm) == ["lost_cats", "old_cats"])
        #expect(try crm.rows("SELECT name FROM old_cats") == ["Tim"])
        #expect(try crm.rows("SELECT id FROM view_files WHERE id GLOB 'zoo/*'") == ["zoo/cats"])
    }

    @Test func `views that are as they should be are left alone`() throws {
        let crm = try TestKernel("")
        try crm.kernel.write(origin: "test") { try Self.file.install(of: "zoo", $0.db) }
        let version = try crm.value("PRAGMA schema_version")
        try crm.kernel.write(origin: "test") { try Self.file.install(of: "zoo", $0.db) }
        #expect(try crm.value("PRAGMA schema_version") == version)
    }

    @Test func `a view that somebody dropped is there again once its file reads otherwise`() throws {
        let crm = try TestKernel("")
        try crm.kernel.write(origin: "test") {
            try Self.file.install(of: "zoo", $0.db)
            try $0.db.execute(sql: "DROP VIEW young_cats")
            try ViewFile(name: "cats", sql: Self.file.sql + "\n").install(of: "zoo", $0.db)
        }
        #expect(try rows(crm) == ["old_cats", "young_cats"])
    }
}
