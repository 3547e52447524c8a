import Testing

@testable import Scoring

/// Conversion with a rule beside conversion without it.
@Suite struct LiftTests {
    @Test func `it is a ratio with the range that holds the truth`() throws {
        let lift = Lift(leads: 100, converted: 40, otherLeads: 200, otherConverted: 40)
        let ratio = try #require(lift.ratio)
        #expect(ratio.value == 2)
        // exp(ln 2 ± 1.96 · √(1/40 − 1/100 + 1/40 − 1/200))
        #expect(abs(ratio.low - 1.3861) < 1e-3 && abs(ratio.high - 2.8859) < 1e-3)
        #expect(lift.verdict(points: 10) == .right)
        #expect(lift.verdict(points: -10) == .wrong)
    }

    @Test func `few leads prove nothing`() {
        #expect(Lift(leads: 4, converted: 2, otherLeads: 200, otherConverted: 60).verdict(points: 10) == .open)
    }

    @Test func `nobody and everybody have a finite lift`() throws {
        let never = try #require(Lift(leads: 50, converted: 0, otherLeads: 50, otherConverted: 25).ratio)
        #expect(never.value > 0 && never.high < 1)
        let always = try #require(Lift(leads: 50, converted: 50, otherLeads: 50, otherConverted: 50).ratio)
        #expect(always.value == 1 && always.low < 1)
    }

    @Test func `a rule for nobody or for everybody has no lift`() {
        let nobody = Lift(leads: 0, converted: 0, otherLeads: 9, otherConverted: 3)
        #expect(nobody.ratio == nil && nobody.with == nil && nobody.verdict(points: 1) == .noLeads)
        let everybody = Lift(leads: 9, converted: 3, otherLeads: 0, otherConverted: 0)
        #expect(everybody.ratio == nil && everybody.without == nil && everybody.verdict(points: 1) == .everybody)
    }
}
