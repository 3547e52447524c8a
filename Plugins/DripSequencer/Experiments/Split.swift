/// Which mail of a test a lead gets: a part of its 10,000 buckets for each, the first ones for nobody (the holdout).
///
/// It is asked once per lead, whose arm is then stored: a later split moves nobody.
struct Split: Sendable, Equatable {
    /// A mail of a test and the number of its buckets.
    struct ArmShare: Sendable, Equatable {
        let name: String
        let buckets: Int
    }

    /// A mail of a test and the bucket behind its last one.
    struct ArmEnd: Sendable, Equatable {
        let name: String
        let end: Int
    }

    /// The salt of the buckets: `welcome:4`. Renaming a test throws its dice again.
    let test: String
    let holdoutBuckets: Int
    let arms: [ArmShare]
    let bucket: Bucket
    /// Each arm with the bucket behind its last one. An arm without a bucket is left out.
    let ends: [ArmEnd]

    /// - Parameters:
    ///   - weights: how much of the test each mail gets, in proportion to the others. What is not a positive number
    ///     counts as none; where no weight is one, all are equal.
    ///   - holdout: the share of the leads that gets no mail, from 0 to 1.
    init(test: String, weights: [(name: String, weight: Double)], holdout: Double = 0) {
        let share = holdout > 0 ? min(holdout, 1) : 0
        self.init(
            test: test, names: weights.map(\.name), shares: weights.map(\.weight),
            holdoutBuckets: Int((share * Double(Bucket.count)).rounded()))
    }

    private init(test: String, names: [String], shares: [Double], holdoutBuckets: Int) {
        self.test = test
        self.holdoutBuckets = holdoutBuckets
        let buckets = Split.rounded(shares, to: Bucket.count - holdoutBuckets)
        arms = zip(names, buckets).map { ArmShare(name: $0, buckets: $1) }
        bucket = Bucket(test: test)
        var end = holdoutBuckets
        ends = arms.filter { $0.buckets > 0 }.map { arm in
            end += arm.buckets
            return ArmEnd(name: arm.name, end: end)
        }
    }

    /// The same test and holdout with other shares, in the order of the arms.
    func reallocated(_ shares: [Double]) -> Split {
        guard shares.count == arms.count else { return self }
        return Split(test: test, names: arms.map(\.name), shares: shares, holdoutBuckets: holdoutBuckets)
    }

    /// The name of a lead's arm; nil for the holdout.
    func arm(of lead: Int64) -> String? {
        let bucket = bucket.of(lead: lead)
        guard bucket >= holdoutBuckets else { return nil }
        return ends.first { bucket < $0.end }?.name
    }

    /// Whole numbers in proportion to shares, with exactly this sum: the largest remainders are rounded up (Hamilton's
    /// method), the first of equal ones first.
    static func rounded(_ shares: [Double], to total: Int) -> [Int] {
        guard !shares.isEmpty else { return [] }
        let largest = shares.filter(\.isFinite).max() ?? 0
        // Divided by the largest first, so that no sum overflows.
        let parts = largest > 0 ? shares.map { $0.isFinite && $0 > 0 ? $0 / largest : 0 } : shares.map { _ in 1 }
        let sum = parts.reduce(0, +)
        let exact = parts.map { $0 / sum * Double(total) }
        var whole = exact.map { Int($0.rounded(.down)) }
        let order = exact.indices.sorted { left, right in
            let remainders = (exact[left] - Double(whole[left]), exact[right] - Double(whole[right]))
            return remainders.0 == remainders.1 ? left < right : remainders.0 > remainders.1
        }
        for index in order.prefix(max(0, total - whole.reduce(0, +))) { whole[index] += 1 }
        return whole
    }
}
