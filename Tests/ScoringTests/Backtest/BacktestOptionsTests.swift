import Testing
import TrellisKernel

@testable import Scoring

/// What the commands are asked for.
@Suite struct BacktestOptionsTests {
    @Test func `nothing asked for has its defaults`() throws {
        let options = try BacktestOptions([:])
        #expect(options.folds == 5 && options.seed == 7 && options.rulesMax == 25 && options.goal == .balance)
        #expect(options.outcome == nil && options.columns == nil && options.show == .rules)
    }

    @Test func `options are read`() throws {
        let options = try BacktestOptions([
            "outcome": "opportunity:won", "as-of": "2026-01-31", "older-than": "90d", "precision": "0.5",
            "folds": "10", "seed": "0", "columns": "source, visits,", "rules": "3", "show": "model",
            "leads-per-week": "12.5",
        ])
        #expect(options.outcome == .won && options.asOf == "2026-01-31 00:00:00.000")
        #expect(options.olderThan == Span.days(90) && options.goal == .precision(0.5) && options.folds == 10)
        #expect(options.seed == 0 && options.columns == ["source", "visits"] && options.rulesMax == 3)
        #expect(options.show == .model && options.leadsPerWeek == 12.5)
        #expect(try BacktestOptions(["per-week": "20"]).goal == .perWeek(20))
    }

    @Test(
        arguments: zip(
            [
                ["precision": "1.5"], ["precision": "half"], ["per-week": "0"], ["per-week": "nan"], ["folds": "1"],
                ["folds": "2.5"], ["seed": "-1"], ["rules": "0"], ["as-of": "yesterday"], ["older-than": "long"],
                ["show": "rule"], ["precision": "0.5", "per-week": "3"],
            ],
            [
                "--precision: expected a share from 0 to 1 such as 0.5, got '1.5'.",
                "--precision: expected a share from 0 to 1 such as 0.5, got 'half'.",
                "--per-week: expected a number above 0, got '0'.", "--per-week: expected a number above 0, got 'nan'.",
                "--folds: expected a whole number from 2 to 20, got '1'.",
                "--folds: expected a whole number from 2 to 20, got '2.5'.",
                "--seed: expected a whole number from 0 up, got '-1'.",
                "--rules: expected a whole number from 1 to 100, got '0'.",
                "--as-of: expected a day or a time such as 2026-01-31, got 'yesterday'.",
                "--older-than: expected a span such as 90d, got 'long'.",
                "--show: expected one of rules, model, thresholds, calibration, got 'rule'. Did you mean 'rules'?",
                "--precision and --per-week ask for two different thresholds. Give one of them.",
            ]))
    func `what cannot be meant is refused`(_ options: [String: String], _ sentence: String) {
        #expect(throws: KernelError.usage(sentence)) { try BacktestOptions(options) }
    }
}
