/// A small seeded generator whose numbers are the same on every machine and in every run: SplitMix64 (Steele, Lea and
/// Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014). Not for secrets.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// Every byte of a text goes into the seed, so that `welcome:1` and `welcome:2` have nothing in common.
    init(seed text: String) {
        self.init(seed: text.utf8.reduce(0) { SplitMix64(seed: $0 ^ UInt64($1)).first })
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return mixed
    }

    private var first: UInt64 {
        var copy = self
        return copy.next()
    }

    private var mixed: UInt64 {
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
