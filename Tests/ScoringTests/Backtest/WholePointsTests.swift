import Testing

@testable import Scoring

/// Weights as whole points.
@Suite struct WholePointsTests {
    @Test func `twenty points double the odds, in fives`() {
        let leads = MadeLeads(2000, weights: [1.4, -0.7], intercept: 0)
        let whole = WholePoints([1.386_294, -0.693_147], leads.rows, leads.converted)
        #expect(whole.points == [40, -20])
        #expect(whole.step == 5)
    }

    @Test func `points are exact where fives would cost too much`() {
        // Weights below 2.5 points would all round to nothing.
        let leads = MadeLeads(4000, weights: [0.07, 0.07, 0.07, -0.07], intercept: 0, share: 0.5)
        let whole = WholePoints([0.07, 0.07, 0.07, -0.07], leads.rows, leads.converted)
        #expect(whole.points == [2, 2, 2, -2])
        #expect(whole.step == 1)
    }

    @Test func `points stay within what the settings take`() {
        let leads = MadeLeads(10, weights: [1], intercept: 0)
        #expect(WholePoints([1e9], leads.rows, leads.converted).points == [1000])
    }
}
