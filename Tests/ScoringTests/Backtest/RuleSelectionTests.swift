import Testing

@testable import Scoring

/// Few rules out of many.
@Suite struct RuleSelectionTests {
    /// Three of twelve columns tell something.
    private var leads: MadeLeads {
        var weights = [Double](repeating: 0, count: 12)
        (weights[3], weights[7], weights[10]) = (1.4, -1.0, 0.7)
        return MadeLeads(3000, weights: weights, intercept: -0.7)
    }

    @Test func `what tells nothing leaves, and what does has its points`() {
        let leads = leads
        let selection = RuleSelection(leads.rows, leads.converted, most: 25, penalty: 1)
        #expect(selection.chosen == [3, 7, 10])
        // 20 points double the odds: 1.4 is 40, -1 is -29, 0.7 is 20.
        for (points, expected) in zip(selection.points, [40, -30, 20]) { #expect(abs(points - expected) <= 5) }
        #expect(selection.pointsStep == 5)
    }

    @Test func `no more rules are kept than asked for, the strongest`() {
        let leads = leads
        #expect(RuleSelection(leads.rows, leads.converted, most: 1, penalty: 1).chosen == [3])
        #expect(RuleSelection(leads.rows, leads.converted, most: 0, penalty: 1).chosen == [])
    }

    @Test func `of two that say the same one is enough`() {
        let made = MadeLeads(1500, weights: [1.2], intercept: -0.5)
        var rows = SparseRows(columnCount: 2)
        for row in 0..<made.rows.count {
            let value = made.rows.product(row, [1])
            rows.append([(column: 0, value: value), (column: 1, value: value)])
        }
        let selection = RuleSelection(rows, made.converted, most: 1, penalty: 1)
        #expect(selection.chosen.count == 1)
        #expect((30...40).contains(selection.points[0]))
    }

    @Test func `scores are the sums of the points that hold`() {
        let leads = leads
        let selection = RuleSelection(leads.rows, leads.converted, most: 2, penalty: 1)
        var row = SparseRows(columnCount: 12)
        row.append([(column: 3, value: 1), (column: 4, value: 1), (column: 7, value: 1)])
        row.append([])
        #expect(selection.scores(row) == [Double(selection.points.reduce(0, +)), 0])
    }

    @Test func `without leads there are no rules`() {
        #expect(RuleSelection(SparseRows(columnCount: 3), [], most: 5, penalty: 1).chosen == [])
    }
}
