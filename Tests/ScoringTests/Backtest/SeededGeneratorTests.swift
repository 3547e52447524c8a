import Testing

@testable import Scoring

/// Chance that can be repeated.
@Suite struct SeededGeneratorTests {
    /// The first numbers of the reference program for the seed 1234567.
    @Test func `it draws the numbers of the published program`() {
        var generator = SeededGenerator(seed: 1_234_567)
        #expect(generator.next() == 6_457_827_717_110_365_317)
        #expect(generator.next() == 3_203_168_211_198_807_973)
    }

    @Test func `an order holds every number once`() {
        var generator = SeededGenerator(seed: 3)
        let order = generator.order(50)
        #expect(order.sorted() == Array(0..<50))
        #expect(order != Array(0..<50))
        #expect(generator.order(0) == [] && generator.order(-1) == [] && generator.order(1) == [0])
    }
}
