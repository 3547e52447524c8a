/// How the bytes of a text file stand for characters.
///
/// The raw values are the names of the IANA character set registry, in lower case.
public enum TextEncoding: String, Sendable, Equatable, CaseIterable {
    case utf8 = "utf-8"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    /// What Excel writes on a Western European Windows; it contains the printable part of Latin-1.
    case windows1252 = "windows-1252"

    /// The byte order mark that a file of this encoding may begin with; empty where none exists.
    ///
    /// Source: The Unicode Standard, chapter 23.8, table 23-6.
    public var byteOrderMark: [UInt8] {
        switch self {
        case .utf8: [0xEF, 0xBB, 0xBF]
        case .utf16LittleEndian: [0xFF, 0xFE]
        case .utf16BigEndian: [0xFE, 0xFF]
        case .windows1252: []
        }
    }

    /// The encoding that the first bytes of a file speak for.
    ///
    /// A byte order mark decides. Without one, valid UTF-8 is UTF-8, because text in another encoding is
    /// valid UTF-8 only by a rare accident; all else is Windows-1252, where every byte means something.
    ///
    /// - Parameters:
    ///   - sample: the beginning of the file.
    ///   - mayBeCut: whether the file goes on, so that the last character may be incomplete.
    static func detected(in sample: [UInt8], mayBeCut: Bool) -> TextEncoding {
        for encoding in allCases where !encoding.byteOrderMark.isEmpty {
            if sample.starts(with: encoding.byteOrderMark) { return encoding }
        }
        let isUTF8 = sample.withUnsafeBufferPointer { UTF8Validation.accepts($0, mayBeCut: mayBeCut) }
        return isUTF8 ? .utf8 : .windows1252
    }
}

/// The test for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
///
/// Source: The Unicode Standard, chapter 3.9, table 3-7.
enum UTF8Validation {
    /// Whether the bytes are well-formed UTF-8.
    ///
    /// - Parameter mayBeCut: accepts a last character of which only the beginning is there.
    static func accepts(_ bytes: UnsafeBufferPointer<UInt8>, mayBeCut: Bool = false) -> Bool {
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            index += 1
            if lead < 0x80 { continue }
            guard let tail = tail(after: lead) else { return false }
            for position in 0..<tail.count {
                guard index < bytes.count else { return mayBeCut }
                let allowed = position == 0 ? tail.second : 0x80...0xBF
                guard allowed.contains(bytes[index]) else { return false }
                index += 1
            }
        }
        return true
    }

    /// How many bytes follow a leading byte, and what the first of them may be; nil if it cannot lead.
    private static func tail(after lead: UInt8) -> (count: Int, second: ClosedRange<UInt8>)? {
        switch lead {
        case 0xC2...0xDF: (1, 0x80...0xBF)
        case 0xE0: (2, 0xA0...0xBF)
        case 0xED: (2, 0x80...0x9F)
        case 0xE1...0xEF: (2, 0x80...0xBF)
        case 0xF0: (3, 0x90...0xBF)
        case 0xF1...0xF3: (3, 0x80...0xBF)
        case 0xF4: (3, 0x80...0x8F)
        default: nil
        }
    }
}

/// Turns text of any encoding into UTF-8, piece by piece; a character may be cut between two pieces.
///
/// What is not text in its own encoding, such as half of a surrogate pair, becomes the byte `0xFF`, which no
/// UTF-8 text contains: whoever validates the result later finds the fault in the row where it is.
struct UTF8Transcoder {
    let encoding: TextEncoding
    /// The first byte of a UTF-16 unit whose second byte is in the next piece.
    private var pendingByte: UInt8?
    /// The first half of a surrogate pair whose second half is yet to come; zero when there is none.
    private var pendingSurrogate: UInt32 = 0

    init(from encoding: TextEncoding) {
        self.encoding = encoding
    }

    /// The most bytes that one call to `transcode` can write: three for each byte of Windows-1252, and for
    /// UTF-16 three per unit and what was pending before.
    static func outputBytesMax(forInput count: Int) -> Int {
        count * 3 + 8
    }

    /// Writes the UTF-8 form of a piece of text and returns how many bytes that took.
    ///
    /// - Parameter output: room for at least `outputBytesMax(forInput: input.count)` bytes.
    mutating func transcode(
        _ input: UnsafeBufferPointer<UInt8>, to output: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var target = UTF8Target(start: output)
        switch encoding {
        case .utf8:
            for byte in input { target.put(byte: byte) }
        case .windows1252:
            for byte in input { target.put(scalar: Windows1252.scalar(of: byte)) }
        case .utf16LittleEndian, .utf16BigEndian:
            for byte in input {
                guard let first = pendingByte else {
                    pendingByte = byte
                    continue
                }
                pendingByte = nil
                let (low, high) = encoding == .utf16LittleEndian ? (first, byte) : (byte, first)
                put(unit: UInt32(high) << 8 | UInt32(low), to: &target)
            }
        }
        return target.count
    }

    /// Writes what is left when the text ends in the middle of a character; returns how many bytes that took.
    ///
    /// - Parameter output: room for at least two bytes.
    mutating func finish(to output: UnsafeMutablePointer<UInt8>) -> Int {
        var target = UTF8Target(start: output)
        if pendingSurrogate != 0 { target.put(byte: UTF8Target.fault) }
        if pendingByte != nil { target.put(byte: UTF8Target.fault) }
        pendingSurrogate = 0
        pendingByte = nil
        return target.count
    }

    /// Takes one UTF-16 unit. Source: RFC 2781, section 2.2.
    private mutating func put(unit: UInt32, to target: inout UTF8Target) {
        if pendingSurrogate != 0 {
            let high = pendingSurrogate
            pendingSurrogate = 0
            if 0xDC00...0xDFFF ~= unit {
                target.put(scalar: 0x10000 + (high - 0xD800) << 10 + (unit - 0xDC00))
                return
            }
            target.put(byte: UTF8Target.fault)
        }
        switch unit {
        case 0xD800...0xDBFF: pendingSurrogate = unit
        case 0xDC00...0xDFFF: target.put(byte: UTF8Target.fault)
        default: target.put(scalar: unit)
        }
    }
}

/// The place where a transcoder writes, and how much it has written there.
private struct UTF8Target {
    /// Stands for what is not text: a byte that no UTF-8 text contains.
    static let fault: UInt8 = 0xFF

    let start: UnsafeMutablePointer<UInt8>
    var count = 0

    @inline(__always)
    mutating func put(byte: UInt8) {
        start[count] = byte
        count += 1
    }

    /// Writes a Unicode scalar in one to four bytes. Source: RFC 3629, section 3.
    @inline(__always)
    mutating func put(scalar: UInt32) {
        if scalar < 0x80 {
            put(byte: UInt8(truncatingIfNeeded: scalar))
            return
        }
        if scalar < 0x800 {
            put(byte: 0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
        } else {
            if scalar < 0x10000 {
                put(byte: 0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            } else {
                put(byte: 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
                put(byte: 0x80 | UInt8(truncatingIfNeeded: scalar >> 12) & 0x3F)
            }
            put(byte: 0x80 | UInt8(truncatingIfNeeded: scalar >> 6) & 0x3F)
        }
        put(byte: 0x80 | UInt8(truncatingIfNeeded: scalar) & 0x3F)
    }
}

/// The code page that Windows calls 1252.
///
/// Source: the WHATWG Encoding Standard, index windows-1252. The five bytes that Microsoft leaves undefined
/// (81, 8D, 8F, 90, 9D) are the control characters of the same number there, and so they are here.
enum Windows1252 {
    /// The Unicode scalar that a byte stands for.
    @inline(__always)
    static func scalar(of byte: UInt8) -> UInt32 {
        0x80...0x9F ~= byte ? UInt32(differing[Int(byte) - 0x80]) : UInt32(byte)
    }

    /// The bytes 80 to 9F, the only ones that differ from Latin-1.
    private static let differing: [UInt16] = [
        0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
        0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
    ]
}
