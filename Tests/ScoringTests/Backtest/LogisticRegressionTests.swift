import Testing

@testable import Scoring

/// Weights out of outcomes.
@Suite struct LogisticRegressionTests {
    private func rows(_ table: [[Double]]) -> SparseRows {
        var rows = SparseRows(columnCount: table.first?.count ?? 0)
        for row in table { rows.append(row.enumerated().map { (column: $0.offset, value: $0.element) }) }
        return rows
    }

    /// The expected numbers are those of scikit-learn 1.9: LogisticRegression(C=1 / penalty, tol=1e-10) on the same
    /// eight rows.
    @Test(arguments: [
        Reference(penalty: 1, intercept: -1.1564342, weights: [0.6673432, 0.7380948, 0.4248409]),
        Reference(penalty: 0.1, intercept: -3.6852177, weights: [2.3860126, 2.8497587, 1.0382267]),
        Reference(penalty: 10, intercept: -0.2049213, weights: [0.0946425, 0.0970843, 0.1026221]),
    ])
    func `it finds what another program finds`(_ reference: Reference) {
        let table = rows([
            [1, 0, 2], [0, 1, 0], [1, 1, 0.5], [0, 0, 3], [1, 0, 0], [0, 1, 1], [1, 1, 2], [0, 0, 0],
        ])
        let model = LogisticRegression(
            table, trials: [Double](repeating: 1, count: 8), successes: [1, 0, 1, 0, 0, 1, 1, 0],
            penalty: reference.penalty)
        #expect(model.isSettled)
        #expect(abs(model.intercept - reference.intercept) < 1e-5)
        for (weight, expected) in zip(model.weights, reference.weights) { #expect(abs(weight - expected) < 1e-5) }
    }

    struct Reference: Sendable {
        let penalty: Double
        let intercept: Double
        let weights: [Double]
    }

    @Test func `many leads give the odds they were made with`() {
        let leads = MadeLeads(8000, weights: [1.5, -1, 0, 0.5], intercept: -1)
        let model = LogisticRegression(leads.rows, trials: leads.trials, successes: leads.successes)
        for (weight, expected) in zip(model.weights, [1.5, -1, 0, 0.5]) { #expect(abs(weight - expected) < 0.2) }
        #expect(abs(model.intercept + 1) < 0.15)
        #expect(model.importance[2] < 9 && model.importance[0] > 100)
    }

    @Test func `a row that stands for many leads weighs as much as they do`() {
        let single = rows([[1], [1], [1], [0], [0], [0], [0]])
        let one = LogisticRegression(
            single, trials: [1, 1, 1, 1, 1, 1, 1], successes: [1, 1, 0, 1, 0, 0, 0])
        let grouped = LogisticRegression(rows([[1], [0]]), trials: [3, 4], successes: [2, 1])
        #expect(abs(one.intercept - grouped.intercept) < 1e-6)
        #expect(abs(one.weights[0] - grouped.weights[0]) < 1e-6)
    }

    @Test func `a rule that tells the outcome alone has a finite weight`() {
        let table = rows([[1], [1], [1], [0], [0], [0]])
        let model = LogisticRegression(table, trials: [1, 1, 1, 1, 1, 1], successes: [1, 1, 1, 0, 0, 0])
        #expect(model.isSettled)
        #expect(model.weights[0] > 1 && model.weights[0] < 5)
        let nearlyFree = LogisticRegression(
            table, trials: [1, 1, 1, 1, 1, 1], successes: [1, 1, 1, 0, 0, 0], penalty: 0)
        #expect(nearlyFree.weights[0].isFinite && nearlyFree.weights[0] > 5)
    }

    @Test func `two rules that say the same share the weight, and an empty one has none`() {
        let leads = MadeLeads(2000, weights: [1], intercept: -0.5)
        var table = SparseRows(columnCount: 3)
        for row in 0..<leads.rows.count {
            let value = leads.rows.product(row, [1])
            table.append([(column: 0, value: value), (column: 1, value: value)])
        }
        let model = LogisticRegression(table, trials: leads.trials, successes: leads.successes)
        #expect(model.isSettled)
        #expect(abs(model.weights[0] - model.weights[1]) < 1e-6)
        #expect(abs(model.weights[0] - 0.5) < 0.15)
        #expect(model.weights[2] == 0)
    }

    @Test func `without both outcomes there is nothing to learn`() {
        let table = rows([[1], [0], [1]])
        for outcome in [0.0, 1.0] {
            let model = LogisticRegression(
                table, trials: [1, 1, 1], successes: [outcome, outcome, outcome])
            #expect(model.weights == [0])
            #expect(model.intercept.isFinite && (model.intercept > 0) == (outcome == 1))
        }
        let nobody = LogisticRegression(SparseRows(columnCount: 0), trials: [], successes: [])
        #expect(nobody.intercept == 0)
    }

    @Test func `it comes to rest from a start that is far off, and from one that is no number`() {
        let leads = MadeLeads(500, weights: [1, -1], intercept: 0)
        let plain = LogisticRegression(leads.rows, trials: leads.trials, successes: leads.successes)
        for start in [[50.0, -50, 20], [-200, 300, 0], [.nan, 0, 0], [1]] {
            let model = LogisticRegression(
                leads.rows, trials: leads.trials, successes: leads.successes, start: start)
            #expect(model.isSettled)
            #expect(abs(model.weights[0] - plain.weights[0]) < 1e-3)
        }
    }

    @Test func `a chance lies between 0 and 1 however large the odds`() {
        #expect(LogisticRegression.chance(logOdds: 0) == 0.5)
        #expect(LogisticRegression.chance(logOdds: 1e9) < 1)
        #expect(LogisticRegression.chance(logOdds: -.infinity) > 0)
    }
}
