import CoreMetrics
import Synchronization

/// Metrics kept in memory, and written in the text format of Prometheus when they are asked for.
///
/// A counter becomes `trellis_NAME_total`, a gauge or a meter `trellis_NAME`, and a timer or an aggregating recorder a
/// histogram in seconds. Two metrics of one name and one set of labels are the same series.
///
/// ```swift
/// let metrics = PrometheusMetrics()
/// Counter(label: "http.requests", dimensions: [("status", "200")], factory: metrics).increment()
/// metrics.text()  // … trellis_http_requests_total{status="200"} 1
/// ```
///
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/, the text format 0.0.4.
public final class PrometheusMetrics: MetricsFactory {
    /// The `Content-Type` of ``text()``.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    /// Series of one name. A label that takes its values from requests would fill the memory without this.
    public static let seriesMax = 200
    /// Names come from code, of which there is less than this.
    public static let namesMax = 500

    private let help: [String: String]
    private let registry: Mutex<PrometheusRegistry>
    private let dropped = CounterSeries()

    /// - Parameter help: what a metric says, by its label in the code. Without an entry the file repeats the label.
    public init(help: [String: String] = [:]) {
        self.help = help
        registry = Mutex(PrometheusRegistry(dropped: dropped))
    }

    /// Every series, in the order of the names and then of the labels. It ends with a line feed.
    public func text() -> String {
        let families = registry.withLock(\.families)
        var output = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            output += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                series.write(name, labels, to: &output)
            }
        }
        return output
    }

    // MARK: - MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { return histogram(label, dimensions) ?? NOOPMetricsHandler.instance }
        return gauge(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    // A destroyed series leaves the file; it begins at 0 where the code makes it again, which Prometheus expects.
    public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    // MARK: - Series

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries? {
        series(.counter, label, dimensions) { CounterSeries() }
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries? {
        series(.gauge, label, dimensions) { GaugeSeries() }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries? {
        series(.histogram, label, dimensions) { HistogramSeries() }
    }

    /// The series of these labels, which is made when it is first asked for; nil where there is no room for it.
    private func series<Made: PrometheusSeries>(
        _ kind: PrometheusKind, _ label: String, _ dimensions: [(String, String)], _ make: () -> Made
    ) -> Made? {
        let name = PrometheusText.name(label, kind)
        let labels = PrometheusText.labels(dimensions, kind)
        let found = registry.withLock {
            $0.series(name, kind, labels, help: help[label] ?? label, make)
        }
        if found == nil { dropped.increment(by: Int64(1)) }
        return found
    }

    private func destroy(_ handler: AnyObject) {
        guard handler !== dropped else { return }
        registry.withLock { $0.remove(handler) }
    }
}
