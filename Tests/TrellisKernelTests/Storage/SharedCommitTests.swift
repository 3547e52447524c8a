import CTrellisSQLite
import Dispatch
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

/// Counts the transactions of a kernel that commit.
private final class CommitCounter: TransactionObserver, Sendable {
    private let counted = Mutex(0)
    var count: Int { counted.withLock { $0 } }

    func observes(eventsOfKind _: DatabaseEventKind) -> Bool { false }
    func databaseDidChange(with _: DatabaseEvent) {}
    func databaseDidCommit(_: Database) { counted.withLock { $0 += 1 } }
    func databaseDidRollback(_: Database) {}
}

/// Hands over writes by hand, so that a test decides who comes while a commit is under way.
private final class Queue: Sendable {
    private let shared = SharedCommit()
    private let outcomes = Mutex<[String]>([])
    private let open = DispatchGroup()
    private let began = DispatchSemaphore(value: 0)
    private let mayGoOn = DispatchSemaphore(value: 0)
    private let kernel: Kernel

    init(_ kernel: Kernel) {
        self.kernel = kernel
    }

    func add(_ name: String, _ body: @escaping @Sendable (Transaction) throws -> Void) {
        open.enter()
        let write = SharedCommit.Write(
            origin: "form:\(name)",
            run: { tx in
                try body(tx)
                return SharedCommit.Told { self.tell("\(name) committed") }
            },
            fail: { self.tell("\(name): \($0)") })
        shared.add(write, to: kernel)
    }

    /// Adds a lead, in the name of whom it is.
    func addLead(_ name: String) {
        add(name) {
            try $0.db.execute(sql: "INSERT INTO leads (email) VALUES (?)", arguments: ["\(name)@acme.example"])
        }
    }

    /// Occupies the writer until ``goOn()``: whoever is added meanwhile waits for the next commit.
    func occupy() {
        add("first") { _ in
            self.began.signal()
            self.mayGoOn.wait()
        }
        began.wait()
    }

    /// Lets the writes run, and says what became of each, in the order they were told.
    func goOn() -> [String] {
        mayGoOn.signal()
        open.wait()
        return outcomes.withLock { $0 }
    }

    private func tell(_ outcome: String) {
        outcomes.withLock { $0.append(outcome) }
        open.leave()
    }
}

@Suite struct SharedCommitTests {
    private struct Refused: Error, Equatable, CustomStringConvertible {
        var description: String { "refused" }
    }

    private func counted(_ crm: TestKernel) -> CommitCounter {
        let counter = CommitCounter()
        crm.kernel.store.pool.add(transactionObserver: counter, extent: .databaseLifetime)
        return counter
    }

    // MARK: - One commit for many

    @Test func `whoever comes during a commit shares the next one`() throws {
        let crm = try TestKernel()
        let (queue, counter) = (Queue(crm.kernel), counted(crm))
        queue.occupy()
        for number in 1...60 { queue.addLead("ann\(number)") }
        let outcomes = queue.goOn()
        #expect(outcomes == ["first committed"] + (1...60).map { "ann\($0) committed" })
        #expect(try crm.value("SELECT count(*) FROM leads") == "60")
        #expect(counter.count == 2)
        #expect(try crm.troubles() == [])
    }

    @Test func `so many share a commit, and the others have the one after it`() throws {
        let crm = try TestKernel()
        let (queue, counter) = (Queue(crm.kernel), counted(crm))
        queue.occupy()
        for number in 1...(SharedCommit.writesMax * 2 + 1) { queue.addLead("ann\(number)") }
        #expect(queue.goOn().count == SharedCommit.writesMax * 2 + 2)
        #expect(try crm.value("SELECT count(*) FROM leads") == "\(SharedCommit.writesMax * 2 + 1)")
        #expect(counter.count == 4)
    }

    @Test func `each is written in its own name, and in the order they came`() throws {
        let crm = try TestKernel()
        let queue = Queue(crm.kernel)
        queue.occupy()
        for name in ["ann", "bob", "cem"] { queue.addLead(name) }
        _ = queue.goOn()
        #expect(
            try crm.rows("SELECT lead_id, kind, origin, cause_id FROM events WHERE lead_id IS NOT NULL ORDER BY id")
                == [
                    "1|lead.created|form:ann|", "2|lead.created|form:bob|", "3|lead.created|form:cem|",
                ])
        #expect(try crm.rows("SELECT origin, now FROM kernel_context") == ["|"])
    }

    // MARK: - One that fails

    @Test func `a write that fails is undone alone`() throws {
        let crm = try TestKernel()
        let (queue, counter) = (Queue(crm.kernel), counted(crm))
        queue.occupy()
        queue.addLead("ann")
        queue.add("bob") { tx in
            try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('bob@acme.example')")
            throw Refused()
        }
        queue.addLead("cem")
        #expect(queue.goOn() == ["first committed", "bob: refused", "ann committed", "cem committed"])
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example", "cem@acme.example"])
        #expect(
            try crm.rows("SELECT origin FROM events WHERE kind = 'lead.created' ORDER BY id") == [
                "form:ann", "form:cem",
            ])
        #expect(counter.count == 2)
        #expect(try crm.troubles() == [])
    }

    @Test func `a constraint that one breaks is nothing to the others`() throws {
        let crm = try TestKernel()
        let queue = Queue(crm.kernel)
        queue.occupy()
        queue.addLead("ann")
        queue.addLead("ann")
        queue.addLead("bob")
        let outcomes = queue.goOn()
        #expect(outcomes.count { $0.hasSuffix("committed") } == 3)
        #expect(outcomes.count { $0.hasPrefix("ann: ") && $0.contains("UNIQUE") } == 1)
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example", "bob@acme.example"])
    }

    @Test func `an error about the file is everybody's, and nothing is written`() throws {
        let crm = try TestKernel()
        let queue = Queue(crm.kernel)
        queue.occupy()
        queue.add("early") { _ in throw Refused() }
        queue.addLead("ann")
        queue.add("bob") { _ in throw DatabaseError(resultCode: .SQLITE_FULL) }
        queue.addLead("cem")
        let full = KernelError.diskFull.description
        #expect(queue.goOn() == ["first committed", "early: refused", "ann: \(full)", "bob: \(full)", "cem: \(full)"])
        #expect(try crm.rows("SELECT id FROM leads") == [])
        #expect(try crm.events() == [])
    }

    @Test func `after an error about the file the next write is taken`() throws {
        let crm = try TestKernel()
        let queue = Queue(crm.kernel)
        queue.add("bob") { _ in throw DatabaseError(resultCode: .SQLITE_IOERR) }
        _ = queue.goOn()
        queue.addLead("ann")
        #expect(queue.goOn().last == "ann committed")
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@acme.example"])
    }

    // MARK: - Many callers

    @Test func `of many callers at once each gets the answer to its own write`() async throws {
        let crm = try TestKernel()
        let kernel = crm.kernel
        let ids = try await withThrowingTaskGroup(of: (Int, Int64).self) { group in
            for number in 1...200 {
                group.addTask {
                    let id = try await kernel.writeTogether(origin: "form:\(number)") { tx in
                        try tx.db.execute(
                            sql: "INSERT INTO leads (email, employees) VALUES (?, ?)",
                            arguments: ["lead\(number)@acme.example", number])
                        return try Int64.fetchOne(tx.db, sql: "SELECT max(id) FROM leads") ?? 0
                    }
                    return (number, id)
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(ids.count == 200)
        #expect(try crm.value("SELECT count(*) FROM leads") == "200")
        for (number, id) in ids {
            #expect(try crm.value("SELECT employees FROM leads WHERE id = \(id)") == "\(number)")
        }
        #expect(
            try crm.rows(
                "SELECT l.id FROM leads AS l JOIN events AS e ON e.lead_id = l.id WHERE e.origin <> 'form:' || l.employees"
            ) == [])
        #expect(try crm.troubles() == [])
    }

    @Test func `a caller whose write fails is told why, and the others are answered`() async throws {
        let crm = try TestKernel()
        let kernel = crm.kernel
        let refused = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 1...60 {
                group.addTask {
                    do {
                        try await kernel.writeTogether(origin: "form:plan") { tx in
                            try tx.db.execute(
                                sql: "INSERT INTO leads (email) VALUES (?)", arguments: ["lead\(number)@acme.example"])
                            if number.isMultiple(of: 3) { throw Refused() }
                        }
                        return false
                    } catch is Refused {
                        return true
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(refused == 20)
        #expect(try crm.value("SELECT count(*) FROM leads") == "40")
        #expect(try crm.value("SELECT count(*) FROM events WHERE kind = 'lead.created'") == "40")
        #expect(try crm.troubles() == [])
    }

    @Test func `a write is answered after its commit`() async throws {
        let crm = try TestKernel()
        try await crm.kernel.writeTogether(origin: "form:plan") { tx in
            try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@acme.example')")
        }
        let other = try SQLConnection(path: crm.kernel.config.databasePath, access: .read)
        #expect(try other.table("SELECT email FROM leads").rows == [["ann@acme.example"]])
    }

    // MARK: - Aside

    @Test func `what nobody need wait for is written, and keeps nobody waiting while the file is held`() async throws {
        let crm = try TestKernel()
        await crm.kernel.writeAside(origin: "x") {
            try $0.db.execute(sql: "INSERT INTO leads (email) VALUES ('a@a.example')")
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["a@a.example"])
        var holder: OpaquePointer?
        sqlite3_open(crm.kernel.config.databasePath, &holder)
        #expect(sqlite3_exec(holder, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK)
        // It returns although nothing can be written yet.
        await crm.kernel.writeAside(origin: "x") {
            try $0.db.execute(sql: "INSERT INTO leads (email) VALUES ('b@a.example')")
        }
        #expect(try crm.rows("SELECT email FROM leads") == ["a@a.example"])
        sqlite3_exec(holder, "COMMIT", nil, nil, nil)
        sqlite3_close(holder)
    }
}
