import Logging
import Synchronization
import Testing
import TrellisTesting

@testable import TrellisKernel

@Suite struct ChoreTests {
    private struct Trouble: Error, CustomStringConvertible {
        let description: String
    }

    /// Time that moves when it is told to, as a runner asks for it.
    private final class Watch: Sendable {
        private let instant = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { instant.withLock { $0 } }
        func advance(by duration: Duration) { instant.withLock { $0 += duration } }
    }

    private final class Lines: Sendable {
        private let all = Mutex<[String]>([])
        var list: [String] { all.withLock { $0 } }
        func add(_ line: String) { all.withLock { $0.append(line) } }
    }

    private struct Recorder: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.add("\(event.level): \(event.message) \(facts.joined(separator: " "))")
        }
    }

    private let crm: TestKernel
    private let watch = Watch()
    private let lines = Lines()

    init() throws {
        crm = try TestKernel()
    }

    private func runner(_ chores: Chore...) throws -> ChoreRunner {
        let lines = lines
        let logger = Logger(label: "test") { _ in Recorder(lines: lines) }
        let kernel = try Kernel(config: crm.kernel.config, plugins: [], clock: crm.clock.clock, logger: logger)
        let watch = watch
        return ChoreRunner(kernel, chores: chores, now: { watch.now })
    }

    private func end(_ tasks: [Task<Void, Never>]) async {
        for task in tasks { await task.value }
    }

    @Test func `a chore begins at once, and again when its pause is over`() async throws {
        let runs = Lines()
        let runner = try runner(Chore("sweep", every: .seconds(10)) { _ in runs.add("sweep") })
        await end(runner.startDue())
        #expect(runs.list.count == 1)
        watch.advance(by: .seconds(9))
        #expect(runner.startDue().isEmpty)
        watch.advance(by: .seconds(1))
        await end(runner.startDue())
        #expect(runs.list.count == 2)
    }

    @Test func `a chore is never run twice at once, and its pause begins at its end`() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let runs = Lines()
        let runner = try runner(
            Chore("ask", every: .seconds(10)) { _ in
                runs.add("ask")
                for await _ in gate { break }
            })
        let first = runner.startDue()
        #expect(first.count == 1)
        for _ in 1...5 {
            watch.advance(by: .seconds(100))
            #expect(runner.startDue().isEmpty)
        }
        open.yield()
        await end(first)
        #expect(runs.list.count == 1)
        #expect(runner.startDue().isEmpty)
        watch.advance(by: .seconds(10))
        let second = runner.startDue()
        #expect(second.count == 1)
        open.yield()
        await end(second)
    }

    @Test func `a chore that throws is logged by its name, and comes again`() async throws {
        let runner = try runner(
            Chore("ask", every: .seconds(10)) { _ in throw Trouble(description: "nobody answers") })
        for round in 1...2 {
            await end(runner.startDue())
            #expect(lines.list.count == round)
            watch.advance(by: .seconds(10))
        }
        #expect(lines.list[0] == "warning: a chore failed chore=ask error=nobody answers")
    }

    @Test func `one chore that waits or throws keeps no other waiting`() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let runs = Lines()
        let runner = try runner(
            Chore("stuck", every: .seconds(1)) { _ in for await _ in gate { break } },
            Chore("broken", every: .seconds(1)) { _ in throw Trouble(description: "no") },
            Chore("good", every: .seconds(1)) { _ in runs.add("good") })
        let started = runner.startDue()
        #expect(started.count == 3)
        await end(Array(started.dropFirst()))
        watch.advance(by: .seconds(1))
        let again = runner.startDue()
        #expect(again.count == 2)
        await end(again)
        #expect(runs.list == ["good", "good"])
        open.yield()
        await end(started)
    }

    @Test func `a chore writes with the kernel it is given`() async throws {
        let runner = try runner(
            Chore("note", every: .seconds(1)) { kernel in
                try await kernel.writeTogether(origin: "plugin:note") { tx in
                    try tx.db.execute(sql: "INSERT INTO leads (email) VALUES ('ann@a.example')")
                }
            })
        await end(runner.startDue())
        #expect(try crm.rows("SELECT email FROM leads") == ["ann@a.example"])
    }
}
