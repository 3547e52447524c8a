import Foundation
import Testing

@testable import DripSequencer

@Suite struct BucketTests {
    /// LONG=1 looks at a million leads, as was done before this was released; without it, at fewer.
    static let isLong = ProcessInfo.processInfo.environment["LONG"] == "1"

    @Test func `the same lead has the same bucket in every version`() {
        let buckets: [Int] = [1, 2, 3, 1_000_000, -1, .max, .min].map { Bucket.of(test: "welcome:4", lead: $0) }
        #expect(buckets == [2073, 1922, 7767, 4838, 9582, 2073, 8373])
        #expect(buckets.allSatisfy { (0..<Bucket.count).contains($0) })
    }

    @Test func `buckets of consecutive leads are filled as evenly as by chance, and not more`() {
        for test in ["welcome:4", "welcome:5", "a"] {
            var counts = [Int](repeating: 0, count: Bucket.count)
            let bucket = Bucket(test: test)
            let leads = Self.isLong ? 1_000_000 : 150_000
            for lead in 1...Int64(leads) { counts[bucket.of(lead: lead)] += 1 }
            expectChance(counts, leads, "uniformity of \(test)")
        }
    }

    @Test func `buckets of two tests have nothing to do with each other`() {
        for (one, other) in [("welcome:1", "welcome:2"), ("course:1", "webinar:1"), ("a", "b")] {
            var counts = [Int](repeating: 0, count: 10_000)
            let (first, second) = (Bucket(test: one), Bucket(test: other))
            let leads = Self.isLong ? 1_000_000 : 100_000
            for lead in 1...Int64(leads) { counts[first.of(lead: lead) / 100 * 100 + second.of(lead: lead) / 100] += 1 }
            expectChance(counts, leads, "independence of \(one) and \(other)")
        }
    }

    @Test func `a flipped bit of the id moves half of the leads to the other arm`() {
        let bucket = Bucket(test: "welcome:4")
        let moved = (0..<24).map { bit -> Double in
            let changed = (1...4000).count { lead in
                (bucket.of(lead: lead) < 5000) != (bucket.of(lead: lead ^ (1 << bit)) < 5000)
            }
            return Double(changed) / 4000
        }
        print("avalanche: \(moved.min() ?? 0) to \(moved.max() ?? 0) of the leads")
        #expect(moved.allSatisfy { (0.46...0.54).contains($0) })
    }

    /// Four leads at a time are independent over the names of tests, so that small tests scatter as coins do.
    @Test func `the first thousand leads fall on two arms as coins do, over many tests`() {
        let squares = (1...300).map { number in
            let bucket = Bucket(test: "test \(number)")
            let heads = (1...1000).count { bucket.of(lead: $0) < 5000 }
            return Double((heads - 500) * (heads - 500)) / 250
        }
        let mean = squares.reduce(0, +) / 300
        print("scatter of 1,000 leads on two arms: \(mean) of a coin's variance, at most \(squares.max() ?? 0)")
        #expect((0.75...1.25).contains(mean))
        #expect(squares.allSatisfy { $0 < 20 })
    }

    /// The chi-square of 10,000 cells has the mean 9,999 and the deviation 141.
    private func expectChance(_ counts: [Int], _ total: Int, _ label: String) {
        let expected = Double(total) / Double(counts.count)
        let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        let deviations = (chiSquare - 9999) / (2 * 9999.0).squareRoot()
        print("\(label): chi-square \(chiSquare) of 9,999 degrees, \(deviations) deviations")
        #expect(abs(deviations) < 4, "\(label)")
    }
}
