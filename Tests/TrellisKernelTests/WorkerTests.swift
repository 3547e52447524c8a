import Foundation
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct WorkerTests {
    private func runs(_ crm: TestKernel) throws -> [String] {
        try crm.rows("SELECT ended_at FROM worker_runs ORDER BY id")
    }

    @Test func `a row that another client writes is handled while the worker runs`() async throws {
        let crm = try TestKernel()
        let worker = try Worker(crm.kernel, transport: crm.transport)
        let path = crm.kernel.config.databasePath
        let rounds = Mutex(0)
        let isWritten = Mutex(false)
        // How often it asks in that time depends on the machine.
        let end = ContinuousClock.now + .seconds(3_600)
        try await worker.run {
            let isOver = ContinuousClock.now > end
            let round = rounds.withLock { count in
                count += 1
                return count
            }
            guard let other = try? SQLConnection(path: path, access: .write) else { return isOver }
            // Written when it rests for the first time, or a little later where the worker writes just then; it stops
            // when that is handled, or after an hour.
            isWritten.withLock { isWritten in
                guard round > 1, !isWritten else { return }
                isWritten =
                    (try? other.run("INSERT INTO leads (email) VALUES ('ann@acme.example')") { _ in true }) != nil
            }
            let passed = try? other.table("SELECT min(last_event_id) FROM subscribers")
            return isOver || passed?.rows.first?.first == .integer(1)
        }
        try worker.finish()
        #expect(crm.transport.closings == 1)
        #expect(try crm.value("SELECT min(last_event_id) FROM subscribers") == "1")
        #expect(try runs(crm) == ["2026-03-02 09:00:00.000"])
    }

    @Test func `a worker that ended without a word is called crashed by the next`() throws {
        let crm = try TestKernel()
        do { _ = try Worker(crm.kernel, transport: crm.transport) }
        let next = try Worker(crm.kernel, transport: crm.transport)
        #expect(next.isAfterCrash)
        #expect(try Worker.current(crm.kernel) == ProcessInfo.processInfo.processIdentifier)
        try next.finish()
        #expect(try runs(crm) == ["crashed", "2026-03-02 09:00:00.000"])
    }

    /// Its disk is full until somebody makes room.
    private struct Tight: Plugin {
        static let name = "tight"
        static let summary = "Finds no room."
        static let rounds = Mutex(0)

        init(settings: NoSettings) {}

        var hooks: [any Hook] {
            Subscribe("note", to: ["lead.created"], from: .firstEvent) { _, _ in
                let round = Tight.rounds.withLock { count in
                    count += 1
                    return count
                }
                if round < 3 { throw KernelError.diskFull }
            }
        }
    }

    @Test func `a full disk ends no worker: what waits is handled once there is room`() async throws {
        let crm = try TestKernel("plugins: {tight: {}}", plugins: [Tight.self])
        try crm.capture(["email": "ann@acme.example"])
        let worker = try Worker(crm.kernel, transport: crm.transport)
        let path = crm.kernel.config.databasePath
        try await worker.run {
            let behind = try? SQLConnection(path: path, access: .read).table(
                "SELECT count(*) FROM subscribers WHERE id = 'tight/note' AND last_event_id < (SELECT max(id) FROM events)"
            )
            return behind?.rows == [[0]] && Tight.rounds.withLock { $0 } >= 3
        }
        try worker.finish()
        #expect(Tight.rounds.withLock { $0 } == 3)
        #expect(try crm.rows("SELECT * FROM parked_events") == [])
    }

    @Test func `it stops when nothing is due`() async throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        let worker = try Worker(crm.kernel, transport: crm.transport)
        let outcome = try await worker.runUntilIdle()
        #expect(outcome.events > 0 && outcome.messages == 0)
        #expect(crm.transport.closings == 1, "whoever it is connected to is told goodbye")
        #expect(try await worker.runUntilIdle() == (0, 0))
        try worker.finish()
    }

    @Test func `what is kept for a month is let go of by a worker that runs for months`() async throws {
        let crm = try TestKernel()
        try crm.capture(["email": "ann@acme.example"])
        let worker = try Worker(crm.kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        try crm.kernel.write(origin: "cli") { try $0.db.execute(sql: "DELETE FROM leads") }
        try crm.foreign("INSERT INTO api_calls (key, request, at) VALUES ('k', 'x', '2026-03-02 09:00:00.000')")
        for _ in 1...29 {
            crm.clock.advance(by: "1 day")
            try await worker.runUntilIdle()
        }
        #expect(
            try crm.value("SELECT (SELECT count(*) FROM trash) || ' ' || (SELECT count(*) FROM api_calls)") == "1 1")
        for _ in 1...2 {
            crm.clock.advance(by: "1 day")
            try await worker.runUntilIdle()
        }
        #expect(
            try crm.value("SELECT (SELECT count(*) FROM trash) || ' ' || (SELECT count(*) FROM api_calls)") == "0 0")
        try worker.finish()
    }
}
