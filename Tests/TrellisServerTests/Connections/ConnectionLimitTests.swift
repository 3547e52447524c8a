import Synchronization
import Testing
import TrellisKernel

@testable import TrellisServer

@Suite struct ConnectionLimitTests {
    private final class Closed: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func note(_ name: String) { names.withLock { $0.append(name) } }
    }

    private let closed = Closed()

    private func limit(_ most: Int, perAddress: Int = 100) -> ConnectionLimit {
        var settings = ServerSettings()
        (settings.limits.connections, settings.limits.connectionsPerAddress) = (most, perAddress)
        return ConnectionLimit(settings, metrics: ServerMetrics())
    }

    private func enter(_ limit: ConnectionLimit, _ address: String, _ name: String) -> ConnectionLimit.Entry? {
        limit.enter(address) { [closed] in closed.note(name) }
    }

    @Test func `where all is full the oldest that waits makes room, of the address that has most`() throws {
        let limit = limit(4)
        for (address, name) in [("10.0.0.1", "a"), ("10.0.0.2", "b"), ("10.0.0.2", "c"), ("10.0.0.3", "d")] {
            #expect(enter(limit, address, name) != nil)
        }
        #expect(enter(limit, "10.0.0.9", "visitor") != nil)
        #expect(closed.all == ["b"])
    }

    @Test func `what is at work makes no room`() throws {
        let limit = limit(2)
        let entries = try ["a", "b"].map { try #require(enter(limit, "10.0.0.1", $0)) }
        for entry in entries { limit.work(entry) }
        #expect(enter(limit, "10.0.0.9", "visitor") == nil)
        limit.rest(entries[1])
        #expect(enter(limit, "10.0.0.9", "visitor") != nil)
        #expect(closed.all == ["b"])
    }

    @Test func `who left is counted no more, and an address has its own limit`() throws {
        let limit = limit(10, perAddress: 2)
        let first = try #require(enter(limit, "10.0.0.1", "a"))
        #expect(enter(limit, "10.0.0.1", "b") != nil)
        #expect(enter(limit, "10.0.0.1", "c") == nil)
        limit.leave(first)
        #expect(enter(limit, "10.0.0.1", "d") != nil)
        #expect(closed.all == [])
    }
}
