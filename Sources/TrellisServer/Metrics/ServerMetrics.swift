import Metrics
import Synchronization
import TrellisKernel

/// The figures of the server, as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/.
final class ServerMetrics: Sendable {
    private let registry: PrometheusMetrics
    private let underWay = Atomic(0)
    private let connections = Atomic(0)
    /// Made once for each kind of answer: to write the labels takes longer than to count.
    private let answers = Mutex<[Answer: (count: Counter, time: Timer)]>([:])

    private struct Answer: Hashable {
        let listener, route: String
        let status: Int
    }

    /// - Parameter counts: numbers of the plugins.
    init(counts: [Count] = []) {
        let own = counts.map { ($0.name, $0.help) }
        registry = PrometheusMetrics(help: ServerMetrics.help.merging(own) { kernel, _ in kernel })
    }

    func requestBegan() { underWay.add(1, ordering: .relaxed) }
    func requestEnded() { underWay.subtract(1, ordering: .relaxed) }
    func connectionOpened() { connections.add(1, ordering: .relaxed) }
    func connectionClosed() { connections.subtract(1, ordering: .relaxed) }

    func answered(name: String, route: String, status: Int, elapsed: Duration) {
        let answer = Answer(listener: name, route: route, status: status)
        let (count, time) = answers.withLock { answers in
            if let known = answers[answer] { return known }
            let made = series(of: answer)
            answers[answer] = made
            return made
        }
        count.increment()
        time.recordNanoseconds(
            elapsed.components.seconds * 1_000_000_000 + elapsed.components.attoseconds / 1_000_000_000)
    }

    private func series(of answer: Answer) -> (count: Counter, time: Timer) {
        let dimensions = [("listener", answer.listener), ("route", answer.route)]
        let status = ("status", String(answer.status))
        return (
            Counter(label: "http_requests", dimensions: dimensions + [status], factory: registry),
            Timer(label: "http_request_seconds", dimensions: dimensions, factory: registry)
        )
    }

    /// Something was turned away: `rate`, `connections`, `tokens`.
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
            for count in kernel.counts { gauge(count.name, Double(try count.value(db))) }
            let states = try Row.fetchAll(
                db.cachedStatement(sql: "SELECT state, count(*) FROM outbox_messages GROUP BY state")
            ).reduce(into: [String: Double]()) { $0[$1[0]] = $1[1] }
            for state in ServerMetrics.states { gauge("outbox_messages", states[state] ?? 0, [("state", state)]) }
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

    private static let states = [
        "waiting", "sending", "inflight", "sent", "held", "refused", "cancelled", "unknown", "failed",
    ]

    private static let help = [
        "http_requests": "Requests answered, by listener, route and status.",
        "http_request_seconds": "How long requests took, in seconds.",
        "http_requests_under_way": "Requests being answered now.", "connections": "Open connections.",
        "refused": "Turned away before they were answered, by reason.", "leads": "Leads in the file.",
        "events": "The id of the last event in the log.", "parked_events": "Events that could not be handled.",
        "scheduled_events": "Appointments.", "stops": "What stands still: see trellis status.",
        "outbox_messages": "Messages by state.", "subscriber_events_behind": "How far a subscriber is behind the log.",
    ]

    private static let counts = [
        ("leads", "SELECT count(*) FROM leads"),
        ("events", "SELECT coalesce(max(id), 0) FROM events"),
        ("parked_events", "SELECT count(*) FROM parked_events"),
        ("scheduled_events", "SELECT count(*) FROM scheduled_events"),
        ("stops", "SELECT count(*) FROM kernel_stops"),
    ]
}
