import Foundation
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

/// How often Ctrl-C reached whoever handles it beside a statement.
private let interruptsOutside = Atomic<Int>(0)

/// The limit of memory holds for a whole process, and is tested with one: `SQLCommandTests`.
@Suite struct ReadingLimitsTests {
    private let crm: TestKernel
    private let reader: SQLConnection

    init() throws {
        crm = try TestKernel()
        reader = try SQLConnection(
            path: crm.kernel.config.databasePath, access: .read, limits: ReadingLimits(seconds: 60, megabytes: 64))
    }

    private let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"

    @Test func `a statement that never ends is stopped, and the next one is answered`() throws {
        let reader = try SQLConnection(
            path: crm.kernel.config.databasePath, access: .read, limits: ReadingLimits(seconds: 0.2, megabytes: 64))
        let late =
            "The statement took longer than 0.2 s and was stopped. Ask for less, or give it longer with --seconds."
        for sql in ["\(endless) count(*) FROM n", "\(endless) i FROM n WHERE i < 0"] {
            #expect(throws: KernelError.data(late)) { try reader.table(sql) }
        }
        #expect(try reader.table("SELECT 1").rows == [[1]])
        #expect(ReadingLimits(seconds: 60).sentence(of: 9)?.contains(" longer than 60 s and ") == true)
    }

    @Test func `a value is a sixteenth of the memory at most`() throws {
        #expect(try reader.table("SELECT length(zeroblob(4194304))").rows == [[4_194_304]])
        let long =
            "A value of the statement is longer than 4 MB, a sixteenth of the memory it may have. Ask for less, or give it more with --memory MB."
        #expect(throws: KernelError.data(long)) { try reader.table("SELECT zeroblob(4194305)") }
    }

    /// In a process of its own: there is one handler of Ctrl-C for all the tests of another.
    @Test func `Ctrl-C stops the statement, and is then what it was before`() async {
        await #expect(processExitsWith: .success) {
            let crm = try TestKernel()
            let reader = try SQLConnection(path: crm.kernel.config.databasePath, access: .read)
            let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
            signal(SIGINT) { _ in interruptsOutside.add(1, ordering: .relaxed) }
            for (times, outside) in [(1, 0), (2, 1)] {
                interruptsOutside.store(0, ordering: .relaxed)
                var rows = 0
                let error = try #require(throws: KernelError.self) {
                    try reader.whileStoppable {
                        try reader.run(endless) { _ in
                            rows += 1
                            if rows == 3 { for _ in 0..<times { try ReadingLimitsTests.interrupt() } }
                            return true
                        }
                    }
                }
                #expect(rows == 3 && error.description == "The statement was stopped.")
                #expect(interruptsOutside.load(ordering: .relaxed) == outside)
                #expect(try reader.whileStoppable { try reader.table("SELECT 1") }.rows == [[1]])
                try ReadingLimitsTests.interrupt()
                #expect(interruptsOutside.load(ordering: .relaxed) == outside + 1)
            }
            // Whoever starts the program with Ctrl-C ignored, as a shell does behind '&', means it.
            signal(SIGINT, SIG_IGN)
            var rows = 0
            _ = try reader.whileStoppable {
                try reader.run(endless) { _ in
                    rows += 1
                    if rows == 3 { try ReadingLimitsTests.interrupt() }
                    return rows < 9
                }
            }
            #expect(rows == 9)
            try crm.kernel.close()
        }
    }

    /// As the terminal does to the main thread; the threads of a pool take no signals.
    private static func interrupt() throws {
        var (signals, before) = (sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        try #require(pthread_sigmask(SIG_UNBLOCK, &signals, &before) == 0)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        raise(SIGINT)
    }

    @Test func `the default is never more than half of the machine`() {
        let limits = ReadingLimits()
        #expect(limits.seconds == 300 && limits.megabytes <= 1_024)
        #expect(UInt64(limits.megabytes) << 21 <= max(ProcessInfo.processInfo.physicalMemory, 32 << 20))
    }
}
