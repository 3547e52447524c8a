import TrellisKernel

/// What `scoring backtest` and `scoring fit` were asked for.
struct BacktestOptions {
    var outcome: Outcome?
    var asOf: String?
    var olderThan: Span?
    var goal = ThresholdGoal.balance
    /// How many leads come a week, where the file cannot tell.
    var leadsPerWeek: Double?
    var folds = 5
    var seed: UInt64 = 7
    var svg: String?
    var show = Show.rules
    var columns: [String]?
    var rulesMax = 25

    enum Show: String, CaseIterable { case rules, model, thresholds, calibration }

    init(_ options: [String: String]) throws {
        outcome = try options["outcome"].map(Outcome.init)
        asOf = try options["as-of"].map { text in
            guard let date = Timestamp.date(text) else {
                throw KernelError.usage("--as-of: expected a day or a time such as 2026-01-31, got '\(text)'.")
            }
            return Timestamp.text(date)
        }
        olderThan = try options["older-than"].map { text in
            guard let span = Span(text) else {
                throw KernelError.usage("--older-than: expected a span such as 90d, got '\(text)'.")
            }
            return span
        }
        leadsPerWeek = try BacktestOptions.number("leads-per-week", options, 0.001...1e9, "a number above 0")
        goal = try BacktestOptions.goal(options)
        folds = Int(try BacktestOptions.whole("folds", options, 2...20) ?? 5)
        seed = UInt64(try BacktestOptions.whole("seed", options, 0...Int64.max) ?? 7)
        rulesMax = Int(try BacktestOptions.whole("rules", options, 1...100) ?? 25)
        svg = options["svg"]
        columns = options["columns"].map {
            $0.split(separator: ",").map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
        }
        if let text = options["show"] {
            guard let choice = Show(rawValue: text) else {
                let words = Show.allCases.map(\.rawValue)
                throw KernelError.usage(
                    "--show: expected one of \(words.joined(separator: ", ")), got '\(text)'.\(NearMiss.hint(text, among: words))"
                )
            }
            show = choice
        }
    }

    private static func goal(_ options: [String: String]) throws -> ThresholdGoal {
        let precision = try number("precision", options, 0.000_001...1, "a share from 0 to 1 such as 0.5")
        let count = try number("per-week", options, 0.001...1e9, "a number above 0")
        switch (precision, count) {
        case (.some, .some):
            throw KernelError.usage("--precision and --per-week ask for two different thresholds. Give one of them.")
        case (let precision?, nil): return .precision(precision)
        case (nil, let count?): return .perWeek(count)
        case (nil, nil): return .balance
        }
    }

    private static func number(
        _ name: String, _ options: [String: String], _ range: ClosedRange<Double>, _ expected: String
    ) throws -> Double? {
        guard let text = options[name] else { return nil }
        guard let number = Double(text), range.contains(number) else {
            throw KernelError.usage("--\(name): expected \(expected), got '\(text)'.")
        }
        return number
    }

    private static func whole(_ name: String, _ options: [String: String], _ range: ClosedRange<Int64>) throws
        -> Int64?
    {
        guard let text = options[name] else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            let most = range.upperBound == .max ? "up" : "to \(range.upperBound)"
            throw KernelError.usage(
                "--\(name): expected a whole number from \(range.lowerBound) \(most), got '\(text)'.")
        }
        return number
    }
}
