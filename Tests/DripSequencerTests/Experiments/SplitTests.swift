import Testing

@testable import DripSequencer

@Suite struct SplitTests {
    private let split = Split(test: "welcome:4", weights: [("case-study", 1), ("webinar-invite", 2)], holdout: 0.1)

    @Test func `leads fall on the arms by weight, and on nobody by the holdout`() {
        #expect(split.holdoutBuckets == 1000)
        #expect(split.arms.map(\.buckets) == [3000, 6000])
        var counts: [String: Int] = [:]
        for lead in 1...20_000 as ClosedRange<Int64> { counts[split.arm(of: lead) ?? "nobody", default: 0] += 1 }
        // Five deviations of a binomial count.
        #expect(abs((counts["nobody"] ?? 0) - 2000) < 212)
        #expect(abs((counts["case-study"] ?? 0) - 6000) < 324)
        #expect(abs((counts["webinar-invite"] ?? 0) - 12_000) < 347)
        #expect(counts.count == 3)
    }

    @Test func `a lead has the same arm each time it is asked, and other tests ask anew`() {
        let again = Split(test: "welcome:4", weights: [("case-study", 1), ("webinar-invite", 2)], holdout: 0.1)
        let other = Split(test: "welcome:5", weights: [("case-study", 1), ("webinar-invite", 2)], holdout: 0.1)
        let leads = Array(1...1000 as ClosedRange<Int64>)
        #expect(leads.map(split.arm) == leads.map(again.arm))
        #expect(leads.map(split.arm) != leads.map(other.arm))
    }

    @Test func `other shares leave the holdout as it was`() {
        let moved = split.reallocated([0.75, 0.25])
        #expect(moved.arms.map(\.buckets) == [6750, 2250])
        #expect(moved.holdoutBuckets == 1000)
        for lead in 1...2000 as ClosedRange<Int64> {
            #expect((split.arm(of: lead) == nil) == (moved.arm(of: lead) == nil))
        }
        #expect(split.reallocated([1]) == split)
    }

    @Test func `an arm without a share gets nobody`() {
        let settled = split.reallocated([0, 1])
        #expect(Set((1...1000).map { settled.arm(of: $0) }) == ["webinar-invite", nil])
    }

    @Test func `shares are rounded to exactly all buckets, the largest remainders up`() {
        #expect(Split.rounded([1, 1, 1], to: 10_000) == [3334, 3333, 3333])
        #expect(Split.rounded([0.5, 0.25, 0.25], to: 9) == [5, 2, 2])
        #expect(Split.rounded([1, 2, 4], to: 10) == [1, 3, 6])
        #expect(Split.rounded([], to: 10) == [])
        var generator = SplitMix64(seed: 1)
        for _ in 1...500 {
            let shares = (0..<7).map { _ in Double.random(in: 0...1, using: &generator) }
            let whole = Split.rounded(shares, to: 9000)
            #expect(whole.reduce(0, +) == 9000)
            let sum = shares.reduce(0, +)
            #expect(zip(shares, whole).allSatisfy { abs($0 / sum * 9000 - Double($1)) < 1 })
        }
    }

    @Test func `weights that are no weights count as none, and none at all as equal`() {
        #expect(Split.rounded([-1, 1, .nan, .infinity], to: 100) == [0, 100, 0, 0])
        #expect(Split.rounded([0, 0], to: 100) == [50, 50])
        #expect(Split.rounded([.greatestFiniteMagnitude, .greatestFiniteMagnitude], to: 100) == [50, 50])
        #expect(Split(test: "t", weights: [("a", 1)], holdout: .nan).holdoutBuckets == 0)
        #expect(Split(test: "t", weights: [("a", 1)], holdout: -1).holdoutBuckets == 0)
        #expect(Split(test: "t", weights: [("a", 1)], holdout: 2).arms.map(\.buckets) == [0])
        #expect(Split(test: "t", weights: [("a", 1)], holdout: 2).arm(of: 1) == nil)
        #expect(Split(test: "t", weights: []).arm(of: 1) == nil)
    }
}
