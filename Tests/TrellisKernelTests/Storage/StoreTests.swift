import Foundation
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct StoreTests {
    /// The error of opening a folder whose database was made by `prepare`.
    private func refusal(_ prepare: (String) throws -> Void) throws -> (error: KernelError, path: String) {
        let folder = NSTemporaryDirectory() + "trellis-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/crm.sqlite"
        try prepare(path)
        return (try #require(throws: KernelError.self) { try TestKernel(folder: folder) }, path)
    }

    @Test func `a file is written so that what is acknowledged stays`() throws {
        let crm = try TestKernel()
        let settings = try crm.kernel.store.pool.writeWithoutTransaction { db in
            try ["synchronous", "journal_mode", "foreign_keys", "application_id"].map {
                try String.fetchOne(db, sql: "PRAGMA \($0)") ?? ""
            }
        }
        #expect(settings == ["2", "wal", "1", String(Store.applicationID)])
    }

    @Test func `beside a worker only the worker copies the log into the file`() throws {
        func pages(_ crm: TestKernel) throws -> Int? {
            try crm.kernel.store.pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA wal_autocheckpoint") }
        }
        let crm = try TestKernel()
        #expect(try pages(crm) == Workload.everyday.checkpointPages)
        let lock = try FileLock(path: crm.kernel.store.path + "-worker")
        let beside = try withExtendedLifetime(lock) { try pages(TestKernel(folder: crm.folder)) }
        #expect(beside == 0)
    }

    @Test func `a database of another program is refused and not touched`() throws {
        var before: Data?
        let (error, path) = try refusal { path in
            let queue = try DatabaseQueue(path: path)
            try queue.write { try $0.execute(sql: "CREATE TABLE theirs (id INTEGER)") }
            try queue.close()
            before = FileManager.default.contents(atPath: path)
        }
        #expect(error == .foreignDatabase(path) && error.exitCode == 78)
        #expect(
            error.description
                == "\(path) is a SQLite database of another program. Name another file under 'database' in the config.")
        #expect(before != nil)
    }

    @Test func `a file with the mark of another program is refused though it is empty`() throws {
        let (error, path) = try refusal { path in
            let queue = try DatabaseQueue(path: path)
            try queue.write { try $0.execute(sql: "PRAGMA application_id = 42") }
            try queue.close()
        }
        #expect(error == .foreignDatabase(path))
    }

    @Test func `a text file is no database`() throws {
        let text = String(repeating: "This is a letter to a friend.\n", count: 100)
        let (error, path) = try refusal { try Data(text.utf8).write(to: URL(filePath: $0)) }
        #expect(error == .notADatabase(path))
        #expect(
            error.description
                == "\(path) is not a SQLite database, or its first page is damaged. Name another file under 'database', or restore a backup."
        )
    }

    @Test func `an empty file becomes one`() throws {
        let crm = try TestKernel(files: ["crm.sqlite": ""])
        #expect(try crm.value("SELECT count(*) FROM leads") == "0")
    }

    @Test func `a damaged file is refused with what to do`() throws {
        let (error, path) = try refusal { path in
            let crm = try TestKernel(folder: (path as NSString).deletingLastPathComponent)
            try crm.kernel.store.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try crm.kernel.close()
            var data = try #require(FileManager.default.contents(atPath: path))
            for index in 100..<4096 { data[index] = 0xAB }
            try data.write(to: URL(filePath: path))
        }
        guard case .damaged(path, let detail) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(
            error.description.hasPrefix(
                "The database \(path) is damaged (\(detail)). Nothing was written. Restore the newest backup, or save"))
        #expect(error.exitCode == 74)
    }

    @Test func `a folder that is not there is said so, and none is made`() throws {
        let crm = try TestKernel()
        let error = try #require(throws: KernelError.self) { try crm.reopened("database: data/crm.sqlite") }
        #expect(error == .noFolder(crm.folder + "/data") && error.exitCode == 73)
        #expect(!FileManager.default.fileExists(atPath: crm.folder + "/data"))
    }

    @Test func `a file in place of the folder is no folder`() throws {
        let crm = try TestKernel(files: ["data": "a file"])
        let error = try #require(throws: KernelError.self) { try crm.reopened("database: data/crm.sqlite") }
        #expect(error == .noFolder(crm.folder + "/data"))
    }

    @Test func `a second worker is told who the first is`() throws {
        let crm = try TestKernel()
        let first = try Worker(crm.kernel, transport: crm.transport)
        let error = try #require(throws: KernelError.self) { try Worker(crm.kernel, transport: crm.transport) }
        #expect(error == .secondWorker(pid: ProcessInfo.processInfo.processIdentifier) && error.exitCode == 75)
        try first.finish()
    }

    @Test func `a column that changed its type is refused`() throws {
        let crm = try TestKernel("leads: {fields: {budget: real}}")
        let error = try #require(throws: ConfigProblems.self) { try crm.reopened("leads: {fields: {budget: text}}") }
        #expect(
            error.problems.map(\.message) == [
                "leads.budget is REAL in the database and TEXT in the config. Change the config back, or add a field with a new name."
            ])
    }

    @Test func `a field that is a column of another type is named with its place, and so is the next`() throws {
        let config = try Config.parse(
            "leads: {fields: {email: integer, budget: real}}\naccounts: {fields: {name: real}}", plugins: [])
        let error = try #require(throws: ConfigProblems.self) { try config.check(plugins: []) }
        let advice = "in the config. Change the config back, or add a field with a new name."
        #expect(
            error.problems.map(\.description) == [
                "config.yaml:1:18: leads.fields.email: leads.email is TEXT in the database and INTEGER \(advice)",
                "config.yaml:2:21: accounts.fields.name: accounts.name is TEXT in the database and REAL \(advice)",
            ])
    }

    @Test func `a field that leaves the config keeps its column and its data`() throws {
        let crm = try TestKernel("leads: {fields: {budget: real}}")
        try crm.capture(["external_id": "1", "budget": "2.5"])
        let later = try crm.reopened("")
        #expect(try later.rows("SELECT budget FROM leads") == ["2.5"])
    }

    @Test func `the database and what stands beside it are for their owner alone`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        let files = try FileManager.default.contentsOfDirectory(atPath: crm.folder).filter {
            $0.hasPrefix("crm.sqlite")
        }
        #expect(files.contains("crm.sqlite") && files.contains("crm.sqlite-wal"))
        for file in files {
            let attributes = try FileManager.default.attributesOfItem(atPath: crm.folder + "/" + file)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
        }
    }

    @Test func `what stands still is found without reading the mails that were sent`() throws {
        let crm = try TestKernel()
        let plan = try crm.kernel.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT count(*) FROM kernel_stops").map {
                $0["detail"] as String
            }
        }
        #expect(plan.contains { $0.contains("USING INDEX outbox_messages_stopped") }, "\(plan)")
        #expect(
            !plan.contains { $0.hasPrefix("SCAN outbox_messages") && !$0.contains("outbox_messages_stopped") },
            "\(plan)")
    }

    @Test func `a file that was read and is closed is one file again`() throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@a.example"])
        let log = crm.kernel.config.databasePath + "-wal"
        #expect(try crm.kernel.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM leads") } == 1)
        #expect(FileManager.default.fileExists(atPath: log))
        try crm.kernel.close()
        #expect(!FileManager.default.fileExists(atPath: log))
    }
}
