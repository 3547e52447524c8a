import Foundation
import Synchronization
import TrellisKernel

/// How many connections are open, in all and from one address.
final class ConnectionLimit: Sendable {
    private struct State {
        var open = 0
        var byAddress: [String: Int] = [:]
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

    /// Whether one more may come from this address. A trusted proxy brings those of many visitors.
    func enter(_ address: String) -> Bool {
        let isProxy = ClientAddress(address).map { client in trusted.contains { client.isIn($0) } } ?? false
        let mayEnter = state.withLock { state in
            guard state.open < most, isProxy || state.byAddress[address, default: 0] < mostPerAddress else {
                return false
            }
            state.open += 1
            state.byAddress[address, default: 0] += 1
            return true
        }
        if mayEnter { metrics.connectionOpened() } else { metrics.refused("connections") }
        return mayEnter
    }

    func leave(_ address: String) {
        state.withLock { state in
            state.open -= 1
            let rest = (state.byAddress[address] ?? 1) - 1
            state.byAddress[address] = rest > 0 ? rest : nil
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
