import Foundation
import Synchronization
import TrellisKernel

/// How many connections are open, in all and from one address. Where there is room for no more, one that waits for a
/// head makes room: the oldest of the address that has most of them, so that slow connections from many addresses shut
/// nobody out.
final class ConnectionLimit: Sendable {
    /// A connection that was let in.
    final class Entry: Sendable {
        let address: String
        private let close: @Sendable () -> Void

        init(_ address: String, _ close: @escaping @Sendable () -> Void) {
            (self.address, self.close) = (address, close)
        }

        func makeRoom() { close() }
    }

    private struct State {
        var open = 0
        var byAddress: [String: Int] = [:]
        /// Those on which no request is under way, the oldest first.
        var waiting: [Entry] = []

        /// Takes out the one that is to make room.
        mutating func evict() -> Entry? {
            let most = waiting.max { (byAddress[$0.address] ?? 0) < (byAddress[$1.address] ?? 0) }
            guard let crowd = most.map({ byAddress[$0.address] ?? 0 }),
                let index = waiting.firstIndex(where: { (byAddress[$0.address] ?? 0) == crowd })
            else { return nil }
            return waiting.remove(at: index)
        }
    }

    private let state = Mutex(State())
    private let most: Int
    private let mostPerAddress: Int
    private let trusted: [AddressRange]
    private let metrics: ServerMetrics

    init(_ settings: ServerSettings, metrics: ServerMetrics) {
        most = settings.limits.connections
        mostPerAddress = settings.limits.connectionsPerAddress
        trusted = settings.trustedProxies
        self.metrics = metrics
    }

    /// Lets one more in, which waits for its head; nil where it may not come. A trusted proxy brings connections of
    /// many visitors.
    ///
    /// - Parameter close: ends it, where it has to make room.
    func enter(_ address: String, close: @escaping @Sendable () -> Void) -> Entry? {
        let isProxy = ClientAddress(address).map { client in trusted.contains { client.isIn($0) } } ?? false
        let (entry, evicted) = state.withLock { state -> (Entry?, Entry?) in
            guard isProxy || state.byAddress[address, default: 0] < mostPerAddress else { return (nil, nil) }
            var evicted: Entry?
            if state.open >= most {
                evicted = state.evict()
                guard evicted != nil else { return (nil, nil) }
            }
            let entry = Entry(address, close)
            state.open += 1
            state.byAddress[address, default: 0] += 1
            state.waiting.append(entry)
            return (entry, evicted)
        }
        evicted?.makeRoom()
        if evicted != nil || entry == nil { metrics.refused("connections") }
        if entry != nil { metrics.connectionOpened() }
        return entry
    }

    /// A request has come to the end of its head: what is at work makes no room.
    func work(_ entry: Entry) {
        state.withLock { state in state.waiting.removeAll { $0 === entry } }
    }

    /// It waits for the next request.
    func rest(_ entry: Entry) {
        state.withLock { state in
            if !state.waiting.contains(where: { $0 === entry }) { state.waiting.append(entry) }
        }
    }

    func leave(_ entry: Entry) {
        state.withLock { state in
            state.waiting.removeAll { $0 === entry }
            state.open -= 1
            let rest = (state.byAddress[entry.address] ?? 1) - 1
            state.byAddress[entry.address] = rest > 0 ? rest : nil
        }
        metrics.connectionClosed()
    }

    /// A connection is an open file, and the usual limit of a process is 1024: asks for as many as it may have.
    static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
