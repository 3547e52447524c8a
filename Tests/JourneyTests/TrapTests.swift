import Foundation
import Testing
import TrellisKernel
import TrellisTesting

@Suite struct TrapTests {
    /// Traps on one event, which no handler and no kernel can catch; counts all others.
    struct Brittle: Plugin {
        static let name = "brittle"
        static let summary = "Traps on lead 150."
        static var migrations: MigrationFolder {
            MigrationFolder(
                owner: name,
                files: [
                    MigrationFile(
                        name: "0001_create_seen",
                        sql: """
                            -- A lead that was seen.
                            CREATE TABLE brittle_seen (lead_id INTEGER NOT NULL) STRICT;
                            """)
                ])
        }
        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Subscribe("see", to: LeadCreated.self, from: .firstEvent) { created, tx in
                let numbers = [1]
                if created.leadID == 150 { _ = numbers[Int(created.id)] }
                try tx.db.execute(sql: "INSERT INTO brittle_seen VALUES (?)", arguments: [created.leadID])
            }
        }
    }

    /// Sees the same events and is fine.
    struct Sturdy: Plugin {
        static let name = "sturdy"
        static let summary = "Counts leads."
        static var migrations: MigrationFolder {
            MigrationFolder(
                owner: name,
                files: [
                    MigrationFile(
                        name: "0001_create_seen",
                        sql: """
                            -- A lead that was seen.
                            CREATE TABLE sturdy_seen (lead_id INTEGER NOT NULL) STRICT;
                            """)
                ])
        }
        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Subscribe("see", to: ["lead.created"], from: .firstEvent) { _, tx in
                try tx.db.execute(sql: "INSERT INTO sturdy_seen SELECT lead_id FROM batch")
            }
        }
    }

    /// The child of an exit test finds the folder by the pid of its parent.
    static func folder(of pid: Int32) -> String { NSTemporaryDirectory() + "trellis-trap-\(pid)" }

    static func open(_ folder: String) throws -> TestKernel {
        try TestKernel("plugins: {brittle: {}, sturdy: {}}", plugins: [Brittle.self, Sturdy.self], folder: folder)
    }

    @Test func `an event that kills the process three times is parked, and everything else goes on`() async throws {
        let folder = TrapTests.folder(of: getpid())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let crm = try TrapTests.open(folder)
        for number in 1...300 { try crm.capture(["email": "lead\(number)@acme.example"]) }
        try crm.kernel.close()
        for _ in 1...3 {
            await #expect(processExitsWith: .failure) {
                let crm = try TrapTests.open(TrapTests.folder(of: getppid()))
                try await Worker(crm.kernel, transport: crm.transport).runUntilIdle()
                exit(EXIT_SUCCESS)
            }
        }
        let healed = try TrapTests.open(folder)
        try healed.capture(["email": "late@acme.example"])
        let worker = try Worker(healed.kernel, transport: healed.transport)
        #expect(worker.isAfterCrash)
        try await worker.runUntilIdle()
        try worker.finish()
        #expect(
            try healed.rows("SELECT subscriber, event_id, error FROM parked_events")
                == [
                    "brittle/see|\(try healed.value("SELECT id FROM events WHERE kind = 'lead.created' AND lead_id = 150") ?? "")|the process died three times while it was handled"
                ])
        #expect(try healed.value("SELECT count(*), count(DISTINCT lead_id) FROM brittle_seen") == "300|300")
        #expect(try healed.value("SELECT count(*), count(DISTINCT lead_id) FROM sturdy_seen") == "301|301")
    }
}
