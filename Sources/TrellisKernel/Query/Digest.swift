/// SHA-256 (FIPS 180-4) as lower-case hex: two things with one digest are one thing.
public enum Digest {
    /// 64 digits.
    public static func hex(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        Array(bytes).withUnsafeBytes { AddressHash.append($0, to: &digits) }
        return String(decoding: digits, as: UTF8.self)
    }

    /// 64 digits.
    public static func hex(_ text: String) -> String { hex(text.utf8) }
}
