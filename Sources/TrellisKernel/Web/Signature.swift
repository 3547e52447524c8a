import Crypto
import Foundation

/// HMAC-SHA-256 (RFC 2104), as others sign what they send here.
public enum Signature {
    /// 64 lower-case digits.
    public static func hex(_ bytes: [UInt8], key: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: Data(key.utf8)))
        return Hexadecimal.text(code)
    }

    /// Compares in constant time: how long it takes does not tell how much was right.
    public static func isSame(_ said: String, _ expected: String) -> Bool {
        let (said, expected) = (Array(said.utf8), Array(expected.utf8))
        guard said.count == expected.count, !expected.isEmpty else { return false }
        return zip(said, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
