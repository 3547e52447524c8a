import Foundation
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ClockGuardTests {
    /// A clock somebody sets beside one nobody sets.
    private final class Clocks: Sendable {
        private let state = Mutex((wall: Date(timeIntervalSince1970: 1_780_000_000), steady: 0.0))

        func pass(_ seconds: Double) { state.withLock { $0 = ($0.wall + seconds, $0.steady + seconds) } }
        func set(by seconds: Double) { state.withLock { $0.wall += seconds } }

        var clock: KernelClock {
            KernelClock(steadySeconds: { [self] in state.withLock { $0.steady } }) { [self] in
                state.withLock { $0.wall }
            }
        }
    }

    private static let mail = ["mails/hello.md": "---\nsubject: Hello\npurpose: transactional\n---\nHello.\n"]

    private func crm(_ clocks: Clocks) throws -> (crm: TestKernel, kernel: Kernel) {
        let crm = try TestKernel(files: Self.mail)
        try crm.kernel.close()
        return (crm, try Kernel(config: crm.kernel.config, plugins: [], clock: clocks.clock))
    }

    private func order(_ kernel: Kernel) throws {
        try kernel.write(origin: "plugin:test") { tx in
            try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@acme.example') ON CONFLICT DO NOTHING")
            try tx.send(
                .transactional,
                forEach: """
                    SELECT 'k' || (SELECT count(*) FROM outbox_messages) AS key, 1 AS lead_id, NULL AS recipient, 'hello' AS template,
                           '{}' AS body, 1 AS cause_id
                    """)
            try tx.emit(LeadUnsubscribed(reason: "later"), lead: 1, at: tx.now + 86_400)
        }
    }

    private func jumps(_ kernel: Kernel) throws -> [String] {
        try kernel.read {
            try String.fetchAll($0, sql: "SELECT coalesce(settled_by, 'open') FROM clock_jumps ORDER BY id")
        }
    }

    private func events(_ kernel: Kernel, _ kind: String) throws -> Int {
        try kernel.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM events WHERE kind = ?", arguments: [kind]) ?? 0
        }
    }

    @Test(arguments: [34_560_000.0, -7200.0])
    func `a jump holds what it would set off until the clock is right again`(_ jump: Double) async throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        let worker = try Worker(kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        clocks.pass(60)
        clocks.set(by: jump)
        try order(kernel)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.isEmpty)
        #expect(try events(kernel, "lead.unsubscribed") == 0)
        #expect(try jumps(kernel) == ["open"])
        clocks.pass(3600)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.isEmpty)
        clocks.set(by: -jump)
        try await worker.runUntilIdle()
        #expect(try jumps(kernel) == ["clock"])
        #expect(crm.transport.sent.count == 1)
        #expect(try events(kernel, "lead.unsubscribed") == 0, "its day has not come")
        try kernel.close()
    }

    @Test func `a person may take the clock as it is`() async throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        let worker = try Worker(kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        clocks.set(by: 400 * 86_400)
        try order(kernel)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.isEmpty)
        #expect(try kernel.write(origin: "cli") { try $0.acceptClockJumps(by: "cli") } == 1)
        #expect(try kernel.write(origin: "cli") { try $0.acceptClockJumps(by: "cli") } == 0, "once is enough")
        #expect(try kernel.read { try ClockGuard.isHeld($0) }, "until the worker has decided about what is late")
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.count == 1)
        clocks.pass(60)
        try await worker.runUntilIdle()
        #expect(try jumps(kernel) == ["cli"], "the clock is right from here on")
        try kernel.close()
    }

    private static let holds: [(Double, Double, Int)] = [
        (34_560_000, 0, 0), (34_560_000, -34_559_940, 1), (-7200, 60, 0), (-7200, 7300, 1),
    ]

    @Test(arguments: holds)
    func `a hold outlives the process`(_ jump: Double, _ meanwhile: Double, _ sent: Int) async throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        do {
            let worker = try Worker(kernel, transport: crm.transport)
            try await worker.runUntilIdle()
            clocks.set(by: jump)
            try await worker.runUntilIdle()
            try worker.finish()
        }
        clocks.set(by: meanwhile)
        try order(kernel)
        try await Worker(kernel, transport: crm.transport).runUntilIdle()
        #expect(crm.transport.sent.count == sent)
        try kernel.close()
    }

    @Test func `a machine that booted before the last event of the log sends nothing until its clock is set`()
        async throws
    {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        try order(kernel)
        clocks.set(by: -1_700_000_000)
        let worker = try Worker(kernel, transport: crm.transport)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.isEmpty)
        clocks.pass(30)
        clocks.set(by: 1_700_000_000 + 5000)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.count == 1)
        try kernel.close()
    }

    @Test(arguments: [34_560_000.0, -7200.0])
    func `what a clock says that is not believed is no sign of life, at a stop nor at a start`(_ jump: Double) throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        let right = Timestamp.text(clocks.clock.now())
        do {
            let worker = try Worker(kernel, transport: crm.transport)
            // The stop itself notices it.
            clocks.set(by: jump)
            try worker.finish()
        }
        #expect(try jumps(kernel) == ["open"])
        try Worker(kernel, transport: crm.transport).finish()
        let seen = try kernel.read { try String.fetchAll($0, sql: "SELECT seen_at FROM worker_runs ORDER BY id") }
        #expect(seen == [right, right])
        try kernel.close()
    }

    @Test func `a start while the clock is ahead throws nothing away`() throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        let count = "SELECT count(*) FROM api_calls"
        do {
            let worker = try Worker(kernel, transport: crm.transport)
            try kernel.write(origin: "cli") { tx in
                try tx.db.execute(
                    sql: "INSERT INTO api_calls (key, request, at) VALUES ('k', 'x', ?)", arguments: [tx.stamp])
            }
            clocks.set(by: 34_560_000)
            try worker.finish()
        }
        try Worker(kernel, transport: crm.transport).finish()
        #expect(try kernel.read { try Int.fetchOne($0, sql: count) } == 1)
        _ = try kernel.write(origin: "cli") { try $0.acceptClockJumps(by: "cli") }
        try Worker(kernel, transport: crm.transport).finish()
        #expect(try kernel.read { try Int.fetchOne($0, sql: count) } == 0, "it is older than 30 days")
        try kernel.close()
    }

    @Test(arguments: [34_560_000.0, -7200.0])
    func `a jump that is over does not hold the next start for events of the wrong time`(_ jump: Double) async throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        func log() throws {
            try kernel.write(origin: "cli") {
                try $0.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@acme.example')")
            }
        }
        do {
            let worker = try Worker(kernel, transport: crm.transport)
            if jump < 0 { try log() }
            try await worker.runUntilIdle()
            clocks.set(by: jump)
            if jump > 0 { try log() }
            try await worker.runUntilIdle()
            #expect(try jumps(kernel) == ["open"])
            // The one that was ahead comes back; the one that was put back is accepted.
            if jump > 0 {
                clocks.set(by: -jump)
            } else {
                _ = try kernel.write(origin: "cli") { try $0.acceptClockJumps(by: "cli") }
            }
            try await worker.runUntilIdle()
            try worker.finish()
        }
        clocks.pass(60)
        let worker = try Worker(kernel, transport: crm.transport)
        #expect(try jumps(kernel) == [jump > 0 ? "clock" : "cli"])
        try order(kernel)
        try await worker.runUntilIdle()
        #expect(crm.transport.sent.count == 1)
        try kernel.close()
    }

    @Test func `a jump that is over hides no event of the right clock from a start that lies behind it`() async throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        do {
            let worker = try Worker(kernel, transport: crm.transport)
            try await worker.runUntilIdle()
            clocks.set(by: 3600)
            try await worker.runUntilIdle()
            clocks.set(by: -3600)
            try await worker.runUntilIdle()
            try worker.finish()
        }
        clocks.pass(14 * 86_400)
        try kernel.write(origin: "cli") {
            try $0.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@acme.example')")
        }
        // A machine that boots a week behind.
        clocks.set(by: -7 * 86_400)
        let worker = try Worker(kernel, transport: crm.transport)
        #expect(try jumps(kernel) == ["clock", "open"])
        try worker.finish()
        try kernel.close()
    }

    @Test func `a clock that drifts does not jump`() async throws {
        let clocks = Clocks()
        let (crm, kernel) = try crm(clocks)
        let worker = try Worker(kernel, transport: crm.transport)
        for _ in 1...50 {
            clocks.pass(60)
            clocks.set(by: 30)
            try await worker.runUntilIdle()
        }
        #expect(try jumps(kernel) == [])
        try kernel.close()
    }
}
