import Crypto

/// SHA-256 of a normalised address as lower-case hex, the form every ad platform takes.
public enum AddressHash {
    /// Appends the 64 digits of the hash of `bytes` to `output`.
    public static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        for byte in hash.finalize() {
            output.append(digits[Int(byte >> 4)])
            output.append(digits[Int(byte & 15)])
        }
    }

    /// Appends the 64 digits of the hash of `bytes` to `output`, and its 32 bytes to `keys`, for whoever keeps it.
    public static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8], keeping keys: inout [UInt8]) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        for byte in hash.finalize() {
            keys.append(byte)
            output.append(digits[Int(byte >> 4)])
            output.append(digits[Int(byte & 15)])
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
