import Synchronization
import TrellisKernel

/// How often one address may say wrong tokens. After the first few it waits: a second, then twice as long after each
/// further one, up to a quarter of an hour; what it says meanwhile is not even compared, the right one neither: if that
/// were let in, each guess would learn all there is to learn, and there were no wait. In memory.
///
/// Somebody who guesses says another token each time. A program with an old token says the same again and again: then
/// it is that token alone that waits, and not the others who ask from its address.
final class TokenTries: Sendable {
    enum Verdict: Sendable {
        case known(Caller)
        /// - Parameter isLast: whether it is the one after which the address begins to wait.
        case wrong(isLast: Bool)
        /// - Parameter isAddress: whether the address waits; otherwise this token alone does.
        case wait(seconds: Int, isAddress: Bool)
    }

    private struct Tries {
        var count = 0
        var last: ContinuousClock.Instant
        /// Until when nothing is compared.
        var until: ContinuousClock.Instant
    }

    private let freeTries: Int
    private let entriesMax: Int
    private let tries = Mutex([String: Tries]())

    /// The longest wait: of 10,000 guesses within an hour 17 are compared.
    static let secondsMax = 900
    /// When wrong tokens are forgotten: after some of the longest waits.
    static let memorySeconds = 3_600

    /// - Parameter entriesMax: addresses and tokens remembered. When there are more, those whose last try or wait is
    ///   the longest ago are forgotten; so who waits goes last, however many addresses come with a guess each.
    init(freeTries: Int, entriesMax: Int = 50_000) {
        (self.freeTries, self.entriesMax) = (freeTries, entriesMax)
    }

    /// Compares what was said, unless its address or it has to wait. One at a time, so that many at once are no way
    /// round.
    ///
    /// - Parameter find: who says this; nil for nobody who is known.
    func verdict(
        of said: String, from address: String, now: ContinuousClock.Instant = .now, find: () -> Caller?
    ) -> Verdict {
        tries.withLock { tries in
            // It is held by its hash, which tells nobody what was said and is another in each process.
            let token = "\(address) \(said.hashValue)"
            for key in [address, token] {
                if let until = tries[key]?.until, until > now {
                    let (seconds, rest) = (until - now).components
                    return .wait(seconds: Int(seconds) + (rest > 0 ? 1 : 0), isAddress: key == address)
                }
            }
            if let caller = find() { return .known(caller) }
            for key in [address, token] where tries[key].map({ isOld($0, now) }) == true { tries[key] = nil }
            forget(&tries, now)
            let isNew = tries[token] == nil
            _ = add(token, &tries, now)
            return .wrong(isLast: isNew ? add(address, &tries, now) : false)
        }
    }

    /// True where it is the last that costs no wait.
    private func add(_ key: String, _ tries: inout [String: Tries], _ now: ContinuousClock.Instant) -> Bool {
        var entry = tries[key] ?? Tries(last: now, until: now)
        entry.count += 1
        entry.last = now
        let doublings = entry.count - freeTries
        if doublings >= 0 {
            entry.until = now + .seconds(min(TokenTries.secondsMax, 1 << min(doublings, 10)))
        }
        tries[key] = entry
        return doublings == 0
    }

    private func isOld(_ entry: Tries, _ now: ContinuousClock.Instant) -> Bool {
        now - entry.last > .seconds(TokenTries.memorySeconds)
    }

    private func forget(_ tries: inout [String: Tries], _ now: ContinuousClock.Instant) {
        guard tries.count >= entriesMax else { return }
        tries = tries.filter { !isOld($0.value, now) }
        guard tries.count >= entriesMax else { return }
        // A tenth at once, for to sort them takes its time.
        let oldest = tries.sorted { max($0.value.last, $0.value.until) < max($1.value.last, $1.value.until) }
        for (key, _) in oldest.prefix(max(1, entriesMax / 10)) { tries[key] = nil }
    }
}
