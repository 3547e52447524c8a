import CoreMetrics
import Synchronization

/// A sum that only grows.
final class CounterSeries: PrometheusSeries, CounterHandler, FloatingPointCounterHandler {
    private struct Sum {
        /// Whole numbers are counted apart, so that none is lost beyond 2 to the power of 53.
        var whole: Int64 = 0
        var fractional = 0.0
    }

    private let sum = Mutex(Sum())

    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        sum.withLock {
            let (result, isTooLarge) = $0.whole.addingReportingOverflow(amount)
            $0.whole = isTooLarge ? .max : result
        }
    }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        sum.withLock { $0.fractional += amount }
    }

    func reset() {
        sum.withLock { $0 = Sum() }
    }

    func write(_ name: String, _ labels: String, to output: inout String) {
        let sum = sum.withLock { $0 }
        let text = sum.fractional == 0 ? String(sum.whole) : PrometheusText.number(Double(sum.whole) + sum.fractional)
        PrometheusText.sample(name, labels, text, to: &output)
    }
}

/// A figure that goes up and down.
final class GaugeSeries: PrometheusSeries, RecorderHandler, MeterHandler {
    private let figure = Mutex(0.0)

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) {
        figure.withLock { $0 = value }
    }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        figure.withLock { $0 += amount }
    }

    func decrement(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        figure.withLock { $0 -= amount }
    }

    func write(_ name: String, _ labels: String, to output: inout String) {
        PrometheusText.sample(name, labels, PrometheusText.number(figure.withLock { $0 }), to: &output)
    }
}

/// How often a figure lay below each of some bounds.
final class HistogramSeries: PrometheusSeries, RecorderHandler, TimerHandler {
    /// In seconds: from a page out of memory to a person who gives up. The last bucket has no bound.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let labels = (bounds.map(PrometheusText.number) + ["+Inf"]).map { "le=\"\($0)\"" }

    private struct Distribution {
        /// For each bound, the figures up to it and above the bound before.
        var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        var sum = 0.0
    }

    private let distribution = Mutex(Distribution())

    func record(_ value: Int64) { record(Double(value)) }

    /// What is not finite is left out: the sum would never recover from it.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = HistogramSeries.bounds.firstIndex { value <= $0 } ?? HistogramSeries.bounds.count
        distribution.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    /// A clock that was set back makes a negative time; nothing takes less than none.
    func recordNanoseconds(_ duration: Int64) {
        record(Double(max(0, duration)) / 1_000_000_000)
    }

    func write(_ name: String, _ labels: String, to output: inout String) {
        let distribution = distribution.withLock { $0 }
        var count: UInt64 = 0
        for (label, further) in zip(HistogramSeries.labels, distribution.counts) {
            count += further
            let all = labels.isEmpty ? label : "\(labels),\(label)"
            PrometheusText.sample("\(name)_bucket", all, String(count), to: &output)
        }
        PrometheusText.sample("\(name)_sum", labels, PrometheusText.number(distribution.sum), to: &output)
        PrometheusText.sample("\(name)_count", labels, String(count), to: &output)
    }
}
