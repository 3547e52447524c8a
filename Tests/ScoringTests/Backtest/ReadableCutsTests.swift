import Testing

@testable import Scoring

/// Numbers a person would have chosen.
@Suite struct ReadableCutsTests {
    @Test(
        arguments: zip(
            [4.83, 613, 1285, 17, 0.0473, 0, -613, 24.2, 47, 99.6, 1_234_567],
            [5, 600, 1300, 17, 0.045, 0, -600, 25, 45, 100, 1_200_000]))
    func `numbers are rounded to two digits`(_ number: Double, _ expected: Double) {
        #expect(ReadableCuts.rounded(number) == expected)
    }

    @Test func `cuts ascend, and none divides nothing`() {
        #expect(ReadableCuts.cuts([0, 0, 0, 1, 2, 2, 5], isWhole: true) == [1, 2, 5])
        #expect(ReadableCuts.cuts([0, 0.4, 1.52, 1.53], isWhole: false) == [0.4, 1.5])
        #expect(ReadableCuts.cuts([3, 3, 3], isWhole: true) == [])
        #expect(ReadableCuts.cuts([], isWhole: true) == [])
        #expect(ReadableCuts.cuts([101, 103], isWhole: true) == [103])
    }

    @Test func `steps are 1, 2 or 5 times a power of ten`() {
        #expect(ReadableCuts.step(over: 100, parts: 10) == 10)
        #expect(ReadableCuts.step(over: 170, parts: 12) == 20)
        #expect(ReadableCuts.step(over: 400, parts: 12) == 50)
        #expect(ReadableCuts.step(over: 0, parts: 0) == 1)
        #expect(ReadableCuts.step(over: .infinity, parts: 3) == 1)
    }

    @Test func `a number is written without a needless point`() {
        #expect(ReadableCuts.text(5) == "5")
        #expect(ReadableCuts.text(2.5) == "2.5")
        #expect(ReadableCuts.text(-1300) == "-1300")
    }
}
