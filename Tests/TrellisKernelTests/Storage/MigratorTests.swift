import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct MigratorTests {
    private static let first = MigrationFile(
        name: "0001_create_cats", sql: "CREATE TABLE cats (id INTEGER PRIMARY KEY, name TEXT) STRICT")
    private static let second = MigrationFile(name: "0002_add_age", sql: "ALTER TABLE cats ADD COLUMN age INTEGER")

    private func migrate(_ queue: DatabaseQueue, _ files: MigrationFile...) throws -> [String] {
        try Migrator(folders: [MigrationFolder(owner: "zoo", files: files)], path: "zoo.sqlite")
            .migrate(queue, now: Date(timeIntervalSince1970: 0))
    }

    private func columns(_ queue: DatabaseQueue) throws -> [String] {
        try queue.read { try String.fetchAll($0, sql: "SELECT name FROM pragma_table_info('cats')") }
    }

    @Test func `each file is applied once, in order, and its text kept`() throws {
        let queue = try DatabaseQueue()
        #expect(try migrate(queue, Self.first) == ["zoo/0001_create_cats"])
        #expect(try migrate(queue, Self.first, Self.second) == ["zoo/0002_add_age"])
        #expect(try migrate(queue, Self.first, Self.second) == [])
        #expect(try columns(queue) == ["id", "name", "age"])
        let kept = try queue.read {
            try Row.fetchAll($0, sql: "SELECT id, sql, applied_at FROM migrations ORDER BY rowid").map {
                "\($0[0] as String)|\($0[1] as String)|\($0[2] as String)"
            }
        }
        #expect(
            kept == [
                "zoo/0001_create_cats|\(Self.first.sql)|1970-01-01 00:00:00.000",
                "zoo/0002_add_age|\(Self.second.sql)|1970-01-01 00:00:00.000",
            ])
    }

    @Test func `an edited file is refused before anything is done`() throws {
        let queue = try DatabaseQueue()
        _ = try migrate(queue, Self.first)
        let edited = MigrationFile(name: Self.first.name, sql: Self.first.sql + " -- better")
        let error = try #require(throws: KernelError.self) { try migrate(queue, edited, Self.second) }
        #expect(
            error.description
                == "The migration zoo/0001_create_cats was edited after it was applied here. Restore its text, and put the change into a new file."
        )
        #expect(try columns(queue) == ["id", "name"])
    }

    @Test func `a file of a newer program is refused`() throws {
        let queue = try DatabaseQueue()
        _ = try migrate(queue, Self.first, Self.second)
        let error = try #require(throws: KernelError.self) { try migrate(queue, Self.first) }
        #expect(
            error.description
                == "This database was migrated by a newer trellis (zoo/0002_add_age). Upgrade the program, or restore the backup made before the upgrade."
        )
        #expect(error.exitCode == 78)
    }

    @Test(arguments: ["0003_jump", "0001_again", "no_number"])
    func `a file out of sequence is refused`(_ name: String) throws {
        let queue = try DatabaseQueue()
        let error = try #require(throws: KernelError.self) {
            try migrate(queue, Self.first, MigrationFile(name: name, sql: "SELECT 1"))
        }
        #expect(
            error.description
                == "The migration zoo/\(name) is out of sequence: the next must be numbered 0002. Rename it.")
        #expect(try columns(queue) == [])
    }

    @Test func `a file that fails half-way leaves nothing of itself, nor of those that came with it`() throws {
        let queue = try DatabaseQueue()
        _ = try migrate(queue, Self.first)
        let bad = MigrationFile(
            name: "0003_add_dogs",
            sql: "CREATE TABLE dogs (id INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1)")
        let error = try #require(throws: KernelError.self) { try migrate(queue, Self.first, Self.second, bad) }
        #expect(
            error.description
                == "The migration zoo/0003_add_dogs failed and the database is as it was before: no such table: nowhere"
        )
        #expect(try queue.read { try !$0.tableExists("dogs") })
        #expect(try columns(queue) == ["id", "name"])
        #expect(try migrate(queue, Self.first, Self.second) == ["zoo/0002_add_age"])
    }

    @Test func `a new file is like one that grew`() throws {
        let (grown, new) = (try DatabaseQueue(), try DatabaseQueue())
        _ = try migrate(grown, Self.first)
        try grown.write { try $0.execute(sql: "INSERT INTO cats (name) VALUES ('Tom')") }
        _ = try migrate(grown, Self.first, Self.second)
        #expect(try migrate(new, Self.first, Self.second) == ["zoo/0001_create_cats", "zoo/0002_add_age"])
        let schemas = try [grown, new].map { queue in
            try queue.read { try String.fetchAll($0, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL") }
        }
        #expect(schemas[0] == schemas[1])
        #expect(try new.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM cats") } == 0)
        #expect(try new.read { try Int.fetchOne($0, sql: "PRAGMA application_id") } == Store.applicationID)
    }

    @Test func `a file that breaks a foreign key leaves nothing`() throws {
        let queue = try DatabaseQueue()
        _ = try migrate(queue, Self.first)
        let bad = MigrationFile(
            name: "0002_add_kittens",
            sql: "CREATE TABLE kittens (cat_id INTEGER REFERENCES cats (id)) STRICT; INSERT INTO kittens VALUES (9)")
        #expect(throws: KernelError.self) { try migrate(queue, Self.first, bad) }
        #expect(try queue.read { try !$0.tableExists("kittens") })
        #expect(try queue.read { try Int.fetchOne($0, sql: "PRAGMA foreign_keys") } == 1)
    }

    @Test func `the folder of the site comes last, and may use what the kernel made`() throws {
        let crm = try TestKernel(
            "migrations: sql",
            files: [
                "sql/0001_create_vips.sql":
                    "CREATE TABLE site_vips (lead_id INTEGER NOT NULL REFERENCES leads (id)) STRICT;",
                "sql/readme.txt": "not SQL",
            ])
        #expect(try crm.rows("SELECT id FROM migrations ORDER BY rowid").last == "site/0001_create_vips")
        #expect(crm.kernel.changes.migrations.contains("site/0001_create_vips"))
        let error = try #require(throws: ConfigProblems.self) { try crm.reopened("migrations: nowhere") }
        #expect(
            error.description.contains(
                "migrations: the folder \(crm.folder)/nowhere cannot be read. Make it, or remove the key."))
        #expect(error.problems.first.map { $0.place.line > 0 && $0.place.column == 13 } == true)
    }
}
