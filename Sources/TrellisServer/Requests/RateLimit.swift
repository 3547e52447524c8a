import Synchronization

/// A token bucket per visitor: `perMinute` at once, and as many again each minute. In memory; what is left in the
/// buckets can be kept over a restart.
final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var seen: ContinuousClock.Instant
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        /// What a process before this one left, by the marks of its visitors, until they come again.
        var kept: [String: Bucket] = [:]
        /// What is in the bucket of a visitor who comes for the first time, and since when.
        var start: Bucket?
    }

    private let perMinute: Double
    private let mark: @Sendable (String) -> String
    private let state = Mutex(State())

    /// Visitors remembered; when there are more, those whose bucket is full again are forgotten.
    static let visitorsMax = 50_000

    /// - Parameter mark: the name under which a visitor is kept over a restart.
    init(perMinute: Int, mark: @escaping @Sendable (String) -> String = { $0 }) {
        self.perMinute = Double(perMinute)
        self.mark = mark
    }

    /// Takes a token. Nil where there was one; otherwise the seconds until there is.
    func wait(for visitor: String, now: ContinuousClock.Instant) -> Int? {
        state.withLock { state in
            if state.buckets[visitor] == nil, state.buckets.count >= RateLimit.visitorsMax {
                forget(&state.buckets, now)
                state.kept = [:]
            }
            var bucket = state.buckets[visitor] ?? begin(visitor, &state, now)
            bucket.tokens = tokens(in: bucket, now)
            bucket.seen = now
            defer { state.buckets[visitor] = bucket }
            guard bucket.tokens < 1 else {
                bucket.tokens -= 1
                return nil
            }
            return max(1, Int(((1 - bucket.tokens) * 60 / perMinute).rounded(.up)))
        }
    }

    // MARK: - Over a restart

    /// What is left in each bucket that is not full, by the marks of the visitors.
    func left(now: ContinuousClock.Instant) -> [String: Double] {
        state.withLock { state in
            let came = state.buckets.map { (mark($0.key), tokens(in: $0.value, now)) }
            let kept = state.kept.map { ($0.key, tokens(in: $0.value, now)) }
            return Dictionary(came + kept) { came, _ in came }.filter { $0.value < perMinute }
        }
    }

    /// Goes on with what was left some seconds ago.
    func restore(_ left: [String: Double], ago seconds: Double, now: ContinuousClock.Instant) {
        let kept = left.mapValues {
            Bucket(tokens: min(perMinute, max(0, $0) + max(0, seconds) * perMinute / 60), seen: now)
        }
        state.withLock { $0.kept = kept }
    }

    /// Where nobody knows what was left: whoever comes finds half of it.
    func startHalfFull(now: ContinuousClock.Instant) {
        state.withLock { $0.start = Bucket(tokens: perMinute / 2, seen: now) }
    }

    // MARK: - Parts

    private func begin(_ visitor: String, _ state: inout State, _ now: ContinuousClock.Instant) -> Bucket {
        if !state.kept.isEmpty, let kept = state.kept.removeValue(forKey: mark(visitor)) { return kept }
        return state.start ?? Bucket(tokens: perMinute, seen: now)
    }

    private func tokens(in bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        min(perMinute, bucket.tokens + seconds(now - bucket.seen) * perMinute / 60)
    }

    private func forget(_ buckets: inout [String: Bucket], _ now: ContinuousClock.Instant) {
        buckets = buckets.filter { tokens(in: $0.value, now) < perMinute }
        if buckets.count >= RateLimit.visitorsMax { buckets.removeAll() }
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
