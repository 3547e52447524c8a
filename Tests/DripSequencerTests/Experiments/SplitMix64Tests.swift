import Testing

@testable import DripSequencer

@Suite struct SplitMix64Tests {
    @Test func `the numbers are those of the published generator`() {
        var generator = SplitMix64(seed: 1_234_567)
        #expect(
            (1...5).map { _ in generator.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func `every byte of a text, and its place, changes the numbers`() {
        let texts = ["", "a", "b", "ab", "ba", "welcome:1", "welcome:2", "welcome:12"]
        let numbers = texts.map { text in
            var generator = SplitMix64(seed: text)
            return generator.next()
        }
        #expect(Set(numbers).count == texts.count)
    }
}
