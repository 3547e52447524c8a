/// Random numbers that are the same on every machine and in every run with the same seed: SplitMix64
/// (https://prng.di.unimi.it/splitmix64.c).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `bound`, by remainder: the bias is below one in a billion for the counts of a file,
    /// and any other program can draw the same numbers.
    mutating func next(below bound: Int) -> Int {
        bound > 1 ? Int(next() % UInt64(bound)) : 0
    }

    /// The numbers from 0 to below `count` in a random order (Fisher and Yates, from the end).
    mutating func order(_ count: Int) -> [Int] {
        var order = Array(0..<max(0, count))
        for last in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(last, next(below: last + 1)) }
        return order
    }
}
