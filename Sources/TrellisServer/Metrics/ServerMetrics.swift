import Metrics
import Synchronization
import TrellisKernel

/// The figures of the server, as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/.
final class ServerMetrics: Sendable {
    private let registry = PrometheusMetrics()
    private let underWay = Atomic(0)
    private let connections = Atomic(0)

    func requestBegan() { underWay.add(1, ordering: .relaxed) }
    func requestEnded() { underWay.subtract(1, ordering: .relaxed) }
    func connectionOpened() { connections.add(1, ordering: .relaxed) }
    func connectionClosed() { connections.subtract(1, ordering: .relaxed) }

    func answered(name: String, route: String, status: Int, elapsed: Duration) {
        let dimensions = [("listener", name), ("route", route)]
        Counter(label: "http_requests", dimensions: dimensions + [("status", String(status))], factory: registry)
            .increment()
        Timer(label: "http_request_seconds", dimensions: dimensions, factory: registry)
            .recordNanoseconds(
                elapsed.components.seconds * 1_000_000_000 + elapsed.components.attoseconds / 1_000_000_000)
    }

    /// Something was turned away: `rate`, `connections`.
    func refused(_ reason: String) {
        Counter(label: "refused", dimensions: [("reason", reason)], factory: registry).increment()
    }

    /// `GET /metrics`.
    var endpoint: Endpoint {
        Endpoint(.get, "/metrics") { request in
            try self.readFile(request.kernel)
            return .text(self.registry.text(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    /// What stands in the file is read when it is asked for.
    private func readFile(_ kernel: Kernel) throws {
        gauge("http_requests_under_way", Double(underWay.load(ordering: .relaxed)))
        gauge("connections", Double(connections.load(ordering: .relaxed)))
        try kernel.read { db in
            for (name, sql) in ServerMetrics.counts {
                gauge(name, try Double.fetchOne(db.cachedStatement(sql: sql)) ?? 0)
            }
            for row in try Row.fetchAll(
                db.cachedStatement(sql: "SELECT state, count(*) FROM outbox_messages GROUP BY state"))
            {
                gauge("outbox_messages", row[1], [("state", row[0])])
            }
            for row in try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT id, max(0, (SELECT coalesce(max(id), 0) FROM events) - last_event_id) FROM subscribers"
                ))
            {
                gauge("subscriber_events_behind", row[1], [("subscriber", row[0])])
            }
        }
    }

    private func gauge(_ name: String, _ value: Double, _ dimensions: [(String, String)] = []) {
        Gauge(label: name, dimensions: dimensions, factory: registry).record(value)
    }

    private static let counts = [
        ("leads", "SELECT count(*) FROM leads"),
        ("events", "SELECT coalesce(max(id), 0) FROM events"),
        ("parked_events", "SELECT count(*) FROM parked_events"),
        ("scheduled_events", "SELECT count(*) FROM scheduled_events"),
        ("stops", "SELECT count(*) FROM kernel_stops"),
    ]
}
