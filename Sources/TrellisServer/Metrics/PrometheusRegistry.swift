/// The kinds of metrics in the text format of Prometheus.
enum PrometheusKind: String, Sendable {
    case counter, gauge, histogram

    /// What the names of the samples add to the name of the metric.
    var suffixes: [String] { self == .histogram ? ["", "_bucket", "_sum", "_count"] : [""] }
}

/// The figures of one name and one set of labels.
protocol PrometheusSeries: AnyObject, Sendable {
    /// Appends its samples.
    ///
    /// - Parameter labels: as they are written between braces.
    func write(_ name: String, _ labels: String, to output: inout String)
}

/// Every series by its name and its labels.
struct PrometheusRegistry: Sendable {
    /// The series of one name.
    struct Family: Sendable {
        let kind: PrometheusKind
        let help: String
        /// By their labels as they are written.
        var series: [String: any PrometheusSeries] = [:]
    }

    private(set) var families: [String: Family] = [:]
    /// The names of samples that a family writes: a gauge `x_count` beside a histogram `x` would make the file invalid.
    private var samples: Set<String> = []

    /// - Parameter dropped: counts the series there is no room for. It is there from the beginning, so that an alarm
    ///   can watch it.
    init(dropped: CounterSeries) {
        let help = "Series turned away because their name has too many or is taken, once for each attempt."
        let name = PrometheusText.name("metrics_dropped_series", .counter)
        _ = series(name, .counter, "", help: help) { dropped }
    }

    /// The series of these labels, or a new one; nil where the name is of another kind or has too many.
    mutating func series<Made: PrometheusSeries>(
        _ name: String, _ kind: PrometheusKind, _ labels: String, help: String, _ make: () -> Made
    ) -> Made? {
        if let family = families[name] {
            guard family.kind == kind else { return nil }
            if let series = family.series[labels] { return series as? Made }
            guard family.series.count < PrometheusMetrics.seriesMax else { return nil }
        } else {
            let names = kind.suffixes.map { name + $0 }
            guard families.count < PrometheusMetrics.namesMax, samples.isDisjoint(with: names) else { return nil }
            samples.formUnion(names)
            families[name] = Family(kind: kind, help: PrometheusText.escaped(help, quote: false))
        }
        let made = make()
        families[name]?.series[labels] = made
        return made
    }

    /// Forgets a series. Its name stays taken.
    mutating func remove(_ series: AnyObject) {
        for (name, family) in families {
            guard let labels = family.series.first(where: { $0.value === series })?.key else { continue }
            families[name]?.series[labels] = nil
            return
        }
    }
}
