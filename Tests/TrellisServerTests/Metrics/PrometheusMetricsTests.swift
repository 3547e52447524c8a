import CoreMetrics
import Testing

@testable import TrellisServer

struct PrometheusMetricsTests {
    private let metrics = PrometheusMetrics()

    /// The lines of the samples of a metric, without those that say what it is.
    private func samples(_ name: String) -> [String] {
        metrics.text().split(separator: "\n").filter { $0.hasPrefix(name) }.map(String.init)
    }

    private func lastSample(_ name: String) -> String? { samples(name).last }

    // MARK: - The file

    @Test func `the file is written as Prometheus reads it`() {
        Counter(label: "http.requests", dimensions: [("status", "404"), ("route", "/a")], factory: metrics).increment()
        Counter(label: "http.requests", dimensions: [("status", "200")], factory: metrics).increment(by: 41)
        Gauge(label: "leads", factory: metrics).record(12.5)
        let timer = Timer(label: "http.request.seconds", dimensions: [("route", "/a")], factory: metrics)
        timer.recordMilliseconds(30)
        timer.recordSeconds(20)
        #expect(
            metrics.text() == """
                # HELP trellis_http_request_seconds http.request.seconds
                # TYPE trellis_http_request_seconds histogram
                trellis_http_request_seconds_bucket{route="/a",le="0.001"} 0
                trellis_http_request_seconds_bucket{route="/a",le="0.0025"} 0
                trellis_http_request_seconds_bucket{route="/a",le="0.005"} 0
                trellis_http_request_seconds_bucket{route="/a",le="0.01"} 0
                trellis_http_request_seconds_bucket{route="/a",le="0.025"} 0
                trellis_http_request_seconds_bucket{route="/a",le="0.05"} 1
                trellis_http_request_seconds_bucket{route="/a",le="0.1"} 1
                trellis_http_request_seconds_bucket{route="/a",le="0.25"} 1
                trellis_http_request_seconds_bucket{route="/a",le="0.5"} 1
                trellis_http_request_seconds_bucket{route="/a",le="1"} 1
                trellis_http_request_seconds_bucket{route="/a",le="2.5"} 1
                trellis_http_request_seconds_bucket{route="/a",le="5"} 1
                trellis_http_request_seconds_bucket{route="/a",le="10"} 1
                trellis_http_request_seconds_bucket{route="/a",le="+Inf"} 2
                trellis_http_request_seconds_sum{route="/a"} 20.03
                trellis_http_request_seconds_count{route="/a"} 2
                # HELP trellis_http_requests_total http.requests
                # TYPE trellis_http_requests_total counter
                trellis_http_requests_total{route="/a",status="404"} 1
                trellis_http_requests_total{status="200"} 41
                # HELP trellis_leads leads
                # TYPE trellis_leads gauge
                trellis_leads 12.5
                # HELP trellis_metrics_dropped_series_total Series turned away because their name has too many or is taken, once for each attempt.
                # TYPE trellis_metrics_dropped_series_total counter
                trellis_metrics_dropped_series_total 0

                """)
    }

    @Test func `a metric says what it is told to say, on one line`() {
        let metrics = PrometheusMetrics(help: ["leads": "Leads\nin C:\\leads, \"all\" of them."])
        Gauge(label: "leads", factory: metrics).record(1)
        #expect(metrics.text().hasPrefix("# HELP trellis_leads Leads\\nin C:\\\\leads, \"all\" of them.\n# TYPE"))
    }

    @Test func `the same figures make the same file`() {
        for route in ["/c", "/a", "/b"] {
            Counter(label: "z", dimensions: [("route", route)], factory: metrics).increment()
            Gauge(label: "x", dimensions: [("route", route)], factory: metrics).record(1)
        }
        #expect(metrics.text() == metrics.text())
        #expect(
            samples("trellis_x").map { $0.dropFirst(9) } == [
                "{route=\"/a\"} 1", "{route=\"/b\"} 1", "{route=\"/c\"} 1",
            ])
    }

    // MARK: - Names and labels

    @Test(arguments: [
        ("leads", "trellis_leads_total"), ("trellis_leads", "trellis_leads_total"), ("a_total", "trellis_a_total"),
        ("trellis.leads", "trellis_leads_total"), ("5xx", "trellis_5xx_total"), ("a-b c/d", "trellis_a_b_c_d_total"),
        ("a:b", "trellis_a:b_total"), ("é\r\n", "trellis_____total"), ("", "trellis__total"),
        ("trellis", "trellis_trellis_total"),
    ])
    func `a name holds only what Prometheus allows`(label: String, name: String) {
        Counter(label: label, factory: metrics).increment()
        #expect(lastSample("\(name) ") == "\(name) 1")
        #expect(metrics.text().contains("\n# TYPE \(name) counter\n"))
    }

    @Test(
        arguments: [
            ([], ""), ([("a", "")], ""), ([("a", "1")], "{a=\"1\"}"), ([("b", "2"), ("a", "1")], "{a=\"1\",b=\"2\"}"),
            ([("a", "1"), ("a", "2")], "{a=\"1\"}"), ([("a.b", "1"), ("a-b", "2")], "{a_b=\"1\"}"),
            ([("a:b", "1")], "{a_b=\"1\"}"), ([("1", "1")], "{_1=\"1\"}"), ([("", "1")], "{_=\"1\"}"),
            ([("__name__", "x")], "{_name__=\"x\"}"), ([("é", "é")], "{_=\"é\"}"), ([("le", "1")], "{le=\"1\"}"),
            ([("a", "x\\y\"z\n\r\n")], "{a=\"x\\\\y\\\"z\\n\r\\n\"}"), ([("a", "{}=,")], "{a=\"{}=,\"}"),
        ] as [([(String, String)], String)])
    func `labels are written so that they can be read back`(dimensions: [(String, String)], written: String) {
        Gauge(label: "x", dimensions: dimensions, factory: metrics).record(1)
        #expect(metrics.text().contains("gauge\ntrellis_x\(written) 1\n"))
    }

    @Test func `the bound of a bucket stays apart from a label of its name`() {
        Timer(label: "x", dimensions: [("le", "a")], factory: metrics).recordSeconds(1)
        #expect(samples("trellis_x_bucket").last == "trellis_x_bucket{le_=\"a\",le=\"+Inf\"} 1")
        #expect(samples("trellis_x_sum") == ["trellis_x_sum{le_=\"a\"} 1"])
    }

    @Test func `a long label is cut`() {
        Gauge(label: "x", dimensions: [("a", String(repeating: "é", count: 300))], factory: metrics).record(1)
        #expect(samples("trellis_x") == ["trellis_x{a=\"\(String(repeating: "é", count: 200))\"} 1"])
    }

    // MARK: - Figures

    @Test func `counters of one name and its labels are one series`() {
        let labels = [("a", "1"), ("b", "2")]
        Counter(label: "x", dimensions: labels, factory: metrics).increment(by: 2)
        Counter(label: "x", dimensions: labels.reversed(), factory: metrics).increment()
        #expect(samples("trellis_x") == ["trellis_x_total{a=\"1\",b=\"2\"} 3"])
        FloatingPointCounter(label: "x", dimensions: labels, factory: metrics).increment(by: 0.25)
        #expect(samples("trellis_x") == ["trellis_x_total{a=\"1\",b=\"2\"} 3.25"])
    }

    @Test func `a counter only grows, and may begin again`() {
        let counter = Counter(label: "x", factory: metrics)
        counter.increment(by: -5)
        counter.increment(by: Int64.max - 1)
        #expect(samples("trellis_x") == ["trellis_x_total 9223372036854775806"])
        counter.increment(by: 5)
        #expect(samples("trellis_x") == ["trellis_x_total 9223372036854775807"])
        counter.reset()
        let fractional = FloatingPointCounter(label: "x", factory: metrics)
        for amount in [-1, .nan, .infinity, 0, 2.5] { fractional.increment(by: amount) }
        #expect(samples("trellis_x") == ["trellis_x_total 2.5"])
        fractional.reset()
        #expect(samples("trellis_x") == ["trellis_x_total 0"])
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (-3, "-3"), (0.1, "0.1"), (1e-7, "1e-07"), (1e15, "1000000000000000"),
            (1e300, "1e+300"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
        ] as [(Double, String)])
    func `a gauge shows the last figure`(value: Double, written: String) {
        let gauge = Gauge(label: "x", factory: metrics)
        gauge.record(7)
        gauge.record(value)
        #expect(samples("trellis_x") == ["trellis_x \(written)"])
    }

    @Test func `a meter goes up and down`() {
        let meter = Meter(label: "x", factory: metrics)
        meter.set(10)
        meter.increment(by: 2.5)
        meter.decrement(by: 5)
        meter.increment(by: Double.nan)
        meter.decrement(by: -3)
        #expect(samples("trellis_x") == ["trellis_x 7.5"])
        meter.set(0.5)
        #expect(samples("trellis_x") == ["trellis_x 0.5"])
    }

    @Test(
        arguments: [
            (0, "0.001"), (1_000_000, "0.001"), (1_000_001, "0.0025"), (2_500_000, "0.0025"), (100_000_000, "0.1"),
            (9_999_999_999, "10"), (10_000_000_000, "10"), (10_000_000_001, "+Inf"), (.max, "+Inf"), (-5, "0.001"),
        ] as [(Int64, String)])
    func `a time lies in the first bucket it does not exceed`(nanoseconds: Int64, bound: String) {
        Timer(label: "x", factory: metrics).recordNanoseconds(nanoseconds)
        let first = samples("trellis_x_bucket").first { $0.hasSuffix(" 1") }
        #expect(first == "trellis_x_bucket{le=\"\(bound)\"} 1")
        let sum = PrometheusText.number(Double(nanoseconds < 0 ? 0 : nanoseconds) / 1_000_000_000)
        #expect(samples("trellis_x_sum") == ["trellis_x_sum \(sum)"])
        #expect(samples("trellis_x_count") == ["trellis_x_count 1"])
    }

    @Test func `a recorder that aggregates is a histogram too`() {
        let recorder = Recorder(label: "x", factory: metrics)
        for value in [0.2, .nan, 0.3, .infinity] { recorder.record(value) }
        recorder.record(3)
        #expect(samples("trellis_x_sum") == ["trellis_x_sum 3.5"])
        #expect(samples("trellis_x_count") == ["trellis_x_count 3"])
        #expect(samples("trellis_x_bucket{le=\"0.25\"}") == ["trellis_x_bucket{le=\"0.25\"} 1"])
        Recorder(label: "y", aggregate: false, factory: metrics).record(3)
        #expect(samples("trellis_y") == ["trellis_y 3"])
    }

    // MARK: - Limits

    @Test func `a name has at most so many series`() {
        for number in 0..<PrometheusMetrics.seriesMax + 5 {
            Counter(label: "x", dimensions: [("n", String(number))], factory: metrics).increment()
        }
        #expect(samples("trellis_x_total").count == PrometheusMetrics.seriesMax)
        #expect(lastSample("trellis_metrics_dropped") == "trellis_metrics_dropped_series_total 5")
        Counter(label: "x", dimensions: [("n", "0")], factory: metrics).increment()
        Counter(label: "y", factory: metrics).increment()
        #expect(samples("trellis_x_total{n=\"0\"}") == ["trellis_x_total{n=\"0\"} 2"])
        #expect(samples("trellis_y") == ["trellis_y_total 1"])
    }

    @Test func `there are at most so many names`() {
        for number in 0..<PrometheusMetrics.namesMax { Gauge(label: "x\(number)", factory: metrics).record(1) }
        // One name is that of the series that are turned away.
        #expect(samples("trellis_x").count == PrometheusMetrics.namesMax - 1)
        #expect(lastSample("trellis_metrics_dropped") == "trellis_metrics_dropped_series_total 1")
    }

    @Test func `a name is of one kind`() {
        Timer(label: "x", factory: metrics).recordSeconds(1)
        Gauge(label: "x", factory: metrics).record(5)
        Gauge(label: "x", dimensions: [("a", "1")], factory: metrics).record(5)
        Gauge(label: "x_count", factory: metrics).record(5)
        Counter(label: "y", factory: metrics).increment()
        Gauge(label: "y_total", factory: metrics).record(5)
        Gauge(label: "z_sum", factory: metrics).record(5)
        Timer(label: "z", factory: metrics).recordSeconds(1)
        #expect(samples("trellis_x_count") == ["trellis_x_count 1"])
        #expect(samples("trellis_y") == ["trellis_y_total 1"])
        #expect(samples("trellis_z") == ["trellis_z_sum 5"])
        #expect(samples("trellis_x{").isEmpty)
        #expect(lastSample("trellis_metrics_dropped") == "trellis_metrics_dropped_series_total 5")
    }

    @Test func `what is destroyed leaves the file and makes room`() {
        let counters = (0..<PrometheusMetrics.seriesMax).map {
            Counter(label: "x", dimensions: [("n", String($0))], factory: metrics)
        }
        let gauge = Gauge(label: "y", factory: metrics)
        let timer = Timer(label: "z", factory: metrics)
        counters.first?.destroy()
        gauge.destroy()
        timer.destroy()
        Counter(label: "x", dimensions: [("n", "new")], factory: metrics).increment()
        #expect(samples("trellis_x").count == PrometheusMetrics.seriesMax)
        #expect(lastSample("trellis_x") == "trellis_x_total{n=\"new\"} 1")
        #expect(!metrics.text().contains("trellis_y") && !metrics.text().contains("trellis_z"))
        let turnedAway = Counter(label: "x", dimensions: [("n", "newer")], factory: metrics)
        turnedAway.destroy()
        Counter(label: "metrics_dropped_series", factory: metrics).destroy()
        #expect(lastSample("trellis_metrics_dropped") == "trellis_metrics_dropped_series_total 1")
    }

    // MARK: - At once

    @Test func `nothing is lost when many count at once`() async {
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { [metrics] in
                    for round in 0..<500 {
                        let labels = [("n", String(round % 7))]
                        Counter(label: "x", dimensions: labels, factory: metrics).increment()
                        FloatingPointCounter(label: "w", factory: metrics).increment(by: 0.5)
                        Timer(label: "y", dimensions: labels, factory: metrics).recordMilliseconds(task)
                        Meter(label: "z", factory: metrics).increment(by: 1)
                        if round % 100 == 0 { #expect(metrics.text().hasSuffix("\n")) }
                    }
                }
            }
        }
        let counted = samples("trellis_x_total").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        let timed = samples("trellis_y_count").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(counted.count == 7 && counted.reduce(0, +) == 4_000)
        #expect(timed.count == 7 && timed.reduce(0, +) == 4_000)
        #expect(samples("trellis_w") == ["trellis_w_total 2000"])
        #expect(samples("trellis_z") == ["trellis_z 4000"])
    }
}
