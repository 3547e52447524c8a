/// A short hash that is the same for the same text on every machine and in every run, which Swift's own hashing is not:
/// FNV-1a, 64 bit (draft-eastlake-fnv). Not for secrets.
enum StableHash {
    static func value(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    /// Sixteen hexadecimal digits.
    static func hex(_ text: String) -> String {
        let hex = String(value(text), radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }
}
