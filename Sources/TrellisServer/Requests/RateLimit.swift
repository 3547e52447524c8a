import Synchronization

/// A token bucket per visitor: `perMinute` at once, and as many again each minute. In memory: a restart fills every
/// bucket.
final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var seen: ContinuousClock.Instant
    }

    private let perMinute: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    /// Visitors remembered; when there are more, those whose bucket is full again are forgotten.
    static let visitorsMax = 50_000

    init(perMinute: Int) {
        self.perMinute = Double(perMinute)
    }

    /// Takes a token. Nil where there was one; otherwise the seconds until there is.
    func wait(for visitor: String, now: ContinuousClock.Instant = .now) -> Int? {
        buckets.withLock { buckets in
            if buckets[visitor] == nil, buckets.count >= RateLimit.visitorsMax { forget(&buckets, now) }
            var bucket = buckets[visitor] ?? Bucket(tokens: perMinute, seen: now)
            bucket.tokens = min(perMinute, bucket.tokens + seconds(now - bucket.seen) * perMinute / 60)
            bucket.seen = now
            defer { buckets[visitor] = bucket }
            guard bucket.tokens < 1 else {
                bucket.tokens -= 1
                return nil
            }
            return max(1, Int(((1 - bucket.tokens) * 60 / perMinute).rounded(.up)))
        }
    }

    private func forget(_ buckets: inout [String: Bucket], _ now: ContinuousClock.Instant) {
        buckets = buckets.filter { $0.value.tokens + seconds(now - $0.value.seen) * perMinute / 60 < perMinute }
        if buckets.count >= RateLimit.visitorsMax { buckets.removeAll() }
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
