import Testing

@testable import TrellisKernel

@Suite struct RateTests {
    @Test(arguments: [
        ("3 per week", 3, 604_800), ("1 per day", 1, 86_400), ("10 per second", 10, 1), ("2 per 3 days", 2, 259_200),
        ("5 PER Hour", 5, 3600),
    ])
    func `a rate is a number in a stretch of time`(_ text: String, _ count: Int, _ seconds: Int) throws {
        let rate = try #require(Rate(text))
        #expect(rate.count == count && rate.span.seconds == seconds)
        #expect(Rate(rate.description) == rate)
    }

    @Test(arguments: ["", "3", "per week", "0 per week", "-1 per day", "3 per fortnight", "1000001 per day", "3 per 0"])
    func `anything else is none`(_ text: String) {
        #expect(Rate(text) == nil)
    }

    @Test func `it is spread evenly`() {
        #expect(Rate(4, per: .days(1)).intervalSeconds == 21_600)
    }
}
