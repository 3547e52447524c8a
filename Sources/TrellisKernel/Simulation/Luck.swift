import Foundation

/// Draws that follow from what they are about and from a seed, never from their order: the same lead has the same luck
/// with the same mail under two configs, so that what differs between them is theirs and not chance (common random
/// numbers: Law, Simulation Modeling and Analysis, section 11.2).
struct Luck: Sendable {
    let seed: UInt64

    /// Evenly spread bits. FNV leaves the last letters of a text in the low bits, so that its result is mixed once more
    /// (the finaliser of SplitMix64, https://prng.di.unimi.it/splitmix64.c).
    func bits(_ subject: String, _ act: String) -> UInt64 {
        var mixed = StableHash.value(subject + "\u{1F}" + act) &+ seed &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    func draw(_ subject: String, _ act: String) -> Double {
        Double(bits(subject, act) >> 11) * 0x1p-53
    }

    /// How long something takes that takes `mean` seconds in the mean: most is soon, some is late, and nothing later
    /// than five times the mean.
    func delay(_ subject: String, _ act: String, mean: Double) -> Double {
        min(-log(1 - draw(subject, act + " after")), 5) * mean
    }

    /// Gives SQL `simulation_draw(subject, act)`, `simulation_delay(subject, act, mean)` and `simulation_bits(…)`.
    func install(_ db: Database) {
        db.add(
            function: DatabaseFunction("simulation_draw", argumentCount: 2, pure: true) { values in
                draw(String.fromDatabaseValue(values[0]) ?? "", String.fromDatabaseValue(values[1]) ?? "")
            })
        db.add(
            function: DatabaseFunction("simulation_delay", argumentCount: 3, pure: true) { values in
                delay(
                    String.fromDatabaseValue(values[0]) ?? "", String.fromDatabaseValue(values[1]) ?? "",
                    mean: Double.fromDatabaseValue(values[2]) ?? 0)
            })
        db.add(
            function: DatabaseFunction("simulation_bits", argumentCount: 2, pure: true) { values in
                Int64(
                    bits(String.fromDatabaseValue(values[0]) ?? "", String.fromDatabaseValue(values[1]) ?? "") >> 2)
            })
    }
}
