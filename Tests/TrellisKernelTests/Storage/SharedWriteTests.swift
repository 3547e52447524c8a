import Dispatch
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct SharedWriteTests {
    private struct Refused: Error, Equatable {}

    /// Adds leads by their names, and notes which it was asked for at once.
    private final class Guests: Sendable {
        let asked = Mutex<[[String]]>([])
        private let kernel: Kernel

        init(_ kernel: Kernel) {
            self.kernel = kernel
        }

        func write(_ names: [String], _ tx: Transaction) throws -> [Int64] {
            asked.withLock { $0.append(names) }
            return try names.map { name in
                try tx.db.execute(sql: "INSERT INTO leads (email) VALUES (?)", arguments: ["\(name)@acme.example"])
                if name.hasPrefix("bad") { throw Refused() }
                if name.hasPrefix("full") { throw DatabaseError(resultCode: .SQLITE_FULL) }
                return tx.db.lastInsertedRowID
            }
        }

        /// What becomes of callers who come while another commit is under way, by name: the id of their lead, or what
        /// they were told.
        ///
        /// - Parameter inTurn: whether each comes after the one before, not all at once.
        func come(_ names: [(name: String, origin: String)], inTurn: Bool = true) async throws -> [String: String] {
            let shared = SharedWrite { try self.write($0, $1) }
            let (began, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            kernel.sharedCommit.add(
                SharedCommit.Write(
                    origin: "first",
                    run: { _ in
                        began.signal()
                        mayGoOn.wait()
                        return SharedCommit.Told {}
                    }, fail: { _ in }), to: kernel)
            func hasBegun() -> Bool { began.wait(timeout: .now()) == .success }
            while !hasBegun() { try await Task.sleep(for: .milliseconds(1)) }
            return try await withThrowingTaskGroup(of: (String, String).self) { [kernel] group in
                for (index, (name, origin)) in names.enumerated() {
                    group.addTask {
                        do {
                            return (name, "\(try await shared(name, origin: origin, in: kernel))")
                        } catch {
                            return (name, "\(error)")
                        }
                    }
                    while inTurn, shared.waitingCount <= index { try await Task.sleep(for: .milliseconds(1)) }
                }
                while shared.waitingCount < names.count { try await Task.sleep(for: .milliseconds(1)) }
                mayGoOn.signal()
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
        }
    }

    private func named(_ names: String...) -> [(name: String, origin: String)] { names.map { ($0, "form:plan") } }

    @Test func `all who wait are written at once, and each is told of its own`() async throws {
        let crm = try TestKernel()
        let guests = Guests(crm.kernel)
        #expect(try await guests.come(named("ann", "bob", "cem")) == ["ann": "1", "bob": "2", "cem": "3"])
        #expect(guests.asked.withLock { $0 } == [["ann", "bob", "cem"]])
        #expect(
            try crm.rows("SELECT lead_id, origin FROM events WHERE lead_id IS NOT NULL ORDER BY id") == [
                "1|form:plan", "2|form:plan", "3|form:plan",
            ])
        #expect(try crm.troubles() == [])
    }

    @Test func `one that is wrong fails alone, after all were tried at once`() async throws {
        let crm = try TestKernel()
        let guests = Guests(crm.kernel)
        let told = try await guests.come(named("ann", "bad", "cem"))
        #expect(told == ["ann": "1", "bad": "Refused()", "cem": "2"])
        #expect(guests.asked.withLock { $0 } == [["ann", "bad", "cem"], ["ann"], ["bad"], ["cem"]])
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example", "cem@acme.example"])
        #expect(try crm.value("SELECT count(*) FROM events WHERE kind = 'lead.created'") == "2")
        #expect(try crm.troubles() == [])
    }

    @Test func `each origin is written in its own name`() async throws {
        let crm = try TestKernel()
        let guests = Guests(crm.kernel)
        let told = try await guests.come([("ann", "form:a"), ("bob", "form:b"), ("cem", "form:a")])
        #expect(told == ["ann": "1", "cem": "2", "bob": "3"])
        #expect(guests.asked.withLock { $0 } == [["ann", "cem"], ["bob"]])
        #expect(
            try crm.rows("SELECT lead_id, origin FROM events WHERE lead_id IS NOT NULL ORDER BY id") == [
                "1|form:a", "2|form:a", "3|form:b",
            ])
    }

    @Test func `so many are written at once, and the others after them`() async throws {
        let crm = try TestKernel()
        let guests = Guests(crm.kernel)
        let names = (1...(SharedCommit.writesMax * 2 + 1)).map { ("ann\($0)", "form:plan") }
        #expect(try await guests.come(names, inTurn: false).count == names.count)
        #expect(guests.asked.withLock { $0 }.map(\.count) == [SharedCommit.writesMax, SharedCommit.writesMax, 1])
        #expect(try crm.value("SELECT count(*) FROM leads") == "\(names.count)")
    }

    @Test func `an error about the file is everybody's, and nothing is written`() async throws {
        let crm = try TestKernel()
        let guests = Guests(crm.kernel)
        let full = KernelError.diskFull.description
        #expect(try await guests.come(named("ann", "full", "cem")) == ["ann": full, "full": full, "cem": full])
        #expect(try crm.rows("SELECT id FROM leads") == [])
        #expect(try await guests.come(named("dan")) == ["dan": "1"])
    }

    @Test func `a caller is told where there is no outcome, and where the file is closed`() async throws {
        let crm = try TestKernel()
        let none = SharedWrite<String, Int64> { _, _ in [] }
        await #expect(throws: KernelError.self) { try await none("ann", origin: "form:plan", in: crm.kernel) }
        try crm.kernel.close()
        await #expect(throws: (any Error).self) { try await none("bob", origin: "form:plan", in: crm.kernel) }
        #expect(none.waitingCount == 0)
    }

    /// A write beside others that holds them up once their commit is the next, before it begins.
    private final class Stop: Sendable {
        private let (there, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))

        func add(to kernel: Kernel, fail: @escaping @Sendable () -> Void = {}) {
            let write = SharedCommit.Write(
                origin: "stop",
                begin: {
                    self.there.signal()
                    self.mayGoOn.wait()
                    return true
                }, run: { _ in SharedCommit.Told {} }, fail: { _ in fail() })
            kernel.sharedCommit.add(write, to: kernel)
        }

        func isThere() async throws {
            func isIt() -> Bool { there.wait(timeout: .now()) == .success }
            while !isIt() { try await Task.sleep(for: .milliseconds(1)) }
        }

        func goOn() { mayGoOn.signal() }
    }

    /// What was written at once of two callers, of whom the second comes when the turn of the first has come already,
    /// and of a third after them.
    private func written(joinTime: Duration) async throws -> [[String]] {
        let crm = try TestKernel()
        let (kernel, guests, stop) = (crm.kernel, Guests(crm.kernel), Stop())
        let shared = SharedWrite(joinTime: joinTime) { try guests.write($0, $1) }
        let (first, second) = try await afterTheFirst(shared, kernel, stop)
        #expect(try await [first.value, second.value] == [1, 2])
        // The turn of whoever joined another's has nothing to write, and those after it are not held up.
        #expect(try await shared("cem", origin: "form:plan", in: kernel) == 3)
        #expect(try crm.value("SELECT count(*) FROM events WHERE kind = 'lead.created'") == "3")
        return guests.asked.withLock { $0 }
    }

    private func afterTheFirst(
        _ shared: SharedWrite<String, Int64>, _ kernel: Kernel, _ stop: Stop,
        whenFailed: @escaping @Sendable () -> Void = {}
    ) async throws -> (first: Task<Int64, any Error>, second: Task<Int64, any Error>) {
        stop.add(to: kernel)
        try await stop.isThere()
        let first = Task { try await shared("ann", origin: "form:plan", in: kernel) }
        while shared.waitingCount < 1 { try await Task.sleep(for: .milliseconds(1)) }
        stop.add(to: kernel, fail: whenFailed)
        stop.goOn()
        try await stop.isThere()
        #expect(shared.waitingCount == 0)
        let second = Task { try await shared("bob", origin: "form:plan", in: kernel) }
        while shared.waitingCount < 1 { try await Task.sleep(for: .milliseconds(1)) }
        stop.goOn()
        return (first, second)
    }

    @Test func `whoever comes while a turn waits for a moment joins it`() async throws {
        #expect(try await written(joinTime: .seconds(3600)) == [["ann", "bob"], ["cem"]])
    }

    @Test func `whoever comes while a turn waits for long has a turn of their own`() async throws {
        #expect(try await written(joinTime: .zero) == [["ann"], ["bob"], ["cem"]])
    }

    @Test func `those whose turn it was while the file is held are told, and who came later is taken in`() async throws
    {
        let crm = try TestKernel()
        let (kernel, guests) = (crm.kernel, Guests(crm.kernel))
        try await kernel.store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA busy_timeout = 50") }
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: kernel.config.databasePath, configuration: configuration)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let shared = SharedWrite { try guests.write($0, $1) }
        // The file is let go once the first was told.
        let (first, second) = try await afterTheFirst(shared, kernel, Stop()) {
            try? holder.inDatabase { try $0.execute(sql: "ROLLBACK") }
        }
        await #expect(throws: KernelError.busy) { try await first.value }
        #expect(try await second.value == 1)
        #expect(guests.asked.withLock { $0 } == [["bob"]])
    }
}
