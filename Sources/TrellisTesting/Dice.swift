/// A generator with a seed, so that a history that failed can be had again: Marsaglia's xorshift
/// (https://www.jstatsoft.org/article/view/v008i14).
public struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Neighbouring seeds give histories that have nothing in common.
    ///
    /// - Parameter seed: 0 counts as 1, for nothing comes of it.
    public init(seed: UInt64) {
        state = max(seed, 1) &* 0x9E37_79B9_7F4A_7C15
    }

    public mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// A number from 0 to below `limit`.
    public mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(limit, 1))) }
}
